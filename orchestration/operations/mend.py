"""What is damaged in the data folder, and setting right what a night can set right before it begins.

What lives here: the sentences people read, in one order, and the mending. Not here: how versions stand
(assets/versions/standing.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.config.setup import Setup


def damages(setup: Setup, *, every: bool = False) -> tuple[str, ...]:
    """What is damaged and what to do about it, a sentence each; empty if all is well.

    Args:
        setup: Settings and sources.
        every: Read all bytes of all that is kept, not only of what the next night reads.
    """
    from assets.versions.standing import look

    return look(setup.folder, every=every).sentences


def mend(setup: Setup) -> tuple[str, ...]:
    """Set right what can be before a night, and say what was damaged and what was done. The caller holds the data lock.

    Args:
        setup: Settings and sources.
    """
    from assets.versions.standing import mend_link

    said = damages(setup)
    done = mend_link(setup.folder)
    return (*said, *([done] if done else ()))
