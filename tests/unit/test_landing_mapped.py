"""A delivery with columns of its own lands as rows of the contract; nothing is lost, and what is left out is said.

The deliveries are a help desk's CSV with German headers and a survey with a column per question; they go the real way:
drop folder, landing, gate.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.landing.map_again import behind_their_mapping
from assets.landing.records import record_texts
from quality.gate.gate import Gate
from quality.landed.manifest import Mapped, read_manifest
from storage.errors import JourneymartError
from tests.mapping_kit import ANSWERS, FIRST, SECOND, TICKET_COLUMNS, TICKETS, Company, ticket

SURVEY = ("Response ID", "Ended", "Q1", "Q2", "Kommentar", "Browser")


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """One gate for all companies here: Great Expectations takes seconds to load."""
    from storage.data_folder import DataFolder

    with Gate(DataFolder(tmp_path_factory.mktemp("gate") / "data"), None, record_texts) as gate:
        yield gate


def one_value(root: Path, spec: str, value: str | None, *, source: str = "", target: str = "created_at") -> str | None:
    """What a column of a ticket becomes when its one delivered value is mapped so."""
    company = Company(root)
    mapping = {"ticket_id": "Nr", "status": "{const: open}", "created_at": "Nr", "updated_at": "Nr", target: spec}
    lines = "".join(f"    {name}: {said}\n" for name, said in mapping.items())
    (stream,) = company.says(f"ticket: {{{source}}}", f"ticket:\n  columns:\n{lines}").streams
    company.deliver(f"ticket_{FIRST}.csv", ("Nr", "Wert"), [("T-1", value)])
    company.land(stream)
    found: str | None = company.rows(stream)[0][target]
    return found


def test_a_help_desks_own_columns_become_those_of_the_contract(tmp_path):
    company = Company(tmp_path)
    (stream,) = company.says("ticket:", TICKETS).streams
    odd = [ticket(3, Status="Verschoben", Prio="", Angelegt="gestern"), ticket(4, **{"Ist Test": "ja"})]
    company.deliver(
        f"ticket_{FIRST}.csv",
        (*TICKET_COLUMNS, "Intern 1", "Kanal"),
        [[*ticket(1), "", ""], *([*o, "x", ""] for o in odd)],
    )
    company.land(stream)
    first, second = company.rows(stream)
    assert first == {
        "ticket_id": "T-1",
        "requester_email": "kunde1@example.org",
        "team": "Erste Hilfe",
        "channel": "email",
        "priority": "high",
        "status": "open",
        "created_at": "2026-03-01 08:15:00",
        "updated_at": "2026-03-01 09:00:00",
        "_file": f"ticket_{FIRST}.csv",
        "_row": 1,
    }
    # What no entry stands for, and what is no time, is the gate's to see; an empty field is nothing else.
    assert (second["status"], second["created_at"], second["priority"], second["_row"]) == (
        "Verschoben",
        "gestern",
        None,
        2,
    )
    manifest = company.manifest(stream)
    assert manifest.mapped == Mapped(not_ours=1, without_values=0, lacking=(), unmapped=("Kanal",))
    assert (manifest.records, manifest.rows, manifest.left_out, manifest.files[0].left_out) == (2, 2, 1, 1)
    assert (company.partition(stream) / "files" / f"ticket_{FIRST}.csv").read_bytes() == (
        company.drop / f"ticket_{FIRST}.csv"
    ).read_bytes()


@pytest.mark.parametrize(
    ("spec", "value", "becomes"),
    [
        ('{from: Wert, format: "%d.%m.%Y %H:%M"}', "01.07.2026 10:00", "2026-07-01 10:00:00"),
        ('{from: Wert, format: ["%d.%m.%Y %H:%M", "%d.%m.%y"]}', "01.07.26", "2026-07-01 00:00:00"),
        ('{from: Wert, format: "%d.%m.%Y %H:%M"}', "31.02.2026 10:00", "31.02.2026 10:00"),
        ('{from: Wert, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}', "01.07.2026 10:00", "2026-07-01T08:00:00Z"),
        ('{from: Wert, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}', "25.10.2026 02:30", "2026-10-25T01:30:00Z"),
        ('{from: Wert, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}', "29.03.2026 02:30", "2026-03-29T01:30:00Z"),
        ('{from: Wert, format: "%d.%m.%Y %H:%M %z"}', "01.07.2026 10:00 +0200", "2026-07-01T08:00:00Z"),
        ("{sql: 'to_timestamp(try_cast(Wert as bigint))'}", "1782892800", "2026-07-01T08:00:00Z"),
        ("{sql: 'try_cast(Wert as double) * 1.5'}", "3", "4.5"),
        ("{sql: \"Wert = 'ja'\"}", "ja", "true"),
        ("{key: [Nr, Wert]}", "50%:x", "T-1:50%25%3Ax"),
        ("{key: [Nr, Wert]}", None, None),
        ('{from: Wert, thousands: ".", decimal: ","}', "1.234,50", "1234.50"),
        ('{from: Wert, thousands: ".", decimal: ","}', "viel", "viel"),
        ("{from: Wert, values: {Ja: null}, otherwise: nein}", "Ja", None),
        ("{from: Wert, values: {Ja: true}}", " Ja ", "true"),
    ],
)
def test_a_value_becomes_the_text_it_means(tmp_path, spec, value, becomes):
    """Of a time the clock shows twice the later is meant, and one it skips moves forward, as the contract has it."""
    assert one_value(tmp_path, spec, value) == becomes


def test_numbers_are_written_as_the_stream_writes_them(tmp_path):
    """The gate reads them by the stream's rules, whoever made them."""
    german = "decimal: ',', thousands: '.'"
    assert one_value(tmp_path / "a", "{sql: 'try_cast(Wert as double) / 8'}", "1", source=german) == "0,125"
    assert one_value(tmp_path / "b", "{from: Wert, decimal: '.'}", "1234.5", source=german) == "1234,5"


