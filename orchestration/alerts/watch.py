"""Looks after the nights: one look, and what follows from it is told. The edge: locks, files, the network.

Not here: what is wrong and who is told (causes.py, record.py), reading facts (look.py), sending (send.py).

Whatever goes wrong here changes nothing about the night: it is said in the log and tried again at the next look.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.alerts.facts import Promise
from orchestration.alerts.record import Record, Waiting, decide, read_record, without, write_record
from storage.errors import JourneymartError
from storage.locks import in_turn

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from orchestration.config.setup import Setup

_log = logging.getLogger(__name__)


def watch(setup: Setup, instance: DagsterInstance, job: str, *, asked: datetime | None = None) -> str:
    """Look once, and tell what is new and what waits.

    Args:
        setup: Settings and sources.
        instance: Dagster's instance, which keeps the run history.
        job: Name of the job that is a night.
        asked: When a night was asked for that came to no good end; None: none was.

    Returns:
        What was done, in one sentence.
    """
    if setup.sources.alerts is None:
        return "The company file names nobody to tell."
    try:
        return _watch(setup, instance, job, asked=asked)
    except Exception as error:  # noqa: BLE001 - the night is over and stands; only nobody was told
        # Words of others may quote rows.
        why = f"what follows: {error}" if isinstance(error, JourneymartError) else type(error).__name__
        said = f"Nobody was told of anything, because of {why}; the next look tries again."
        _log.warning("%s", said)
        return said


def record_file(setup: Setup) -> Path:
    """Where it is kept what was told."""
    return setup.settings.state / "alerts.json"


def promise_of(setup: Setup) -> Promise | None:
    """What the company file promises and who is told; None: nobody."""
    sources = setup.sources
    if sources.alerts is None:
        return None
    return Promise(sources.company, sources.first_date, sources.nights, sources.alerts)


def _watch(setup: Setup, instance: DagsterInstance, job: str, *, asked: datetime | None) -> str:
    from orchestration.alerts.look import look

    promise = promise_of(setup)
    if promise is None:
        return ""
    path = record_file(setup)
    # The schedule and a command may look at once.
    with in_turn(path.with_name(f".{path.name}.lock")):
        before = read_record(path)
        facts = look(setup, instance, job, figures_of=before.figures_of, asked=asked)
        after = decide(before, facts, promise)
        for given_up in set(before.waiting) - set(after.waiting):
            _log.warning("The message to %s of %s was never sent and is given up.", given_up.to, given_up.message.at)
        if after != before:
            # Written first: a kill in between sends a message twice rather than never.
            write_record(path, after)
        sent = _send_all(after)
        if sent:
            write_record(path, without(after, sent))
    waits = len(after.waiting) - len(sent)
    return f"{len(after.open)} causes are open; {len(sent)} messages were sent, {waits} wait."


def _send_all(record: Record) -> set[Waiting]:
    """Send what waits, in order; an address that does not take one is left alone until the next look."""
    if not record.waiting:
        return set()
    from orchestration.alerts.send import send

    sent, deaf = set(), set[str]()
    for each in record.waiting:
        if each.to in deaf:
            continue
        why_not = send(each.to, each.message)
        if why_not is None:
            sent.add(each)
        else:
            deaf.add(each.to)
            _log.warning("A message to %s was not sent, because %s; the next look tries again.", each.to, why_not)
    return sent
