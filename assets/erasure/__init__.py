"""People who asked to be erased: who they are, and taking them out of what is kept."""
