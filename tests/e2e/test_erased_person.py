"""Somebody who asked to be erased is gone with the next night, and comes back with no later extract.

The person is one of the sample company's: in the CRM, at the help desk, with orders, tickets and answers.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.text.contact_points import spell_email
from orchestration.config.settings import PROJECT
from storage.data_folder import marts_file, warehouse_file
from tests.e2e.conftest import THIRD, MadeOnce, said_by
from tests.e2e.installation import Installation

KEY = "a secret of the tests, long enough to be one"
FACTS = {
    "fct_order": ("order_key", "item_amount"),
    "fct_ticket": ("ticket_key", "1"),
    "fct_survey_answer": ("answer_key", "score"),
}


@dataclass(frozen=True)
class Person:
    """What is known of the person before: texts that name the person, and rows of facts by table."""

    customer_key: int
    email: str
    texts: tuple[str, ...]
    facts: dict[str, list[Any]]


@dataclass(frozen=True)
class Story:
    """The installation after the night, the person, and all that was said on the way."""

    installation: Installation
    person: Person
    before: dict[str, list[tuple[Any, ...]]]
    said: str


@pytest.fixture(scope="module")
def story(two_nights: Installation, made_once: MadeOnce) -> Story:
    person = choose(two_nights)

    def fill(data: Path) -> None:
        installation = two_nights.copy_to(data)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JOURNEYMART_ERASURE_KEY", KEY)
            # As the person would write it in the request.
            said = erase(installation, f"Mailto:{person.email.upper()}\n")
            said_by(installation).write_text(said, encoding="utf-8")
            deliver_again(installation, person)
            installation.night(THIRD)

    installation = Installation(made_once("an erased person", fill), two_nights.state, two_nights.company)
    before = {table: two_nights.marts(f"select {key}, {figure} from {table}") for table, (key, figure) in FACTS.items()}
    return Story(installation, person, before, said_by(installation).read_text(encoding="utf-8"))


def choose(installation: Installation) -> Person:
    """Somebody with a record in the CRM and at the desk, and facts of every kind."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse_file(installation.data / 'current')}' as warehouse (read_only)")
        connection.execute(f"attach '{marts_file(installation.data / 'current')}' as marts (read_only)")
        found = connection.execute(
            """
            select identity.customer_key, contacts.Email, contacts.Id, users.id, contacts.Phone
            from warehouse.intermediate.map_customer_identity as identity
            inner join warehouse.accepted.salesforce__contact as contacts on contacts.Id[:15] = identity.contact_id[:15]
            inner join warehouse.accepted.zendesk__users as users on users.external_id = contacts.Id
            where contacts.Email like '%@%' and users.email is not null and contacts.Phone like '+%'
                and identity.customer_key in (select customer_key from marts.fct_order)
                and identity.customer_key in (select customer_key from marts.fct_ticket)
                and identity.customer_key in (select customer_key from marts.fct_survey_answer)
                and (select count(*) from warehouse.accepted.salesforce__contact as others
                    where lower(others.Email) = lower(contacts.Email) and others.Id <> contacts.Id) = 0
                and (select count(*) from warehouse.accepted.salesforce__contact as others
                    where others.Phone = contacts.Phone and others.Id <> contacts.Id) = 0
            order by contacts.Id
            """
        ).fetchall()
    customer_key, email, contact, user, phone = next(row for row in found if spell_email(row[1]) == row[1].lower())
    facts = {
        table: [row[0] for row in installation.marts(f"select {key} from {table} where customer_key = {customer_key}")]
        for table, (key, _) in FACTS.items()
    }
    return Person(customer_key, email.lower(), (email.lower(), contact, str(user), phone), facts)


def erase(installation: Installation, lines: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "erase", "--email", "-"],
        cwd=PROJECT, env=installation.environment, input=lines, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def deliver_again(installation: Installation, person: Person) -> None:
    """The sources know nothing of the erasure: the person's records and tickets come with the next extract, too."""
    for source, stream, ending in (
        ("salesforce", "contact", "csv"),
        ("zendesk", "users", "jsonl"),
        ("zendesk", "tickets", "jsonl"),
    ):
        history = gzip.decompress(installation.drop_file(f"{source}/{stream}_history.{ending}.gz").read_bytes())
        again = [
            line
            for line in history.splitlines(keepends=True)
            if any(text.encode() in line.lower() for text in map(str.lower, person.texts))
        ]
        assert again
        lines = b"".join(again)
        installation.redeliver(f"{source}/{stream}_{THIRD}.{ending}.gz", partial(_with_lines, lines))


def _with_lines(lines: bytes, content: bytes) -> bytes:
    return content + lines