def test_each_answer_of_a_wide_survey_is_a_row_and_empty_ones_are_counted(tmp_path, gate):
    company = Company(tmp_path)
    (stream,) = company.says("survey_answer:", ANSWERS).streams
    at = "2026-03-01T08:00:00Z"
    rows = [("r1", at, "9", "", "ok", "x"), ("r2", at, "", " ", "", "x"), ("r3", at, "3", "4", "", "x")]
    company.deliver(f"survey_answer_{FIRST}.csv", SURVEY, rows)
    company.land(stream)
    landed = company.rows(stream)
    assert [(row["answer_id"], row["question_id"], row["score"], row["comment"]) for row in landed] == [
        ("r1:Q1", "Q1", "9", None),
        ("r1:Kommentar", "comment", None, "ok"),
        ("r3:Q1", "Q1", "3", None),
        ("r3:Q2", "Q2", "4", None),
    ]
    manifest = company.manifest(stream)
    assert manifest.mapped == Mapped(not_ours=0, without_values=1, lacking=(), unmapped=("Browser",))
    assert (manifest.records, manifest.rows, manifest.left_out) == (2, 4, 1)
    verdict = company.judge(gate, stream)
    assert verdict.passed and verdict.accepted_rows == 4
    told = {check.kind: check.metadata for check in verdict.checks}
    assert told["completeness"]["left out by the mapping"] == 1
    assert told["warnings"]["columns not mapped"] == "Browser"
    # What came out is held against what was counted in the delivered columns.
    partition = company.partition(stream)
    pq.write_table(pq.read_table(partition / "rows.parquet").slice(0, 3), partition / "rows.parquet")
    lost = {check.kind: check for check in company.judge(gate, stream).checks}["completeness"]
    assert (lost.passed, lost.metadata["files with other rows"]) == (False, 1)


