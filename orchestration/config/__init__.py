"""What the environment and the sources file say."""
