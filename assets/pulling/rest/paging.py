"""What a page says of the next one, and how the last is told: pure functions over the answer.

What lives here: what a kind of next page is, and the kind that several vendors have, a token in the body. A kind that
one vendor has stands in its file, as another class with these methods. Not here: asking (http.py), rows (rows.py).

The law: a page holds its data and its end marker, or it is none. A strange answer is never the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Params = Mapping[str, str]
Row = Mapping[str, Any]


class NotAPage(Exception):  # noqa: N818 - what came, not whose mistake it is
    """An answer that is no page: its text says what is wrong with it, and repeats nothing of it."""


class NotMade(Exception):  # noqa: N818 - what the vendor says, not whose mistake it is
    """The vendor was to make something, says that it could not, and will not at this place: its text says what."""


@dataclass(frozen=True)
class Following:
    """What comes behind a page.

    Attributes:
        params: What the next page is asked with; behind the last page, what the next extract is asked with, if the
            vendor keeps such a place.
        end: It is the last page.
        requests: How many requests more the whole of it takes, if that is told.
        is_ready: False: what was asked for is still being made, so the answer is no page yet; the same is to be asked
            again after a while.
    """

    params: Params | None
    end: bool
    requests: int | None = None
    is_ready: bool = True


class Paging(Protocol):
    """A kind of next page."""

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """What comes behind an answer.

        Args:
            answer: The answer, parsed.
            asked: The place it was asked for.
            began: When the first page of the extract was answered, by the vendor's clock, if that is known.

        Raises:
            NotAPage: Its end marker is missing, or it is not the last and does not say what follows.
            NotMade: What was asked for is not made, and will not be at this place.
        """

    def instead_of(self, asked: Params) -> Params | None:
        """Where to go on without losing a row where the vendor forgot a place, or made nothing there; None: nowhere.

        Args:
            asked: The place, as a page before it named it.
        """


@dataclass(frozen=True)
class BodyToken:
    """A token in the body says where the next page begins, a flag in the body says whether there is one.

    Attributes:
        token: Where the token stands, as the keys on the way to it.
        asked_as: The parameter that takes it.
        marker: Where the flag stands.
        last_if: What the flag is on the last page.
        keeps: Parameters of the first page that the others are asked with, too.
        carries_on: The token of the last page is where the next extract begins.
    """

    token: tuple[str, ...]
    asked_as: str
    marker: tuple[str, ...]
    last_if: bool
    keeps: tuple[str, ...] = ()
    carries_on: bool = True

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`."""
        flag, token = _at(answer, self.marker), _at(answer, self.token)
        if not isinstance(flag, bool):
            raise NotAPage(f"without the end marker '{'.'.join(self.marker)}'")
        end = flag is self.last_if
        if token in (None, ""):
            if not end:
                raise NotAPage(f"that says more follows, but not where ('{'.'.join(self.token)}' is empty)")
            # Nothing came behind the place that was asked for: the next extract begins there again.
            return Following(asked if self.carries_on else None, end=True)
        if not isinstance(token, str | int) or isinstance(token, bool):
            raise NotAPage(f"whose '{'.'.join(self.token)}' is neither text nor a number")
        kept = {name: asked[name] for name in self.keeps if name in asked}
        params = {**kept, self.asked_as: str(token)}
        if end:
            return Following(params if self.carries_on else None, end=True)
        return Following(params, end=False)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: its tokens alone say where they lead."""
        return None


def time_of(said: Any) -> datetime:  # noqa: ANN401 - whatever stands there
    """A time as a row says it, with its offset.

    Raises:
        NotAPage: It is none.
    """
    try:
        at = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise NotAPage("with a record whose time of change is none")
    return at


def _at(answer: Mapping[str, Any], path: tuple[str, ...]) -> Any:  # noqa: ANN401 - whatever stands there
    value: Any = answer
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
