"""What is damaged in the data folder, and setting right what a night can set right before it begins.

What lives here: the sentences people read, in one order, and the mending. Not here: how versions stand
(assets/versions/standing.py), what is wrong with extracts (damaged_extracts.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.versions.standing import Standing
    from orchestration.config.setup import Setup
    from orchestration.operations.damaged_extracts import DamagedExtract


def damages(setup: Setup, *, every: bool = False) -> tuple[str, ...]:
    """What is damaged and what to do about it, a sentence each; empty if all is well.

    Args:
        setup: Settings and sources.
        every: Read all bytes of all that is kept, not only of what the next night reads.
    """
    from assets.versions.standing import look

    standing = look(setup.folder, every=every)
    extracts = _damaged_extracts(setup, standing, every=every)
    return (*standing.sentences, *(each.sentence for each in extracts))


def mend(setup: Setup) -> tuple[str, ...]:
    """Set right what can be before a night, and say what was damaged and what was done. The caller holds the data lock.

    Args:
        setup: Settings and sources.

    Raises:
        JourneymartError: No night can go on before something is delivered again.
    """
    from assets.versions.standing import look, mend_link
    from orchestration.operations.damaged_extracts import make_room

    standing = look(setup.folder)
    extracts = _damaged_extracts(setup, standing)
    if stopping := [each.sentence for each in extracts if each.stops]:
        raise JourneymartError(" ".join(stopping))
    make_room(setup, extracts)
    done = mend_link(setup.folder)
    return (*standing.sentences, *(each.sentence for each in extracts), *([done] if done else ()))


def mend_before_a_night(setup: Setup) -> tuple[str, ...]:
    """Mend before it is decided which dates are due, where there is anything to mend.

    Args:
        setup: Settings and sources.

    Raises:
        JourneymartError: Something is damaged, and a night is running or something must be delivered again first.
    """
    from storage.locks import data_lock

    if not damages(setup):
        return ()
    with data_lock(setup.folder, "mending"):
        return mend(setup)


def _damaged_extracts(setup: Setup, standing: Standing, *, every: bool = False) -> tuple[DamagedExtract, ...]:
    """The damaged extracts; where nothing has landed yet, no database is loaded to find none."""
    if not (setup.folder.landing.exists() or setup.folder.accepted.exists()):
        return ()
    from orchestration.operations.damaged_extracts import damaged_extracts

    return damaged_extracts(setup, standing, every=every)
