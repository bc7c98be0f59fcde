"""Which records are one customer: said in words, and suggested for review."""
