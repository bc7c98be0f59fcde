"""Versions of the marts: auditing, publishing, verifying, listing and removing them."""
