"""Row by row: each delivered record is accepted, quarantined with every reason, or rejected; none is lost.

A second judge, written in plain Python from the contract's words, has to agree with the gate on every row.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality.contract.model import DUCKDB_TYPES, Contract, Freshness, QuarantineBudget, Rule
from quality.gate.accepted import accepted_batches
from quality.rows.work import ADDED_COLUMNS
from tests.gate_kit import DAY, Landing, Row, column, contract, metadata, outcome

VERSION = f"{DAY}T10:00:00Z"
NO_TIMESTAMP = "not a timestamp (a day and a time of day, such as 2026-12-31 14:05:00)"
TICKETS = contract(
    {
        "status": column("text", required=True, allowed=("open", "it's {solved}"), on_failure="warn"),
        "Share (in %)": column("double", min=0, max=100),
        "amount": column("decimal", required=True, min=0),
        "is_complaint": column("boolean"),
        "due_on": column("date"),
        "ends_at": column("timestamp"),
        "tags": column("json"),
        "channel": column("text", allowed=("email", "phone")),
    },
    rules=[
        Rule(
            name="ends_after_change",
            description="Nothing ends before its last change.",
            sql="ends_at >= updated_at",
            on_failure="quarantine",
        ),
        # Braces, colons and percent signs mean something to the tools in between; here they mean themselves.
        Rule(
            name="no_template",
            description="No template was left in.",
            sql="coalesce(channel, '') <> '{batch} :channel %(x)s' and not (status = 'x' and 1 = 2)",
            on_failure="quarantine",
        ),
        Rule(
            name="complaint_is_due",
            description="A complaint has a date.",
            sql="not is_complaint or due_on is not null",
            on_failure="warn",
        ),
    ],
    quarantine=QuarantineBudget(max_share=1.0),
)

TEXTS: Mapping[str, list[str | None]] = {
    "id": ["1", "2", "2", "", "  ", None],
    "status": ["open", "it's {solved}", "closed", "", None],
    "Share (in %)": ["0", "99.5", "100", "100.01", "-1", "nan", "1e999", "half", "", None],
    "amount": ["12.50", "0", "1e3", "-0.01", "12,50", "1_000", "", None],
    "is_complaint": ["true", "No", "1", "maybe", "", None],
    "due_on": ["2026-03-10", "2026-02-30", "10.03.2026", "", None],
    "ends_at": [VERSION, "2026-03-10T09:00:00+0000", "2026-03-11 10:00:00", "2026-03-10T23:59:60Z", "", None],
    "tags": ["[]", '["a"]', "[", "null", "", None],
    "channel": ["email", "fax", "{batch} :channel %(x)s", "", None],
    "updated_at": [
        VERSION,
        "2026-03-10 10:00:00.000+00",
        "2026-03-12T00:00:00Z",
        "2026-03-12T00:00:01Z",
        "1999-12-31T23:59:59Z",
        "2026-03-10",
        "",
        None,
    ],
}
ROWS = st.lists(st.tuples(*(st.sampled_from(texts) for texts in TEXTS.values())), max_size=30)


def faults(row: Mapping[str, str | None]) -> tuple[set[str], set[str]]:
    """What quarantines a row, and what only warns. Written from the contract's words."""
    bad: set[str] = set()
    warned: set[str] = set()
    values: dict[str, Any] = {}
    for name, asked in TICKETS.columns.items():
        text = row[name]
        blank = text is None or not text.strip() or (asked.type == "json" and text == "null") or text == "nan"
        if blank:
            values[name] = None
            if asked.required:
                bad.add(f"{name}: missing")
            continue
        values[name] = typed(asked.type, text or "")
        if values[name] is None:
            bad.add(f"{name}: {NO_TIMESTAMP if asked.type == 'timestamp' else f'not a {asked.type}'}")
    share, amount, version = values["Share (in %)"], values["amount"], values["updated_at"]
    if share is not None and not 0 <= share <= 100:
        bad.add("Share (in %): not between 0 and 100")
    if amount is not None and amount < 0:
        bad.add("amount: below 0")
    if values["channel"] is not None and values["channel"] not in ("email", "phone"):
        bad.add("channel: not allowed")
    if values["channel"] == "{batch} :channel %(x)s":
        bad.add("no_template: No template was left in.")
    latest = datetime(2026, 3, 12, tzinfo=UTC)
    if version is not None and not datetime(2000, 1, 1, tzinfo=UTC) <= version <= latest:
        bad.add("updated_at: not between 2000-01-01 and 2 days after the extract date")
        version = None
    if version is not None and values["ends_at"] is not None and values["ends_at"] < version:
        bad.add("ends_after_change: Nothing ends before its last change.")
    if values["status"] is not None and values["status"] not in ("open", "it's {solved}"):
        warned.add("status.allowed")
    if values["is_complaint"] and values["due_on"] is None:
        warned.add("rule.complaint_is_due")
    return bad, warned


