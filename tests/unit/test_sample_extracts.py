"""The sample company's extracts: whole, reproducible, and as the contracts ask but for planted dirt."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality.contract.model import DUCKDB_TYPES, Column, Contract, load_contract
from sample_company import Company, write_extracts, write_next_day, written_through
from sample_company.export import PARAMETERS
from storage.errors import JourneymartError

COMPANY = Company(seed=7, customers=400)
FIRST, LAST = date(2026, 6, 27), date(2026, 7, 1)
SMALL = Company(seed=3, customers=30, start=date(2026, 3, 1))
SYSTEMS = {"salesforce": "salesforce", "zendesk": "zendesk", "qualtrics": "qualtrics", "shop": "canonical"}
STREAMS = {
    "salesforce": ("account", "contact", "opportunity", "opportunity_history", "case"),
    "zendesk": (
        "tickets",
        "ticket_audits",
        "ticket_metric_events",
        "users",
        "organizations",
        "satisfaction_ratings",
    ),
    "qualtrics": ("survey_definitions", "responses", "distributions"),
    "shop": ("order", "activity", "agent"),
}
ALL = [(source, stream) for source, streams in STREAMS.items() for stream in streams]


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five nights of the sample company, in a path with a space."""
    folder = tmp_path_factory.mktemp("sample") / "drop folder"
    write_extracts(COMPANY, folder, FIRST, LAST)
    return folder


def extracts(drop: Path, source: str, stream: str) -> dict[str, Path]:
    """Files of a stream by date; `history` for the first."""
    dates = ["history"] + [(FIRST + timedelta(days=n)).isoformat() for n in range(1, (LAST - FIRST).days + 1)]
    found = {when: list((drop / source).glob(f"{stream}_{when}.*[!n]")) for when in dates}
    assert all(len(paths) == 1 for paths in found.values()), found
    return {when: paths[0] for when, paths in found.items()}


def as_text(path: Path) -> pd.DataFrame:
    """An extract with every value as text, read without DuckDB's or Arrow's readers where it is text."""
    if path.suffix == ".parquet":
        return duckdb.sql(f"select columns(*)::varchar from '{path}'").df()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        if ".csv" in path.name:
            rows = list(csv.reader(io.StringIO(text.read(), newline="")))
            header, records = rows[0], rows[3 if path.name.startswith("responses") else 1 :]
            return pd.DataFrame([[value or None for value in row] for row in records], columns=header, dtype=object)
        lines = [json.loads(line) for line in text]
    frame = pd.DataFrame(lines, dtype=object)
    as_json = frame.map(lambda value: value if value is None or isinstance(value, str) else json.dumps(value))
    return as_json.astype(object)


def is_bad(name: str, column: Column, extract_date: date) -> str:
    """SQL that is true where a value breaks its contract."""
    text = f'"{name}"'
    kind = DUCKDB_TYPES[column.type]
    typed = f"to_timestamp(try_cast({text} as bigint))" if column.type == "epoch_s" else f"try_cast({text} as {kind})"
    faults = [f"({text} is not null and {typed} is null)"]
    faults += [f"{text} is null"] if column.required else []
    if kind == "timestamptz" and column.holds is None:
        # What has happened cannot lie ahead; clocks and zones may run so.
        faults += [f"{typed} > date '{extract_date}' + 2"]
    faults += [f"not regexp_full_match({text}, '[A-Z]{{3}}')"] if column.type == "currency" else []
    if column.on_failure != "warn":
        faults += [f"{text} not in {column.allowed}"] if column.allowed else []
        faults += [f"{typed} < {column.min}"] if column.min is not None else []
        faults += [f"{typed} > {column.max}"] if column.max is not None else []
    return f"coalesce({' or '.join(faults)}, false)"


def bad_rows(contract: Contract, rows: pd.DataFrame, extract_date: date) -> int:
    """Rows that break the contract, judged by plain SQL of this test's own."""
    frame = rows.reindex(columns=sorted(set(rows.columns) | set(contract.columns))).astype(object)
    table = pa.table({name: pa.array(frame[name].where(frame[name].notna(), None), pa.string()) for name in frame})
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("rows", table)
        columns = " or ".join(is_bad(name, column, extract_date) for name, column in contract.columns.items())
        typed = ", ".join(
            f'try_cast("{name}" as {DUCKDB_TYPES[column.type]}) as "{name}"'
            for name, column in contract.columns.items()
            if column.type != "epoch_s"
        )
        rules = " or ".join(f"not coalesce(({rule.sql}), true)" for rule in contract.rules if rule.on_failure != "warn")
        return int(
            connection.execute(
                f"with judged as (select *, ({columns}) as is_bad from rows), "
                f"typed as (select is_bad, date '{extract_date}' as _extract_date, {typed} from judged) "
                f"select count(*) from typed where is_bad or ({rules or 'false'})"
            ).fetchall()[0][0]
        )


