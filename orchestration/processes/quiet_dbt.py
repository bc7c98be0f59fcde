"""dbt without its debug messages, which a night throws away.

What lives here: keeping this process from making them. Not here: running dbt (dbt.py), reading what it says
(orchestration/dbt_assets.py).

dbt says a dozen things about every node, most of them for its debug log only, and fills a message in for each before it
looks whether anybody listens: a tenth of its time.
"""

from __future__ import annotations

from typing import Any

from dbt_common.events.base_types import BaseEvent, DebugLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager


class _Listener(EventManager):
    """Hands on what is above the debug level."""

    def fire_event(self, e: BaseEvent, *how: Any, **more: Any) -> None:  # noqa: ANN401 - passed on as it came
        if not isinstance(e, DebugLevel):
            super().fire_event(e, *how, **more)


def _stay_empty(self: DebugLevel, *_: object, **__: object) -> None:
    """In place of filling a message in."""


def make_no_debug_messages() -> None:
    """From here on, debug messages of dbt stay empty and reach nobody; call it before dbt runs."""
    ctx_set_event_manager(_Listener())
    DebugLevel.__init__ = _stay_empty  # type: ignore[assignment, method-assign]