def typed(kind: str, text: str) -> object:  # noqa: PLR0911 -- one per type
    """One value, or None if it is none; only for the texts above."""
    if kind == "double":
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None
    if kind == "decimal":
        return Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?(e\d)?", text) else None
    if kind == "boolean":
        return {"true": True, "no": False, "1": True}.get(text.lower())
    if kind in ("date", "timestamp"):
        try:
            read = date.fromisoformat(text) if kind == "date" else datetime.fromisoformat(text)
        except ValueError:
            return None
        if isinstance(read, datetime):
            return None if len(text) == 10 else read if read.tzinfo else read.replace(tzinfo=UTC)
        return read
    if kind == "json":
        return text if text.endswith("]") else None
    return text


@given(rows=ROWS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_judges_agree_on_every_row(tmp_path: Path, rows: list[Row]) -> None:
    # As many sound rows again: an extract of which most rows are at fault is blocked.
    # Their amounts and days say in which format numbers and dates are, so another one is the fault of its row.
    rows = rows + [["8", "open", None, "1.50", None, "2026-03-01", None, None, None, VERSION]] * len(rows)
    landing = Landing(tmp_path, TICKETS)
    shutil.rmtree(landing.folder.root, ignore_errors=True)
    landing.land(rows)
    (verdict,) = landing.judge(landing.extract())
    assert verdict.passed, verdict
    names = list(TICKETS.columns)
    judged = {number: faults(dict(zip(names, row, strict=True))) for number, row in enumerate(rows, 1)}
    accepted, quarantined = landing.accepted(), landing.quarantined()
    assert verdict.rows == len(rows) == len(accepted) + len(quarantined)
    assert (verdict.accepted_rows, verdict.quarantined_rows) == (len(accepted), len(quarantined))
    assert {row["_row"]: set(row["reasons"]) for row in quarantined} == {
        number: bad for number, (bad, _) in judged.items() if bad
    }
    assert [row["_row"] for row in accepted] == [number for number, (bad, _) in judged.items() if not bad]
    for name in ("status.allowed", "rule.complaint_is_due"):
        expected = sum(name in warned for _, warned in judged.values())
        assert metadata(verdict, "warnings").get(name, 0) == expected


def test_a_row_keeps_every_reason_its_place_and_its_text(tmp_path: Path) -> None:
    landing = Landing(tmp_path, TICKETS)
    bad: Row = ["7", None, "half", "-1", "maybe", "never", "later", "[", "fax", "yesterday"]
    good: Row = ["8", "open", None, "1", None, None, None, None, None, VERSION]
    landing.land([good, bad])
    landing.judge(landing.extract())
    (row,) = landing.quarantined()
    assert (row["_file"], row["_row"]) == (f"tickets_{DAY}.csv", 2)
    assert row["reasons"] == [
        "status: missing",
        "Share (in %): not a double",
        "amount: below 0",
        "is_complaint: not a boolean",
        "due_on: not a date",
        f"ends_at: {NO_TIMESTAMP}",
        "tags: not a json",
        "channel: not allowed",
        f"updated_at: {NO_TIMESTAMP}",
    ]
    assert row["rules"][0] == "status.missing"
    assert '"Share (in %)":"half"' in row["raw"]


def test_accepted_rows_have_the_columns_and_types_of_the_contract(tmp_path: Path) -> None:
    landing = Landing(tmp_path, TICKETS)
    landing.land([["8", "open", "1", "1.0051", "yes", "2026-03-01", VERSION, "{}", "email", VERSION]])
    landing.judge(landing.extract())
    file = landing.folder.accepted_partition(landing.extract().stream, DAY) / "rows.parquet"
    described = duckdb.sql(f"describe from '{file}'").fetchall()
    wanted = {name: DUCKDB_TYPES[each.type] for name, each in TICKETS.columns.items()} | dict(ADDED_COLUMNS)
    held = {name: kind.lower().replace("timestamp with time zone", "timestamptz") for name, kind, *_ in described}
    assert list(held.items()) == list(wanted.items())
    (row,) = landing.accepted()
    assert row["amount"] == Decimal("1.01")
    assert row["_source"] == "helpdesk"
    assert row["_extract_date"] == DAY
    assert row["_op"] == "upsert"
    assert row["_version_at"] == row["updated_at"] == datetime(2026, 3, 10, 10, tzinfo=UTC)


def test_unknown_columns_are_kept_and_absent_ones_are_null_and_both_are_said(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract({"note": column("text"), "score": column("bigint")}))
    landing.land([["1", "gold", VERSION, None]], columns=["id", "Tier", "updated_at", "ID"])
    (verdict,) = landing.judge(landing.extract())
    assert verdict.passed
    (row,) = landing.accepted()
    assert row["_extra"] == '{"Tier":"gold","ID":null}'
    assert (row["id"], row["note"], row["score"]) == ("1", None, None)
    assert metadata(verdict, "warnings") == {"unknown columns": 2, "absent columns": "note, score"}


def test_columns_an_extract_need_not_have_are_told_and_warn_nobody(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract({"note": column("text"), "score": column("bigint")}))
    landing.land([["1", "2", VERSION]], columns=["id", "score", "updated_at"])
    (verdict,) = landing.judge(landing.extract())
    assert (outcome(verdict, "warnings"), metadata(verdict, "warnings")) == ("pass", {"absent columns": "note"})


def test_the_same_extract_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [[str(n), f"note {n % 97}", VERSION] for n in range(150_000)]
    ids = set()
    for attempt in range(2):
        landing = Landing(tmp_path / str(attempt), contract({"note": column("text")}))
        landing.land(rows)
        (verdict,) = landing.judge(landing.extract())
        ids.add(verdict.batch_id)
    assert len(ids) == 1
    file = landing.extract().rows_file
    pq.write_table(pq.read_table(file).sort_by([("_row", "descending")]), file)
    (again,) = landing.judge(landing.extract())
    assert again.batch_id in ids


def test_extracts_without_rows_are_batches_of_their_own(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract())
    days = [DAY - timedelta(days=1), DAY]
    for day in days:
        landing.land([], day)
    verdicts = landing.judge(*map(landing.extract, days))
    assert len({verdict.batch_id for verdict in verdicts}) == 2
    assert [batch.rows for batch in accepted_batches(landing.folder)] == [0, 0]


def test_a_batch_says_what_it_was_made_from(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract())
    landing.land(
        [["1", VERSION], ["3", VERSION], ["2", "?"]], rejects=[("a,b", "ragged")], sha256="of the landed content"
    )
    (verdict,) = landing.judge(landing.extract())
    (batch,) = accepted_batches(landing.folder)
    assert batch.batch_id == verdict.batch_id
    assert (batch.rows, batch.quarantined, batch.landing_sha256) == (2, 2, "of the landed content")
    assert batch.contract_fingerprint == landing.extract().judged_by
    assert batch.stream_id == verdict.stream


def test_versions_and_repeats_of_a_record_pass_in_an_increment(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract({"note": column("text")}))
    landing.land([["1", "a", VERSION], ["1", "b", VERSION], ["1", "b", VERSION]])
    (verdict,) = landing.judge(landing.extract())
    assert verdict.accepted_rows == 3


def dump(tmp_path: Path, asked: Contract | None = None) -> Landing:
    return Landing(tmp_path, asked or contract({"note": column("text")}), mode="full")


def test_a_dump_that_contradicts_itself_is_believed_where_it_is_newest(tmp_path: Path) -> None:
    landing = dump(tmp_path)
    newer = f"{DAY}T11:00:00Z"
    landing.land(
        [
            ["1", "newest", newer],
            ["1", "older", VERSION],
            ["2", "first of equals", VERSION],
            ["2", "last of equals", VERSION],
            ["3", "exact repeat", VERSION],
            ["3", "exact repeat", VERSION],
            ["4", "no version", "?"],
            ["4", "a version", VERSION],
        ]
    )
    (verdict,) = landing.judge(landing.extract())
    assert verdict.passed
    assert [row["note"] for row in landing.accepted()] == [
        "newest",
        "last of equals",
        "exact repeat",
        "exact repeat",
        "a version",
    ]
    assert {row["_row"]: row["rules"] for row in landing.quarantined()} == {
        2: ["key.repeated"],
        3: ["key.repeated"],
        7: ["updated_at.type", "key.repeated"],
    }


def test_a_dump_is_as_of_its_night_and_deletions_need_only_a_key(tmp_path: Path) -> None:
    landing = dump(tmp_path)
    landing.land(
        [["1", "same as before", VERSION], ["2", "changed", VERSION]],
        changes=[("upsert", 2, ["2", "changed", VERSION]), ("delete", None, ["3", None, None])],
    )
    (verdict,) = landing.judge(landing.extract())
    assert verdict.passed
    assert [(row["id"], row["_op"], row["_row"]) for row in landing.accepted()] == [
        ("2", "upsert", 2),
        ("3", "delete", None),
    ]
    end_of_day = datetime(2026, 3, 11, tzinfo=UTC)
    assert {row["_version_at"] for row in landing.accepted()} == {end_of_day}


def test_a_deletion_without_a_key_is_quarantined_with_what_it_has(tmp_path: Path) -> None:
    two_keys = contract({"line": column("bigint", required=True)}, key=("id", "line"))
    landing = dump(tmp_path, two_keys)
    changes = [("delete", None, ["3", "one", None]), ("delete", None, ["3", "1", None])]
    landing.land([["1", "1", VERSION]], changes=changes)
    (verdict,) = landing.judge(landing.extract())
    assert (verdict.accepted_rows, verdict.quarantined_rows) == (1, 1)
    (row,) = landing.quarantined()
    assert (row["_file"], row["raw"], row["reasons"]) == (
        None,
        '{"id":"3","line":"one"}',
        ["line: not a bigint"],
    )


def test_a_dump_in_which_nothing_changed_passes(tmp_path: Path) -> None:
    landing = dump(tmp_path)
    landing.land([["1", "same", VERSION]], changes=[])
    (verdict,) = landing.judge(landing.extract())
    assert verdict.passed
    assert verdict.accepted_rows == 0


@pytest.mark.parametrize(("newest", "passed"), [(VERSION, True), ("2026-03-08T10:00:00Z", False)])
def test_a_dump_is_as_fresh_as_all_of_it_not_as_what_changed(tmp_path: Path, newest: str, passed: bool) -> None:
    asked = contract({"note": column("text")}, freshness=Freshness(column="updated_at", max_age_days=2))
    landing = dump(tmp_path, asked)
    old: Row = ["2", "corrected", "2026-01-01T10:00:00Z"]
    landing.land([["1", "unchanged", newest], old], changes=[("upsert", 2, old)])
    (verdict,) = landing.judge(landing.extract())
    assert verdict.passed == passed
    assert verdict.blocked_by == (() if passed else ("freshness",))


def test_times_without_an_offset_are_in_the_zone_of_the_source(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract(), timezone="America/New_York")
    landing.land([["1", f"{DAY} 10:00:00"]])
    landing.judge(landing.extract())
    assert landing.accepted()[0]["updated_at"] == datetime(2026, 3, 10, 14, tzinfo=UTC)


def test_no_value_of_a_row_reaches_metadata_ledger_or_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    from quality.gate.ledger import Ledger

    secrets = ["ann@example.org", "Ann Otter", "+44 20 7946 0000"]
    asked = contract(
        {
            "email": column("text", pii="direct", allowed=("none@example.org",)),
            "name": column("bigint", pii="direct"),
            "phone": column("text", pii="direct"),
        },
        rules=[
            Rule(name="sees", description="Sees.", sql="phone::bigint > 0", on_failure="warn"),
            Rule(name="blocks", description="Blocks.", sql="email is null", on_failure="block"),
        ],
    )
    for number, rules in enumerate((asked.rules, asked.rules[1:])):
        landing = Landing(tmp_path / str(number), asked.model_copy(update={"rules": rules}))
        landing.land([["1", *secrets, VERSION]] * 9, rejects=[(",".join(secrets), "ragged")], day=DAY)
        landing.land(
            [[*secrets, VERSION]],
            columns=["ann@example.org", "Ann Otter", "phone", "id"],
            day=DAY + timedelta(1),
        )
        ledger = Ledger(landing.folder.ledger("run"))
        with caplog.at_level("DEBUG"):
            landing.judge(landing.extract(), landing.extract(DAY + timedelta(1)), ledger=ledger)
        verdicts = [path.read_text() for path in landing.folder.quarantine.rglob("verdict.json")]
        assert len(verdicts) == 2
        told = "".join([*verdicts, ledger.path.read_text(), caplog.text, *capfd.readouterr()])
        assert not [secret for secret in secrets if secret in told]
