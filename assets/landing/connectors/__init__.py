"""Connectors bring one stream's extract of one window, as delivered. One file per kind of source."""
