"""What nights, `doctor` and an erasure make of mapped sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from orchestration.cli.doctor import _mappings
from orchestration.operations.erase_person import erase
from orchestration.operations.plan_night import mapped_otherwise
from tests.mapping_kit import FIRST, SECOND, TICKET_COLUMNS, TICKETS, Company, ticket

BOTH = "ticket: {pattern: 'export_{date}.csv'}\ncontact: {pattern: 'export_{date}.csv'}"
CONTACTS = """\
contact:
  columns:
    contact_id: {key: [E-Mail]}
    email: E-Mail
    updated_at: {from: Geändert, format: "%d.%m.%Y %H:%M"}
  ignore: ["*"]
"""


def holds(folder: Path, text: str) -> list[str]:
    """Files below a folder with a text in them, packed or not."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        said = str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_text(encoding="utf-8")
        found += [str(path.relative_to(folder))] if text in said else []
    return found


def test_somebody_who_is_erased_is_gone_from_what_a_mapping_did_not_take_too(tmp_path, monkeypatch):
    """From the delivered file, whose other columns and left-out records nobody looks into; a later mapping keeps on."""
    monkeypatch.setenv("JOURNEYMART_ERASURE_KEY", "a secret of the tests, long enough to be one")
    company = Company(tmp_path)
    streams = company.says(BOTH, TICKETS + CONTACTS).streams
    columns = (*TICKET_COLUMNS, "Notiz")
    left_out = [*ticket(1, **{"Ticket-Nr.": "T-9", "Ist Test": "ja"}), "Kunde1@Example.org ruft an"]
    company.deliver(f"export_{FIRST}.csv", columns, [[*ticket(1), "x"], [*ticket(2), "Kunde1 fragt"], left_out])
    for stream in streams:
        company.land(stream)
    assert holds(company.folder.landing, "1@Example.org")
    erase(company.setup(), ["kunde1@example.org"], [], [], datetime(2026, 3, 5, tzinfo=UTC))
    assert holds(company.folder.landing, "1@Example.org") == holds(company.folder.landing, "kunde1@example.org") == []
    desk, contacts = streams
    assert [row["requester_email"] for row in company.rows(desk)] == [None, "kunde2@example.org"]
    assert [row["email"] for row in company.rows(contacts)] == [" Kunde2@Example.org "]
    (desk, contacts) = company.says(BOTH, TICKETS.replace("high}", "low}") + CONTACTS).streams
    (company.drop / f"export_{FIRST}.csv").unlink()
    company.land(desk)
    assert [row["requester_email"] for row in company.rows(desk)] == [None, "kunde2@example.org"]
    assert mapped_otherwise(company.setup()) == []


def test_a_changed_mapping_is_a_reason_for_a_night(tmp_path):
    company = Company(tmp_path)
    (stream,) = company.says("ticket:", TICKETS).streams
    company.deliver(f"ticket_{FIRST}.csv", TICKET_COLUMNS, [ticket(1)])
    company.land(stream)
    assert mapped_otherwise(company.setup()) == []
    company.says("ticket:", TICKETS.replace("high}", "low}"))
    assert mapped_otherwise(company.setup()) == [stream.stream]
    company.land(company.read().streams[0])
    assert mapped_otherwise(company.setup()) == []


def test_doctor_holds_a_mapping_against_what_lies_in_the_drop_folder(tmp_path):
    company = Company(tmp_path)
    company.says("ticket:", TICKETS)
    (tmp_path / "mappings" / "shop.yml").write_text("order: {}\n")
    company.deliver(f"ticket_{SECOND}.csv", [name.replace("Gruppe", "Grupe") for name in TICKET_COLUMNS], [ticket(1)])
    said = [(each.health, each.said) for each in _mappings(company.setup().settings)]
    assert said == [
        ("ok", "1 streams are mapped"),
        (
            "warning",
            f"mappings/desk.yml, line 7: the extract of {SECOND} has no column 'Gruppe' for team; did you mean "
            "'Grupe'?",
        ),
        ("warning", f"columns of the extract of {SECOND} are neither mapped nor ignored: Grupe."),
        (
            "warning",
            f"{tmp_path}/mappings/shop.yml is read by nothing: name it like a source, <source>.yml, or by mapping.",
        ),
    ]


LOOKED_UP = """\
ticket:
  lookup: {Mail: {from: Kunde, stream: contact, column: email}}
  columns: {ticket_id: Nr, requester_email: Mail, status: Status, created_at: Zeit, updated_at: Zeit}
contact:
  columns: {contact_id: Kunde, email: Adresse, updated_at: Zeit}
"""


def test_what_was_looked_up_is_due_again_where_the_other_stream_changes_and_an_erasure_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("JOURNEYMART_ERASURE_KEY", "a secret of the tests, long enough to be one")
    company = Company(tmp_path)
    desk, contacts = company.says("ticket:\ncontact:", LOOKED_UP).streams
    at = f"{FIRST} 10:00:00"
    people = [("c1", "ann@example.org", at), ("c2", "bob@example.org", at)]
    company.deliver(f"contact_{FIRST}.csv", ("Kunde", "Adresse", "Zeit"), people)
    tickets = [(f"T{number}", f"c{number}", "open", at) for number in (1, 2, 3)]
    company.deliver(f"ticket_{FIRST}.csv", ("Nr", "Kunde", "Status", "Zeit"), tickets)
    company.land(contacts)
    company.land(desk)
    assert mapped_otherwise(company.setup()) == []
    company.deliver(f"contact_{SECOND}.csv", ("Kunde", "Adresse", "Zeit"), [("c4", "dora@example.org", at)])
    company.land(contacts, SECOND)
    assert mapped_otherwise(company.setup()) == []
    company.deliver(f"contact_{SECOND}.csv", ("Kunde", "Adresse", "Zeit"), [("c3", "carl@example.org", at)])
    company.land(contacts, SECOND)
    assert mapped_otherwise(company.setup()) == [desk.stream]
    for file in company.drop.iterdir():
        file.unlink()
    erase(company.setup(), ["ann@example.org"], [], [], datetime(2026, 3, 5, tzinfo=UTC))
    for _ in range(2):
        company.land(contacts)
        company.land(desk)
        assert [row["requester_email"] for row in company.rows(desk)] == [None, "bob@example.org", None]
        assert holds(company.folder.landing, "ann@example.org") == []
        mapped = company.manifest(desk).mapped
        assert mapped and mapped.unknown_then == ()
    assert mapped_otherwise(company.setup()) == []