def dirt(drop: Path) -> pd.DataFrame:
    return pd.concat([pq.read_table(path).to_pandas() for path in sorted((drop / "truth" / "dirt").glob("*.parquet"))])


def listed(drop: Path, source: str, stream: str, extract_date: date, kind: str) -> int:
    found = dirt(drop)
    here = (found["source"] == source) & (found["stream"] == stream) & (found["extract_date"] == extract_date)
    return int((here & found["kind"].str.startswith(kind)).sum())


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(("source", "stream"), ALL)
def test_extracts_keep_their_contract_but_for_the_rows_broken_on_purpose(drop: Path, source: str, stream: str) -> None:
    contract = load_contract(SYSTEMS[source], stream)
    for when, path in extracts(drop, source, stream).items():
        extract_date = FIRST if when == "history" else date.fromisoformat(when)
        rows = as_text(path)
        broken = listed(drop, source, stream, extract_date, "broken_")
        assert bad_rows(contract, rows, extract_date) == broken, (when, broken)
        budget = max(contract.quarantine.min_rows, contract.quarantine.max_share * len(rows))
        assert broken <= budget
        # Of Qualtrics' answers only its API tells all in one column.
        assert set(contract.columns) - {"answers"} <= set(rows.columns) or not len(rows)


def test_broken_rows_are_there(drop: Path) -> None:
    kinds = set(dirt(drop)["kind"])
    assert {
        "broken_score_is_text",
        "broken_unknown_rating",
        "broken_missing_key",
        "broken_unknown_status",
    } <= kinds


def test_manifests_tell_the_truth(drop: Path) -> None:
    files = [path for source in STREAMS for path in (drop / source).iterdir() if "manifest" not in path.name]
    assert len(files) == len(ALL) * 5
    for path in files:
        manifest = json.loads(Path(f"{path}.manifest.json").read_text())
        assert manifest["bytes"] == path.stat().st_size
        assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert manifest["rows"] == len(as_text(path)), path.name
        assert manifest["mode"] == ("full" if path.name.startswith("agent_") else "increment")
    assert not list(drop.rglob(".*")), "temporary files are left"


@pytest.mark.parametrize(("source", "stream"), ALL)
def test_a_day_holds_what_changed_by_then_and_nothing_from_the_future(drop: Path, source: str, stream: str) -> None:
    version = load_contract(SYSTEMS[source], stream).version
    key = load_contract(SYSTEMS[source], stream).key[-1]
    for when, path in extracts(drop, source, stream).items():
        extract_date = FIRST if when == "history" else date.fromisoformat(when)
        rows = as_text(path)
        if not len(rows):
            continue
        newest = pd.to_datetime(rows[version].where(rows[key].notna()).dropna(), format="mixed", utc=True).max()
        assert newest < pd.Timestamp(extract_date, tz="UTC") + pd.Timedelta(days=1)


def test_the_same_company_gives_the_same_bytes_in_one_call_or_in_many(tmp_path: Path) -> None:
    first = date(2026, 3, 20)
    write_extracts(SMALL, tmp_path / "one", first, first + timedelta(days=2))
    write_extracts(SMALL, tmp_path / "many", first, first)
    assert written_through(tmp_path / "many") == first
    assert len(write_next_day(tmp_path / "many")) == len(ALL)
    assert len(write_next_day(tmp_path / "many")) == len(ALL)
    assert digests(tmp_path / "one") == digests(tmp_path / "many")


def test_nothing_is_written_twice(tmp_path: Path) -> None:
    first = date(2026, 3, 10)
    write_extracts(SMALL, tmp_path, first, first)
    before = digests(tmp_path)
    assert write_extracts(SMALL, tmp_path, first, first) == []
    assert digests(tmp_path) == before


def test_a_day_that_was_cut_off_is_written_again(tmp_path: Path) -> None:
    first = date(2026, 3, 10)
    write_extracts(SMALL, tmp_path, first, first)
    before = digests(tmp_path)
    parameters = json.loads((tmp_path / PARAMETERS).read_text())
    (tmp_path / PARAMETERS).write_text(json.dumps({**parameters, "through": ""}))
    (tmp_path / "zendesk" / "users_history.jsonl.gz.manifest.json").unlink()
    assert written_through(tmp_path) is None
    write_extracts(SMALL, tmp_path, first, first)
    assert digests(tmp_path) == before