def test_rows_at_fault_go_to_quarantine_with_the_record_as_it_was_delivered(tmp_path, gate):
    company = Company(tmp_path)
    (stream,) = company.says("ticket:", TICKETS).streams
    tickets = [ticket(n) for n in range(9)]
    company.deliver(f"ticket_{FIRST}.csv", TICKET_COLUMNS, [*tickets, ticket(9, Angelegt="31.02.2026 10:00")])
    company.land(stream)
    verdict = company.judge(gate, stream)
    assert (verdict.passed, verdict.accepted_rows, verdict.quarantined_rows) == (True, 9, 1)
    text = record_texts(company.partition(stream), f"ticket_{FIRST}.csv", [10])
    assert "31.02.2026 10:00" in text[10] and "Erste Hilfe" in text[10]


def test_a_parquet_or_json_delivery_is_mapped_as_well(tmp_path):
    company = Company(tmp_path)
    streams = "ticket: {pattern: 'ticket_{date}.*'}"
    mapping = TICKETS.replace("channel: {const: email}", 'channel: {sql: "\\"via\\"->>\'$.kanal\'"}')
    (stream,) = company.says(streams, mapping).streams
    record = dict(zip(TICKET_COLUMNS, ticket(1), strict=True))
    pq.write_table(
        pa.Table.from_pylist([{**record, "via": '{"kanal": "chat"}'}]), company.drop / f"ticket_{FIRST}.parquet"
    )
    company.land(stream)
    assert [row["channel"] for row in company.rows(stream)] == ["chat"]
    assert (
        json.loads(record_texts(company.partition(stream), f"ticket_{FIRST}.parquet", [1])[1])["Gruppe"]
        == "Erste Hilfe"
    )
    # JSON names its own columns: what a record does not say is not known.
    lines = json.dumps({**record, "via": {"kanal": "phone"}}) + "\n" + json.dumps({**record, "Prio": None}) + "\n"
    (company.drop / f"ticket_{SECOND}.jsonl").write_text(lines, encoding="utf-8")
    company.land(stream, SECOND)
    assert [row["channel"] for row in company.rows(stream, SECOND)] == ["phone", None]
    # It need not write what is empty, so a condition on what no record of a night has leaves nothing out.
    bare = {name: value for name, value in record.items() if name != "Ist Test"}
    third = date(2026, 3, 3)
    (company.drop / f"ticket_{third}.jsonl").write_text(json.dumps(bare) + "\n", encoding="utf-8")
    company.land(stream, third)
    assert len(company.rows(stream, third)) == 1


def test_a_night_without_an_answer_is_a_quiet_one(tmp_path):
    company = Company(tmp_path)
    (stream,) = company.says("survey_answer: {pattern: 'answers_{date}.jsonl'}", ANSWERS).streams
    said = {"Response ID": "r1", "Ended": "2026-03-01T08:00:00Z"}
    (company.drop / f"answers_{FIRST}.jsonl").write_text(json.dumps(said) + "\n", encoding="utf-8")
    company.land(stream)
    assert (company.rows(stream), company.manifest(stream).left_out) == ([], 1)


def test_a_column_the_contract_needs_that_is_not_delivered_is_said_with_file_and_line(tmp_path):
    company = Company(tmp_path)
    (stream,) = company.says("ticket:", TICKETS).streams
    columns = [name.replace("Geändert", "Geaendert") for name in TICKET_COLUMNS]
    company.deliver(f"ticket_{FIRST}.csv", columns, [ticket(1)])
    with pytest.raises(JourneymartError) as mistake:
        company.land(stream)
    assert f"ticket_{FIRST}.csv of desk/ticket" in str(mistake.value)
    assert "has no column 'Geändert', which line 11 of mappings/desk.yml makes updated_at of" in str(mistake.value)
    assert "did you mean 'Geaendert'?" in str(mistake.value)
    assert not company.partition(stream).exists()


def test_another_column_that_is_not_delivered_is_empty_and_warned_of(tmp_path, gate):
    company = Company(tmp_path)
    (stream,) = company.says("ticket:", TICKETS).streams
    columns = [name.replace("Gruppe", "Abteilung") for name in TICKET_COLUMNS]
    company.deliver(f"ticket_{FIRST}.csv", columns, [ticket(n) for n in range(3)])
    company.land(stream)
    assert {row["team"] for row in company.rows(stream)} == {None}
    warned = {check.kind: check for check in company.judge(gate, stream).checks}["warnings"]
    assert warned.outcome == "warn"
    assert warned.metadata["mapped columns not delivered"] == "Gruppe (line 7 of mappings/desk.yml)"
    assert warned.metadata["columns not mapped"] == "Abteilung"


