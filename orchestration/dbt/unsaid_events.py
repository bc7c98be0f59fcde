"""dbt's events that nobody reads are never made.

What lives here: leaving them out. Not here: which are read, and printing them (orchestration/processes/dbt.py).

dbt makes a protobuf message of all it could say, twice, before it looks at its level: a tenth of its own time in a
night, for messages of debugging that are thrown away. Leans on the inside of dbt-common, which the lock pins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestration.dbt.replaced import replaced

if TYPE_CHECKING:
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

_ARGUMENTS = "_arguments"

Fire = Callable[..., None]
Init = Callable[..., None]


@contextmanager
def unsaid(levels: Collection[str]) -> Iterator[None]:
    """Within this block events of some levels go nowhere, and no event is made before somebody reads it.

    Args:
        levels: By their names at dbt, such as `debug`.
    """
    from dbt_common.events.base_types import BaseEvent
    from dbt_common.events.event_manager import EventManager

    init, fire = BaseEvent.__init__, EventManager.fire_event
    message = cached_property(_made_by(init))
    message.__set_name__(BaseEvent, "pb_msg")
    with (
        replaced(BaseEvent, "__init__", _keep_arguments),
        replaced(BaseEvent, "pb_msg", message),
        replaced(EventManager, "fire_event", _firing(fire, levels)),
    ):
        yield


def _keep_arguments(self: BaseEvent, *args: object, **kwargs: object) -> None:
    # Its own way of setting an attribute would ask for the message.
    vars(self)[_ARGUMENTS] = (args, kwargs)


def _made_by(init: Init) -> Callable[[BaseEvent], Any]:
    """The message of an event, as its constructor would have made it."""

    def make(event: BaseEvent) -> Any:  # noqa: ANN401 - one of some hundred classes made by protobuf
        args, kwargs = vars(event)[_ARGUMENTS]
        init(event, *args, **kwargs)
        return vars(event)["pb_msg"]

    return make


def _firing(fire: Fire, levels: Collection[str]) -> Fire:
    """`EventManager.fire_event` that passes on what is to be said, or may be an error."""

    def fire_event(
        self: EventManager,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: object = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        if force_warn_or_error_handling or (level or e.level_tag()).value not in levels:
            fire(self, e, level, node, force_warn_or_error_handling)

    return fire_event