def test_a_folder_of_another_company_is_refused(drop: Path) -> None:
    with pytest.raises(JourneymartError, match="another sample company"):
        write_extracts(Company(seed=8, customers=400), drop, FIRST, LAST)
    with pytest.raises(JourneymartError, match="another sample company"):
        write_extracts(COMPANY, drop, FIRST + timedelta(days=1), LAST)


def test_a_folder_without_a_company_has_no_next_day(tmp_path: Path) -> None:
    with pytest.raises(JourneymartError, match="write one first"):
        write_next_day(tmp_path)


def test_some_rows_come_late_and_some_twice(drop: Path) -> None:
    found = dirt(drop)
    assert len(found[found["kind"] == "late"])
    repeated = found[(found["kind"] == "repeated") & (found["extract_date"] == FIRST)]
    for stream, rows in repeated.groupby("stream"):
        text = as_text(extracts(drop, "zendesk", str(stream))["history"])
        assert int(text.duplicated().sum()) == len(rows)


def test_a_late_row_shows_the_state_of_its_own_day(drop: Path) -> None:
    late = dirt(drop).query("kind == 'late' and stream == 'order'")
    for row in late.itertuples():
        text = as_text(extracts(drop, "shop", "order")[row.extract_date.isoformat()])
        updated = pd.to_datetime(text.loc[text["order_id"] == row.key, "updated_at"], utc=True).max()
        assert updated < pd.Timestamp(row.extract_date, tz="UTC")


def test_deletes_merges_and_edits_are_listed(drop: Path) -> None:
    kinds = set(dirt(drop)["kind"])
    assert {
        "deleted", "merged", "edited", "shared_inbox", "bad_email", "untidy_email", "phone_format",
        "same_name", "duplicate_contact", "awkward_text", "non_ascii", "anonymous", "preview",
        "spam", "partial", "guest",
        "other_currency", "stranger", "unknown_event",
    } <= kinds  # fmt: skip
    contacts = as_text(extracts(drop, "salesforce", "contact")["history"])
    merged = contacts[contacts["MasterRecordId"].notna()]
    assert len(merged)
    assert (merged["IsDeleted"] == "true").all()
    assert set(merged["MasterRecordId"]) <= set(contacts["Id"])


def test_an_edited_answer_keeps_its_recorded_date(drop: Path) -> None:
    history = as_text(extracts(drop, "qualtrics", "responses")["history"]).set_index("ResponseId")
    edited = dirt(drop).query("kind == 'edited' and stream == 'responses' and extract_date != @FIRST")
    for row in edited.itertuples():
        later = as_text(extracts(drop, "qualtrics", "responses")[row.extract_date.isoformat()]).set_index("ResponseId")
        if row.key in history.index:
            assert later.loc[row.key, "RecordedDate"] == history.loc[row.key, "RecordedDate"]


def test_anonymous_answers_name_nobody(drop: Path) -> None:
    responses = as_text(extracts(drop, "qualtrics", "responses")["history"])
    anonymous = responses[responses["DistributionChannel"] == "anonymous"]
    assert len(anonymous)
    names = [
        "RecipientLastName",
        "RecipientFirstName",
        "RecipientEmail",
        "ExternalReference",
        "TicketId",
        "OrderId",
    ]
    assert anonymous[names].isna().all().all()


