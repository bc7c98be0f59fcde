"""Rows that a company could deliver and nobody expects, for every contract: extremes, odd texts, knots of references.

What lives here: drawing them from a seed, as delivered text. Not here: what becomes of them
(test_accepted_means_it_builds.py).

Most rows are plain ones with one or two odd values, so that the gate lets them in and the models meet the value; each
odd value of each column is in some row of its own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from quality.contract.bounds import Bounds, kind_of
from quality.contract.model import Column, Contract

Row = dict[str, str | None]

# Ids that records and references share, so that they meet, name themselves, and go round in circles.
IDS = (
    "1",
    "2",
    "3",
    "4",
    "5",
    "-1",
    "007",
    "0031000000abcDEF",
    "0031000000ABCDEF",
    "id with blanks",
    "naïve‑id",
    "9" * 40,
)
TEXTS = (
    "",
    "   ",
    "null",
    "-1",
    "'\"`\\",
    "{{ batch }} %(x)s :name $1",
    "line\nbreak\ttab\r\n",
    "\x1f|\x1f",
    "🧨👩‍👩‍👧‍👦" * 50,
    "\u202e\u05d0\u05d1\u200f \u200b\ufeff",
    "ﬁ İ ß",
    "x" * 20_000,
    '"),("',
    "=HYPERLINK(1)",
    "ask ann@example.org",
    "call +49 30 1234567",
)
EMAILS = ("ann@example.org", "ANN@Example.ORG ", "no address", "a@b@c", "ü@exämple.de", "@", "x" * 300 + "@example.org")
PHONES = ("+49 30 1234567", "030/1234567", "0", "+" + "9" * 30, "ext. 5", "☎")
NUMBERS = ("0", "-0", "1", "-1", "0.005", "1e-9", "12.50")
# The clock in Berlin is moved: an hour that is missing, one that is there twice, and what lies around them.
CHANGES = (
    "2026-03-29T00:59:59Z",
    "2026-03-29T01:00:00Z",
    "2026-03-29 02:30:00",
    "2025-10-26T00:30:00Z",
    "2025-10-26T01:30:00.000001Z",
    "2024-02-29T23:30:00Z",
    "2025-12-31T22:59:59.999999Z",
    "2025-12-31T23:00:00Z",
)
FAR_OFF = ("0001-01-01", "1900-01-01T00:00:00Z", "9999-12-31T23:59:59", "1970-01-01T00:00:00Z", "2126-01-01T00:00:00Z")
DOCUMENTS = (
    "[]",
    "{}",
    "null",
    '"text"',
    "5",
    "true",
    "[[]]",
    "[null]",
    "[1e300]",
    '{"a": {"b": [1, "x", null]}}',
    "[" * 60 + "]" * 60,
    json.dumps(["x" * 1000] * 100),
    '["\\u0000", "\\ud83e\\udde8", "\\""]',
    "[1, 1]",
    '[0.1, "2", 9, -1]',
    '["topic_ann@example.org", {"ann@example.org": "+49 30 1234567"}]',
    '{"channel": "ann@example.org", "policy": {"title": "ann@example.org"}, "value": "+49 30 1234567"}',
)
# What an audit may hold, beside what nobody would expect in it.
EVENTS = (
    {"type": "Comment", "public": True, "body": "x"},
    {"type": "Comment", "public": False, "author_id": -1},
    {"type": "Comment", "public": None, "via": {"channel": "whatsapp"}},
    {"type": "Comment", "public": "true", "via": "text"},
    {"type": "Create", "field_name": "status", "value": "new"},
    {"type": "Change", "field_name": "status", "value": "solved", "previous_value": "open"},
    {"type": "Change", "field_name": "status", "value": "open", "previous_value": "solved"},
    {"type": "Change", "field_name": "status", "value": ["a", {"b": 1}], "previous_value": {}},
    {"type": "Change", "field_name": "group_id", "value": 5, "previous_value": None},
    {"type": "Change", "field_name": "assignee_id", "value": "1", "previous_value": "2"},
    {"type": "Change", "field_name": "priority", "value": "urgent", "previous_value": None},
    {"type": "Change", "field_name": "group_id", "value": "ann@example.org", "previous_value": "+49 30 1234567"},
    {"type": "Change", "field_name": "priority", "value": "ann@example.org", "previous_value": "normal"},
    {"type": "SatisfactionRating", "score": "good"},
    {"type": {"of": "no kind"}, "field_name": []},
    {"type": None},
    {},
)
SHAPED: Mapping[str, Sequence[str]] = {
    "events": [json.dumps([event]) for event in EVENTS]
    + [json.dumps(EVENTS), json.dumps([*EVENTS, *EVENTS])]
    + ['[{"type": "Comment", "public": "maybe"}]', '[{"type": "Comment"}, "x"]'],
    "via": ['{"channel": "api"}', '{"channel": {"x": 1}}', '{"channel": null}', '{"channel": ""}'],
    "sla": [
        '{"target": 480, "business_hours": true, "policy": {"title": "x"}}',
        '{"target": 1e9, "business_hours": "no", "policy": null}',
        '{"target": 0, "business_hours": null, "policy": {"title": ["x"]}}',
        '{"target": "soon"}',
        '{"target": -1}',
        '{"business_hours": 7}',
    ],
    "status": ['{"calendar": 1e9, "business": 0}', '{"calendar": null}', '{"calendar": "0.5"}', '{"business": []}'],
    "tags": ['["complaint", "topic_x"]', '["closed_by_merge", null, 5]', '[{"topic_": 1}]', '["topic_"]'],
    "custom_fields": ['[{"id": 1, "value": "5"}]', '[{"value": ["1", {"x": null}]}]', "[{}]", '[{"value": null}, 5]'],
    "group_ids": ["[3, 4]", "[]", '["3", null, {"x": 1}]', "[[3]]"],
    "stats": [
        '{"resolved_at": "2026-01-05T10:00:00Z", "closed_at": null, "first_responded_at": "2026-01-05T09:00:00Z"}',
        '{"resolved_at": "soon", "first_responded_at": 5}',
        "{}",
        '{"closed_at": {"x": 1}, "resolved_at": "9999-12-31T00:00:00Z"}',
    ],
    "dealstage_history": [
        '[{"value": "plain", "timestamp": "2026-01-05T10:00:00.000Z"}]',
        "[]",
        '[{"value": "plain", "timestamp": "2026-02-05T10:00:00Z"}, {"value": "x", "timestamp": "2026-01-05"}]',
        '[{"value": null, "timestamp": "soon"}, {"value": "plain"}, {}]',
        '[{"value": {"of": 1}, "timestamp": 5}]',
    ],
    "positive_values": ["[4, 5]", '["4", "5"]', "[1000000]", "[1e7]", '["yes"]'],
}


# What makes plain rows meet, so that they reach the figures: surveys and their questions, one currency.
PLAIN: Mapping[str, Sequence[str]] = {
    "currency": ("EUR",),
    "currencyisocode": ("EUR",),
    "survey_id": ("S1", "S2", "S3"),
    "recode_values": ('{"fine": 5}',),
    "surveyid": ("S1", "S2", "S3"),
    "question_id": ("QID1", "QID2", "csat"),
    "qid1": ("0", "6", "9", "10"),
    "qid2": ("5", "reason"),
    "score": ("0", "3", "6", "9", "10"),
    "scale_min": ("0", "1"),
    "scale_max": ("5", "10"),
    "metric": ("reply_time", "agent_work_time", "requester_wait_time", "nps"),
    "isdeleted": ("false",),
    "is_deleted": ("false",),
    "is_test": ("false",),
    "is_spam": ("false",),
}
CLOCK_EVENTS = ("activate", "pause", "fulfill", "apply_sla", "breach", "update_status")
# Few records are merged into others, or stand below them.
ABOVE = ("merged", "master", "parent", "problem")


class OddRows:
    """Draws rows of one contract, the same for the same seed.

    Args:
        contract: The contract.
        extract_date: Date of the extract they are delivered in.
        seed: Seed.
    """

    def __init__(self, contract: Contract, extract_date: date, seed: int) -> None:
        self._contract = contract
        self._date = extract_date
        self._random = random.Random(f"{seed}/{contract.system}/{contract.stream}/{extract_date}")  # noqa: S311
        self._number = 0

    def draw(self, mixed: int) -> list[Row]:
        """Draw rows: each odd value once, and `mixed` rows of several."""
        rows = [self._plain() for _ in range(4)] + [self._bare()]
        for name, column in self._contract.columns.items():
            rows += [{**self._plain(), name: odd} for odd in self._odd(name, column)]
        rows += [self._mixed() for _ in range(mixed)]
        plain = [self._plain() for _ in rows]
        return self._random.sample(rows + plain, len(rows) + len(plain))

    def _bare(self) -> Row:
        """Only what is required."""
        return {name: text if self._contract.columns[name].required else None for name, text in self._plain().items()}

    def _mixed(self) -> Row:
        row = self._plain()
        for name, column in self._contract.columns.items():
            if self._random.random() < 0.25:
                nothing = [] if column.on_failure == "block" else [None]
                row[name] = self._random.choice([*self._odd(name, column), *nothing])
        return row

    def _plain(self) -> Row:
        """A row nobody wonders at; few ids, so that records have versions and meet."""
        self._number += 1
        self._moment = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(minutes=self._random.randrange(60 * 24 * 290))
        return {name: self._plain_value(name, column) for name, column in self._contract.columns.items()}

    def _plain_value(self, name: str, column: Column) -> str | None:
        choices = self._plain_choices(name, column)
        is_left_out = not column.required and self._random.random() < 0.4
        return None if is_left_out or choices is None else self._random.choice(choices)

    def _plain_choices(self, name: str, column: Column) -> Sequence[str] | None:
        """What a plain row may hold; None: nothing."""
        known = PLAIN.get(name.casefold())
        if (self._contract.stream, name) == ("ticket_metric_events", "type"):
            known = CLOCK_EVENTS
        if name.casefold().startswith(ABOVE) and self._random.random() < 0.9:
            return None
        if kind_of(column.type) == "time":
            # One after the other, as contracts name them.
            self._moment += timedelta(minutes=self._random.choice((0, 0, 1, 90, 1500)))
            return [_spelled(column.type, self._moment)]
        if name in self._contract.key and known is None:
            return [str(self._number)] * 8 + ["1", "2", "3", "4"]
        return column.allowed or known or self._dull(name, column)

    def _dull(self, name: str, column: Column) -> Sequence[str]:
        if column.contact_point == "email":
            return [f"person{self._random.randrange(2000)}@example.org"]
        if column.contact_point == "phone":
            return [f"+4930{self._random.randrange(1_000_000, 1_002_000)}"]
        if column.type == "json":
            return SHAPED[name][:3] if name in SHAPED else ["{}"]
        if column.type in ("text", "id") and column.pii == "indirect":
            return [*IDS[:5], *(str(self._random.randrange(300)) for _ in range(5))]
        plain = {"bigint": "3", "double": "4", "decimal": "12.50", "boolean": "true", "currency": "EUR"}
        return [plain.get(column.type, "plain")]

    def _odd(self, name: str, column: Column) -> Iterator[str]:
        if column.on_failure == "block":
            # What blocks is no row's fault, and none of this property's.
            yield from column.allowed or ()
            return
        if column.allowed:
            yield from (*column.allowed, "another")
        bounds = self._contract.bounds(name)
        if kind_of(column.type) == "time":
            yield from self._times(column, bounds)
        elif kind_of(column.type) == "number":
            yield from NUMBERS
            yield from self._ends(bounds)
        elif column.type == "json":
            yield from (*SHAPED.get(name, ()), *DOCUMENTS)
        elif column.type == "boolean":
            yield from ("0", "YES", "no", "maybe")
        elif column.contact_point:
            yield from EMAILS if column.contact_point == "email" else PHONES
        else:
            yield from (*TEXTS, *(IDS if column.pii == "indirect" else ()), "5", "10", "1e300", "inf", "nan")

    def _times(self, column: Column, bounds: Bounds | None) -> Iterator[str]:
        if column.type == "timestamp":
            yield from (*CHANGES, *FAR_OFF)
        else:
            moments = [datetime.fromisoformat(text) for text in (*CHANGES, *FAR_OFF)]
            yield from (_spelled(column.type, moment) for moment in moments)
        if bounds is not None and isinstance(bounds.first, date):
            last = bounds.last if isinstance(bounds.last, date) else self._date + timedelta(days=bounds.days_ahead)
            for day in (bounds.first, last, self._date, self._date + timedelta(days=1)):
                yield _spelled(column.type, datetime(day.year, day.month, day.day, tzinfo=UTC))

    @staticmethod
    def _ends(bounds: Bounds | None) -> Iterator[str]:
        if bounds is None:
            yield from (str(2**63 - 1), str(-(2**63)))
        elif isinstance(bounds.first, float) and isinstance(bounds.last, float):
            for end in (bounds.first, bounds.last):
                yield from (f"{end:.0f}", f"{end * 2:.0f}")


def _spelled(column_type: str, moment: datetime) -> str:
    match column_type:
        case "date":
            return moment.date().isoformat()
        case "epoch_s" | "epoch_ms":
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return str(int(moment.timestamp()) * (1000 if column_type == "epoch_ms" else 1))
        case _:
            return moment.isoformat()
