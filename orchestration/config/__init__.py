"""What the environment and the company file say."""