def test_responses_have_three_header_rows_with_line_breaks_in_quotes(drop: Path) -> None:
    with gzip.open(extracts(drop, "qualtrics", "responses")["history"], "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.reader(io.StringIO(text.read(), newline="")))
    assert any("\n" in value for value in rows[1])
    assert [json.loads(value)["ImportId"] for value in rows[2]] == rows[0]
    assert any("\n" in value for row in rows[3:] for value in row)


def test_a_new_column_appears_one_day(drop: Path) -> None:
    columns = {when: list(as_text(path)) for when, path in extracts(drop, "salesforce", "contact").items()}
    assert "Loyalty_Tier__c" not in columns["2026-06-29"]
    assert "Loyalty_Tier__c" in columns["2026-06-30"]


def test_a_member_of_staff_vanishes_from_the_full_dump(drop: Path) -> None:
    staff = {when: set(as_text(path)["agent_id"]) for when, path in extracts(drop, "shop", "agent").items()}
    assert len(staff["2026-06-29"] - staff["2026-06-30"]) == 1
    assert len(staff["2026-07-01"] - staff["2026-06-30"]) == 1


def test_shop_times_carry_their_zone(drop: Path) -> None:
    schema = pq.read_schema(extracts(drop, "shop", "order")["history"])
    assert schema.field("ordered_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("item_amount").type == pa.decimal128(18, 2)


def newest(drop: Path, source: str, stream: str) -> pd.DataFrame:
    """The last delivered version of every record, broken rows aside."""
    contract = load_contract(SYSTEMS[source], stream)
    parts = []
    for number, path in enumerate(extracts(drop, source, stream).values()):
        parts.append(as_text(path).assign(_file=number))
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows[list(contract.key)].notna().all(axis=1)]
    rows["_version"] = pd.to_datetime(rows[contract.version], format="mixed", utc=True, errors="coerce")
    return rows.sort_values(["_version", "_file"], kind="stable").groupby(list(contract.key), as_index=False).tail(1)


def test_the_true_answers_are_those_a_reader_of_the_extracts_finds(drop: Path) -> None:
    responses = newest(drop, "qualtrics", "responses").set_index("ResponseId")
    responses = responses[~responses.index.str.startswith("R_999999")]
    truth = pd.read_parquet(drop / "truth" / "answers.parquet").query("source == 'qualtrics'").set_index("answer_id")
    assert set(truth.index) == set(responses.index)
    scores = responses["QID1"].reindex(truth.index).astype(float)
    np.testing.assert_array_equal(scores, truth["score"])
    finished = responses["Finished"].reindex(truth.index) == "True"
    real = responses["Status"].reindex(truth.index) == "IP Address"
    assert ((finished & real) == truth["is_counted"]).all()


def test_the_true_tickets_are_those_a_reader_of_the_extracts_finds(drop: Path) -> None:
    tickets = newest(drop, "zendesk", "tickets").set_index("id").drop(index="999999998", errors="ignore")
    truth = pd.read_parquet(drop / "truth" / "tickets.parquet").query("source == 'zendesk'").set_index("ticket_id")
    assert set(truth.index) == set(tickets.index)
    counted = truth[truth["is_counted"]]
    # Audits of a day arrive with the ticket of that day, so both tell the same status.
    assert (tickets["status"].reindex(counted.index) == counted["status"]).all()
    gone = (tickets["status"] == "deleted") | tickets["tags"].str.contains("closed_by_merge")
    assert (gone.reindex(truth.index) == ~truth["is_counted"]).all()


def test_first_replies_follow_from_the_audits(drop: Path) -> None:
    audits = newest(drop, "zendesk", "ticket_audits").sort_values(["created_at", "id"])
    staff = newest(drop, "zendesk", "users").query("role != 'end-user'")
    humans = set(staff.loc[~staff["name"].isin(["Trigger Robot", "Answer Bot"]), "id"])
    comments = [
        (row.ticket_id, row.created_at, str(event["author_id"]))
        for row in audits.itertuples()
        for event in json.loads(row.events)
        if event["type"] == "Comment" and event["public"] and "merged into" not in event["body"]
    ]
    frame = pd.DataFrame(comments, columns=["ticket_id", "at", "author"])
    began_by_us = frame.groupby("ticket_id")["author"].first().isin(humans)
    replies = frame[frame["author"].isin(humans)].groupby("ticket_id")["at"].min()
    truth = pd.read_parquet(drop / "truth" / "tickets.parquet").query("source == 'zendesk' and is_counted")
    truth = truth[truth["is_customer_initiated"]].set_index("ticket_id")
    assert not began_by_us.reindex(truth.index).any()
    expected = pd.to_datetime(replies.reindex(truth.index), utc=True).dt.tz_localize(None)
    pd.testing.assert_series_equal(
        expected.astype("datetime64[us]"), truth["first_reply_at"].astype("datetime64[us]"), check_names=False
    )


def test_kpis_agree_with_a_count_by_hand(drop: Path) -> None:
    kpis = json.loads((drop / "truth" / "kpis.json").read_text())
    assert kpis["as_of"] == LAST.isoformat()
    answers = pd.read_parquet(drop / "truth" / "answers.parquet").query("is_counted and metric == 'csat'")
    local = answers["answered_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.date
    window = answers[(local > LAST - timedelta(days=28)) & (local <= LAST)]
    good = window.eval("(survey_id == 'zendesk_satisfaction' and score == 1) or (scale_max == 5 and score >= 4)")
    assert kpis["csat"]["28"] == {"numerator": int(good.sum()), "n": len(window), "value": 100 * good.mean()}
    assert 0 < kpis["logo_retention"]["active_within_90_days"]["value"] <= 100
    assert kpis["backlog"]["value"] > 0
    assert kpis["records"]["shop/order"] == len(
        pd.read_parquet(drop / "truth" / "orders.parquet").query("source == 'shop'")
    )