def test_an_optional_column_that_is_not_delivered_is_absent_and_not_warned_of(tmp_path, gate):
    company = Company(tmp_path)
    optional = TICKETS.replace("ignore:", "optional: [Gru*, Ist Test]\n  ignore:")
    (stream,) = company.says("ticket:", optional).streams
    columns = [name for name in TICKET_COLUMNS if name not in ("Gruppe", "Ist Test")]
    company.deliver(f"ticket_{FIRST}.csv", columns, [[ticket(1)[TICKET_COLUMNS.index(name)] for name in columns]])
    company.land(stream)
    (row,) = company.rows(stream)
    assert "team" not in row
    told = {check.kind: check for check in company.judge(gate, stream).checks}["warnings"]
    assert told.outcome == "pass"
    assert "team" in told.metadata["absent columns"]


def test_an_expression_that_breaks_is_said_by_its_line_and_repeats_nobodys_data(tmp_path):
    company = Company(tmp_path)
    mapping = TICKETS.replace("team: Gruppe", "team: {sql: '\"Gruppe\"::integer + 1'}")
    (stream,) = company.says("ticket:", mapping).streams
    company.deliver(f"ticket_{FIRST}.csv", TICKET_COLUMNS, [ticket(1)])
    with pytest.raises(JourneymartError) as mistake:
        company.land(stream)
    assert "mappings/desk.yml, line 7: team cannot be worked out" in str(mistake.value)
    assert "Erste Hilfe" not in str(mistake.value)


def test_a_condition_nobody_can_answer_leaves_nothing_out(tmp_path):
    company = Company(tmp_path)
    mapping = TICKETS.replace("\\\"Ist Test\\\" is distinct from 'ja'", "\\\"Ist Test\\\" <> 'ja'")
    (stream,) = company.says("ticket:", mapping).streams
    company.deliver(f"ticket_{FIRST}.csv", TICKET_COLUMNS, [ticket(1), ticket(2, **{"Ist Test": "ja"})])
    company.land(stream)
    assert [row["ticket_id"] for row in company.rows(stream)] == ["T-1"]


def test_a_file_that_grows_is_cut_into_days_by_the_column_it_is_mapped_to(tmp_path):
    company = Company(tmp_path)
    (stream,) = company.says("ticket: {pattern: all.csv, cursor: updated_at}", TICKETS).streams
    late = ticket(2, Geändert="02.03.2026 00:30")
    company.deliver("all.csv", TICKET_COLUMNS, [ticket(1), late, ticket(3, **{"Ist Test": "ja"})])
    company.land(stream, FIRST, SECOND)
    assert [[row["ticket_id"] for row in company.rows(stream, day)] for day in (FIRST, SECOND)] == [["T-1"], ["T-2"]]
    for day in (FIRST, SECOND):
        (file,) = company.manifest(stream, day).files
        assert (file.records, file.rows, file.outside_window, file.left_out) == (1, 1, 1, 1)
    # Nothing is late that was left out once.
    company.land(stream, SECOND)
    assert company.manifest(stream, SECOND).late == 0


def test_a_dump_is_compared_by_what_it_is_mapped_to(tmp_path):
    company = Company(tmp_path)
    (stream,) = company.says("ticket: {mode: full}", TICKETS).streams
    company.deliver(f"ticket_{FIRST}.csv", (*TICKET_COLUMNS, "Intern 1"), [[*ticket(n), "a"] for n in range(3)])
    after = [[*ticket(0), "b"], [*ticket(1, Status="Erledigt"), "b"]]
    company.deliver(f"ticket_{SECOND}.csv", (*TICKET_COLUMNS, "Intern 1"), after)
    company.land(stream, FIRST, SECOND)
    changes = pq.read_table(company.partition(stream, SECOND) / "changes.parquet").to_pylist()
    assert [(row["_op"], row["ticket_id"]) for row in changes] == [("upsert", "T-1"), ("delete", "T-2")]


