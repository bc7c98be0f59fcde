"""What earlier extracts of a stream looked like, and what is unusual beside them."""
