"""Rows of an extract on their way from text to typed values, as SQL, and what they must fulfil.

Not here: what follows where they do not (quality/gate).
"""
