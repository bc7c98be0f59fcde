"""Others that do the same or less on the same input: what a night has to be measured by."""
