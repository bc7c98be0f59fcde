"""Gate 1: the judgement on landed extracts, and what is kept of it."""
