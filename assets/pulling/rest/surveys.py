"""Surveys of an account, one after another: how all survey tools are pulled.

What lives here: the way through the list of surveys and then through the pages of each; what a vendor's answer is
turned into for it; the endpoint that goes this way. Not here: what is asked and how an answer is read (one file per
vendor), asking (pull.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from assets.pulling.rest.http import Request
from assets.pulling.rest.paging import Following, NotAPage, Params, Row
from assets.pulling.rest.vendor import Endpoint, Limit

# The key rows stand under in what an answer is turned into.
ROWS = "rows"
# Stands in no survey's id, and is written as it is in a query.
_PARTED = "."


def listed(surveys: Iterable[Any], following: str | None) -> Mapping[str, Any]:
    """A page of the list of surveys.

    Args:
        surveys: Their ids.
        following: Where the list goes on; None: it is the last page.

    Raises:
        NotAPage: An id is none.
    """
    found = list(surveys)
    if not all(isinstance(each, str) and each and _PARTED not in each for each in found):
        raise NotAPage("with a survey that has no id")
    return {ROWS: [], "surveys": found, "next": None if following is None else {"list": following}}


def of_a_survey(rows: Sequence[Row], following: Params | None) -> Mapping[str, Any]:
    """A page of what a survey holds.

    Args:
        rows: Rows of the contract.
        following: Where it goes on within the survey; None: it was all.
    """
    return {ROWS: rows, "next": following}


def not_ready() -> Mapping[str, Any]:
    """What a survey holds is still being made."""
    return {ROWS: [], "next": None, "is_ready": False}


def is_list(place: Params) -> bool:
    """Whether the list of surveys is asked for."""
    return "surveys" not in place or "list" in place


def survey_of(place: Params) -> str:
    """The survey that is asked for."""
    return place["surveys"].partition(_PARTED)[0]


class EachSurvey:
    """Pages of the list of surveys, and then of each survey.

    A place is `since`, the second the window begins with; in the list behind its first page `list`, the vendor's place
    in it, and `surveys`, those found before; behind the list `surveys`, those that are left, of which the first is
    asked, and the place within that, whose parameters the vendor names.
    """

    def following(self, answer: Mapping[str, Any], asked: Params, began: datetime | None) -> Following:
        """As `Paging.following`."""
        since, within = {"since": asked["since"]}, answer["next"]
        if not answer.get("is_ready", True):
            return Following(asked, end=False, is_ready=False)
        if is_list(asked):
            before = asked["surveys"].split(_PARTED) if asked.get("surveys") else []
            # A list that changes between its pages may name one twice.
            left = list(dict.fromkeys([*before, *answer["surveys"]]))
        else:
            left = asked["surveys"].split(_PARTED)[0 if within else 1 :]
        if not left and not within:
            return Following(None, end=True)
        return Following({**since, "surveys": _PARTED.join(left), **(within or {})}, end=False)

    def instead_of(self, asked: Params) -> Params | None:
        """As `Paging.instead_of`: the beginning of the survey; if it is gone itself, the list that names it no more."""
        if is_list(asked):
            return None
        begin = {"since": asked["since"], "surveys": asked["surveys"]}
        return begin if asked.keys() - begin.keys() else {"since": asked["since"]}


def each_survey(
    path: str,
    limit: Limit,
    *,
    overlap: timedelta,
    ordered_by: str,
    asks: Callable[[Params, Sequence[str]], Request],
    read: Callable[[bytes, Params], Mapping[str, Any]],
) -> Endpoint:
    """A stream that is asked for survey by survey; the arguments are those of `Endpoint`."""
    return Endpoint(
        path=path,
        data=ROWS,
        paging=EachSurvey(),
        begin="since",
        limit=limit,
        overlap=overlap,
        ordered_by=ordered_by,
        asks=asks,
        read=read,
    )