def test_a_changed_mapping_maps_again_what_has_landed_from_the_files_kept(tmp_path):
    """Whatever lies in the drop folder now: for dated files, and for one that grew and was emptied since."""
    for number, source in enumerate(("", "{pattern: all.csv, cursor: updated_at}")):
        company = Company(tmp_path / str(number))
        (stream,) = company.says(f"ticket: {source}", TICKETS).streams
        days = [FIRST, SECOND] if source else [FIRST]
        name = "all.csv" if source else f"ticket_{FIRST}.csv"
        rows = [ticket(1), ticket(2, Geändert="02.03.2026 10:00"), ticket(3, **{"Ist Test": "ja"})]
        company.deliver(name, TICKET_COLUMNS, rows)
        company.land(stream, *days)
        before = {day: company.manifest(stream, day).sha256 for day in days}
        (company.drop / name).unlink()
        (stream,) = company.says(f"ticket: {source}", TICKETS.replace("high}", "low}")).streams
        home = company.partition(stream).parent
        assert behind_their_mapping(stream, home) == days
        company.land(stream, *days)
        assert behind_their_mapping(stream, home) == []
        for day in days:
            assert {row["priority"] for row in company.rows(stream, day)} == {"low"}
            assert company.manifest(stream, day).sha256 != before[day]
        assert sum(len(company.rows(stream, day)) for day in days) == 2
        # So do rules its numbers and empty fields are read by.
        (stream,) = company.says(f"ticket: {source or '{empty: [low]}'}", TICKETS.replace("high}", "low}")).streams
        assert behind_their_mapping(stream, home) == ([] if source else days)
        company.land(stream, *days)
        # Nothing moves a second time.
        after = [read_manifest(company.partition(stream, day)).sha256 for day in days]
        company.land(stream, *days)
        assert [read_manifest(company.partition(stream, day)).sha256 for day in days] == after


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
HEADERS = st.lists(
    st.text(st.characters(categories=["L", "N"], include_characters=" -."), min_size=1, max_size=8),
    min_size=3,
    max_size=6,
    unique_by=lambda name: "".join(filter(str.isalnum, name.casefold())),
).filter(lambda names: all(any(map(str.isalnum, name)) for name in names))


@settings(max_examples=12)
@given(data=st.data(), columns=HEADERS)
def test_every_value_of_any_table_arrives_under_any_name(tmp_path_factory, data, columns):
    """Whatever the columns are called, each value is there where it was renamed to, and what is left out adds up."""
    company = Company(tmp_path_factory.mktemp("any"))
    records = data.draw(st.lists(st.tuples(*[TEXTS] * len(columns)), max_size=12))
    number = columns[0]
    quoted = '"' + number.replace('"', '""') + '"'
    lines = [
        f"    {target}: {json.dumps({'from': columns[place % len(columns)]}, ensure_ascii=False)}"
        for place, target in enumerate(("ticket_id", "status", "created_at", "updated_at", "topic", "team"))
    ]
    mapping = (
        f"ticket:\n  where: {json.dumps(f'length({quoted}) <> 3', ensure_ascii=False)}\n  columns:\n"
        + "\n".join(lines)
        + "\n"
    )
    (stream,) = company.says("ticket: {pattern: 'ticket_{date}.parquet'}", mapping).streams
    table = pa.table(
        {name: pa.array([record[place] for record in records], pa.string()) for place, name in enumerate(columns)}
    )
    pq.write_table(table, company.drop / f"ticket_{FIRST}.parquet")
    company.land(stream)
    kept = [record for record in records if len(record[0]) != 3]
    landed = [
        [row[name] for name in ("ticket_id", "status", "created_at", "updated_at", "topic", "team")][: len(columns)]
        for row in company.rows(stream)
    ]
    assert landed == [[value if value.strip() else None for value in record][:6] for record in kept]
    manifest = company.manifest(stream)
    assert (manifest.records, manifest.rows, manifest.left_out) == (len(kept), len(kept), len(records) - len(kept))
