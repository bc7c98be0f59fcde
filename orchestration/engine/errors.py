"""What is refused rather than guessed.

What lives here: the error. Not here: deciding what is refused (constructs.py, expressions.py, queries.py).
"""

from __future__ import annotations

from storage.errors import JourneymartError


class NotOnSparkError(JourneymartError):
    """A model uses what has no known meaning on Spark."""
