"""Pulling from vendors' REST APIs: our own small client. One file per vendor says what is asked of it."""
