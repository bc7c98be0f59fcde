"""How a delivery's own columns become those of a contract: text in, text out. Not here: reading mapping files."""
