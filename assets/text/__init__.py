"""What is read from texts in Python."""
