"""The error this product raises on purpose, and the kind of it that may pass. Not here: how it is shown."""

from __future__ import annotations


class JourneymartError(Exception):
    """Something a person must act on, said in one sentence: what happened, where, what to do.

    The message holds no personal data: it names files, streams, keys' columns and counts, never values of
    people.
    """


class PassingError(JourneymartError):
    """What may pass by itself, such as a connection that was lost: trying again can help."""
