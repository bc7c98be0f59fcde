"""What is told to whom: the causes that are open, the messages that wait, and what one look makes of both.

What lives here: `decide`, which is pure, and the record's form on disk. Not here: what is wrong (causes.py), sending
(send.py), who holds the record meanwhile (watch.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestration.alerts.causes import Cause, causes, has_ended
from orchestration.alerts.facts import Facts, Promise
from orchestration.alerts.words import Message, alert, recovery
from storage.errors import JourneymartError
from storage.files import whole_file

# How long a message that cannot be sent is worth sending.
WORTH_SENDING = timedelta(days=7)


@dataclass(frozen=True)
class Waiting:
    """A message that was not sent yet, and the name of the variable that holds its address."""

    to: str
    message: Message


@dataclass(frozen=True)
class Record:
    """What was told.

    Attributes:
        open: Causes that were told and have not ended.
        waiting: What is to be sent, oldest first.
        figures_of: The version whose figures were looked at last.
    """

    open: tuple[Cause, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    figures_of: str = ""


def decide(before: Record, facts: Facts, promise: Promise) -> Record:
    """What is to be told after one look: a new cause once, its end once, a message of each kind for all of them.

    Args:
        before: The record of the look before.
        facts: What is true now.
        promise: What should be, and who is told.

    Returns:
        The record after it; what is new waits at the end of `waiting`.
    """
    alerts = promise.alerts
    now = {cause.name: cause for cause in causes(facts, promise)}
    known = [cause for cause in before.open if cause.kind in alerts.kinds]
    ended = [cause for cause in known if cause.name not in now and has_ended(cause, facts)]
    names = {cause.name for cause in known}
    new = [cause for name, cause in now.items() if name not in names]
    messages = [
        alert(kind, [cause for cause in new if cause.kind == kind], facts, promise.company)
        for kind in dict.fromkeys(cause.kind for cause in new)
    ]
    if ended and "recovery" in alerts.kinds:
        messages.append(recovery(ended, facts, promise.company))
    kept = [each for each in before.waiting if each.to in alerts.to and facts.now - each.message.at < WORTH_SENDING]
    return Record(
        open=(*(cause for cause in known if cause not in ended), *new),
        waiting=(*kept, *(Waiting(to, message) for message in messages for to in dict.fromkeys(alerts.to))),
        figures_of=before.figures_of if facts.worse is None or facts.seen is None else facts.seen.version,
    )


def without(record: Record, sent: set[Waiting]) -> Record:
    """The record once some messages are sent."""
    return replace(record, waiting=tuple(each for each in record.waiting if each not in sent))


def read_record(path: Path) -> Record:
    """Read the record; a new one where there is none.

    Raises:
        JourneymartError: It is not readable.
    """
    try:
        return _record(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JourneymartError(
            f"{path} does not say what was told ({type(error).__name__}): remove it, and what is wrong is told again."
        ) from error


def write_record(path: Path, record: Record) -> None:
    """Write the record in one step; it is on the disk when this returns."""
    with whole_file(path) as new:
        new.write_text(json.dumps(asdict(record), indent=1, default=datetime.isoformat) + "\n", encoding="utf-8")


def _record(said: Mapping[str, Any]) -> Record:
    return Record(
        open=tuple(Cause(**{**each, "since": datetime.fromisoformat(each["since"])}) for each in said["open"]),
        waiting=tuple(
            Waiting(each["to"], Message(**{**each["message"], "at": datetime.fromisoformat(each["message"]["at"])}))
            for each in said["waiting"]
        ),
        figures_of=said["figures_of"],
    )
