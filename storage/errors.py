"""The one error this product raises on purpose: its type. Not here: how it is shown (the command line)."""

from __future__ import annotations


class JourneymartError(Exception):
    """Something a person must act on, said in one sentence: what happened, where, what to do.

    The message holds no personal data: it names files, streams, keys' columns and counts, never values of
    people.
    """
