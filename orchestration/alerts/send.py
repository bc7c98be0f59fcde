"""Sends one message to one address, through apprise. Not here: what is sent, and when (watch.py).

An address is a secret: it stands in the environment, and neither it nor what apprise says of it reaches a log.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.alerts.words import Message

# Seconds after which an address that does not answer is left alone until the next look.
_PATIENCE = 20
# Those who write addresses, or parts of them, into their own logs.
_TALKATIVE = ("apprise", "urllib3", "urllib3.connectionpool", "urllib3.util.retry")
_STATUS = re.compile(r"error=(\d{3})\b")


def send(variable: str, message: Message) -> str | None:
    """Send a message.

    Args:
        variable: Name of the environment variable that holds the address.
        message: What to send.

    Returns:
        None: it was taken. Else why not, in words that give nothing of the address away.
    """
    if wrong := what_is_wrong(variable):
        return wrong
    with _kept_quiet():
        import apprise

        recipient = apprise.Apprise()
        recipient.add(_address(variable))
        kind = apprise.NotifyType.SUCCESS if message.kind == "recovery" else apprise.NotifyType.WARNING
        result = recipient.notify(
            title=message.title,
            body=message.body,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
            timeout=_PATIENCE,
        )
        # It is no bool: only its truth says whether everything arrived.
        if result:
            return None
        said = " ".join(entry.message for entry in result.logs())
    status = _STATUS.search(said)
    return f"it answered {status[1]}" if status else "nobody took it"


def what_is_wrong(variable: str) -> str | None:
    """Why nothing can be sent to an address, without trying; None: it can be read."""
    if not _address(variable):
        return "the environment does not set it"
    with _kept_quiet():
        import apprise

        return None if apprise.Apprise().add(_address(variable)) else "apprise cannot read the address it holds"


def _address(variable: str) -> str:
    return os.environ.get(variable, "").strip()


@contextmanager
def _kept_quiet() -> Iterator[None]:
    """Keep loggers that would write the address from writing anything; apprise still collects what it says."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [(logger.propagate, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.propagate, logger.handlers = False, [logging.NullHandler()]
    try:
        yield
    finally:
        for logger, (propagate, handlers) in zip(loggers, before, strict=True):
            logger.propagate, logger.handlers = propagate, handlers
