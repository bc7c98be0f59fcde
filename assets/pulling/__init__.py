"""Pulling: asking a source for the rows of an extract, and laying them down as a delivery for landing to take."""