def test_before_the_erasure_all_that_was_made_of_the_customer_could_be_asked_for(
    two_nights: Installation, story: Story, tmp_path: Path
) -> None:
    target, person = tmp_path / "asked for", story.person
    done = two_nights.command("subject-access", str(target), "--email", person.email, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for table, (key, _) in FACTS.items():
        told = [json.loads(line) for line in (target / f"{table}.jsonl").read_text().splitlines()]
        assert sorted(row[key] for row in told) == sorted(person.facts[table])
        assert said["rows"][f"{table}.jsonl"] == len(told)
    assert {"dim_customer.jsonl", "delivered.salesforce.contact.jsonl", "delivered.zendesk.users.jsonl"} <= set(
        said["rows"]
    )
    assert person.email not in done.stdout + done.stderr


@pytest.mark.promise("erased")
def test_the_customer_is_in_no_mart(story: Story) -> None:
    tables = story.installation.marts(
        "select table_name from duckdb_columns() where column_name = 'customer_key' and schema_name = 'main'"
    )

    assert len(tables) > 5
    for (table,) in tables:
        rows = f"select count(*) from {table} where customer_key = {story.person.customer_key}"
        assert story.installation.marts(rows) == [(0,)], table


def test_what_the_company_sold_and_answered_still_counts_as_that_of_nobody_known(story: Story) -> None:
    for table, (key, figure) in FACTS.items():
        after = dict(story.installation.marts(f"select {key}, {figure} from {table}"))
        assert {row: after.get(row, "gone") for row, _ in story.before[table]} == dict(story.before[table])
        mine = story.person.facts[table]
        assert mine
        customers = story.installation.marts(
            f"select distinct customer_key from {table} where {key} in ({', '.join(map(str, mine))})"
        )
        assert customers == [(-1,)], table


@pytest.mark.promise("erased")
def test_nothing_the_person_wrote_or_was_written_is_left(story: Story) -> None:
    tickets = ", ".join(map(str, story.person.facts["fct_ticket"]))
    with duckdb.connect(str(warehouse_file(story.installation.data / "current")), read_only=True) as connection:
        texts = connection.execute(
            f"""
            select count(*), count(tickets.subject), count(tickets.description),
                count(*) filter (audits.events::varchar like '% %')
            from intermediate.int_ticket__unioned as known
            inner join accepted.zendesk__tickets as tickets on tickets.id = known.ticket_id
            inner join accepted.zendesk__ticket_audits as audits on audits.ticket_id = known.ticket_id
            where known.ticket_key in ({tickets})
            """
        ).fetchall()
    assert texts[0][0] > 0
    assert texts[0][1:] == (0, 0, 0)


@pytest.mark.promise("erased")
def test_no_byte_and_no_value_below_the_data_folder_names_the_person(story: Story) -> None:
    data = story.installation.data
    needles = [text.encode().lower() for text in story.person.texts]
    for path in everything(data):
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        assert not any(needle in content.lower() for needle in needles), path
    for path, value in [*values_of_parquet(data), *values_of_databases(data / "current")]:
        assert not any(needle in value for needle in needles), path


def test_the_drop_folder_is_the_sources_own_and_stays(story: Story) -> None:
    history = story.installation.drop_file("salesforce/contact_history.csv.gz")

    assert story.person.email.encode() in gzip.decompress(history.read_bytes()).lower()


@pytest.mark.promise("erased")
def test_the_versions_that_held_the_person_are_gone(story: Story) -> None:
    data = story.installation.data

    assert [path.name for path in (data / "versions").glob("[0-9]*")] == [(data / "current").resolve().name]


def test_the_register_tells_how_it_went_and_nothing_else(story: Story) -> None:
    home = story.installation.data / "erasures"

    assert home.stat().st_mode & 0o777 == 0o700
    (entry,) = [json.loads(path.read_text()) for path in home.glob("*.json") if path.name != "key.json"]
    assert (entry["status"], entry["versions"]) == ("done", [])
    assert entry["evidence"]["landed rows dropped"] >= 2
    assert entry["requested_at"] < entry["completed_at"] < entry["due_at"]


@pytest.mark.promise("erased")
def test_nothing_that_was_said_or_noted_names_the_person(story: Story) -> None:
    needles = [text.lower() for text in story.person.texts]
    noted = [
        story.said,
        *(path.read_bytes().decode("utf-8", "replace") for path in everything(story.installation.state)),
    ]

    assert "records of the person" in story.said
    for text in noted:
        assert not any(needle in text.lower() for needle in needles)


def test_what_the_gate_kept_out_is_counted(story: Story) -> None:
    told = [
        json.loads(line)
        for path in (story.installation.data / "ledger").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]

    erased = {event["subject"]: event["detail"]["erased"] for event in told if "erased" in event.get("detail", {})}
    assert erased[f"salesforce/contact/{THIRD}"] >= 1
    assert erased[f"zendesk/users/{THIRD}"] >= 1


def everything(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and folder / "drop" not in path.parents:
            yield path


def values_of_parquet(data: Path) -> Iterator[tuple[Path, bytes]]:
    with duckdb.connect() as connection:
        for path in everything(data):
            if path.suffix == ".parquet":
                rows = connection.execute(f"select * from read_parquet({quoted(path)})").fetchall()
                yield path, repr(rows).lower().encode()


def values_of_databases(version: Path) -> Iterator[tuple[Path, bytes]]:
    for file in (warehouse_file(version), marts_file(version)):
        with duckdb.connect(str(file), read_only=True) as connection:
            tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, table in tables:
                rows = connection.execute(f'select * from "{schema}"."{table}"').fetchall()
                yield Path(f"{file}:{schema}.{table}"), repr(rows).lower().encode()


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
