"""Somebody who asked to be erased is out of every extract, under any spelling, and nobody else is.

The extracts are a small company's (tests/corner_shop.py).
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.erasure.people import read_people, who
from assets.erasure.register import scoped_ids
from orchestration.cli.app import command_line
from orchestration.operations import erase_person as erasure
from quality.contract.model import all_contracts, load_contract
from quality.gate.accepted import accepted_batches
from quality.landed.extract import ROWS
from quality.landed.manifest import read_manifest
from storage.data_folder import StreamId
from storage.errors import JourneymartError
from tests.corner_shop import ANN, CONTACTS, FIRST, KEY, MEMBERS, SECOND, SOURCES, STREAMS, Shop, first_night


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The first night's extracts, landed and judged. Read-only."""
    return first_night(tmp_path_factory.mktemp("erasure") / "shop")


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEYMART_ERASURE_KEY", KEY)


@pytest.fixture
def shop(opened: Shop, tmp_path: Path) -> Shop:
    """A copy of the company, this test's own."""
    return opened.copy_to(tmp_path / "shop")


@pytest.fixture(scope="module")
def without_ann(opened: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The company after Ann was erased. Read-only."""
    shop = opened.copy_to(tmp_path_factory.mktemp("without") / "shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOURNEYMART_ERASURE_KEY", KEY)
        shop.forget(ANN)
    return shop


def test_every_record_of_the_person_is_dropped_wherever_it_lies(without_ann: Shop) -> None:
    for layer in ("landing", "accepted"):
        assert without_ann.keys(layer, "shop/contact", "contact_id") == ["c-annie", "c-joann", "c-bob", "c-eve"]
        # The record without an address is the person's too: same number, same name.
        assert without_ann.keys(layer, "desk/users", "id") == ["7003", "7009"]
        assert without_ann.keys(layer, "club/contact", "contact_id") == ["m-2"]


def test_facts_stay_without_what_leads_to_the_person(without_ann: Shop) -> None:
    for layer in ("landing", "accepted"):
        orders = {row["order_id"]: row for row in without_ann.rows(layer, "shop/order")}
        assert (float(orders["o-1"]["item_amount"]), orders["o-1"]["contact_id"]) == (10.0, None)
        assert orders["o-2"]["contact_id"] == "c-joann"
        answers = {row["answer_id"]: row for row in without_ann.rows(layer, "shop/survey_answer")}
        assert [answers["a-1"][name] for name in ("contact_id", "email", "comment")] == [None] * 3
        assert float(answers["a-1"]["score"]) == 9
        assert answers["a-3"]["comment"] == "slow"
    assert "Ann" not in repr(without_ann.rows("landing", "shop/order") + without_ann.rows("accepted", "shop/order"))


def test_who_asked_and_who_wrote_in_a_conversation_stay_one_though_nobody_known(without_ann: Shop) -> None:
    for layer in ("landing", "accepted"):
        ticket = without_ann.rows(layer, "desk/tickets")[0]
        mine, agents = without_ann.rows(layer, "desk/ticket_audits")[:2]
        assert {ticket["requester_id"], ticket["submitter_id"], mine["author_id"]} == {"erased"}
        assert agents["author_id"] == "7009"


def test_the_texts_of_a_conversation_go_whoever_wrote_them_and_its_course_stays(without_ann: Shop) -> None:
    for layer in ("landing", "accepted"):
        *about, _, other = without_ann.rows(layer, "desk/ticket_audits")
        for audit in about[:2]:
            comment, status, subject = json.loads(audit["events"])
            assert (comment["body"], comment["public"]) == ("", True)
            assert (status["value"], status["previous_value"]) == ("open", "new")
            assert subject["value"] is None
            assert json.loads(audit["via"])["channel"] == "email"
            assert "Ann" not in repr(audit)
        assert json.loads(other["events"])[0]["body"] == "Dear Joann"


def test_a_text_of_somebody_else_that_quotes_the_address_is_emptied(without_ann: Shop) -> None:
    quoting = without_ann.rows("accepted", "shop/survey_answer")[1]

    assert (quoting["contact_id"], quoting["score"], quoting["comment"]) == ("c-joann", 3.0, None)


def test_what_is_in_quarantine_keeps_its_reasons_and_loses_its_text(without_ann: Shop, opened: Shop) -> None:
    before, after = (each.rows("quarantine", "shop/order") for each in (opened, without_ann))

    assert [row["reasons"] for row in after] == [row["reasons"] for row in before]
    assert len(after) == 2
    assert all(row["raw"] == "erased" for row in after)


def test_no_file_but_the_drop_folders_holds_the_address(without_ann: Shop) -> None:
    data = without_ann.root / "data"
    # Joann's address ends like hers.
    address = rf"(?<!jo){re.escape(ANN)}"
    for path in data.rglob("*"):
        if path.is_file() and data / "drop" not in path.parents:
            assert not re.search(address.encode(), path.read_bytes().lower()), path
            if path.suffix == ".parquet":
                rows = duckdb.connect().execute(f"select * from read_parquet('{path}')").fetchall()
                assert not re.search(address, repr(rows).lower()), path


def test_an_extract_judged_again_gives_the_very_rows_that_were_left(without_ann: Shop, tmp_path: Path) -> None:
    again = without_ann.copy_to(tmp_path / "shop")
    shutil.rmtree(again.root / "data" / "accepted")

    again.night(FIRST)

    for stream in STREAMS:
        left = without_ann.rows("accepted", stream)
        assert again.rows("accepted", stream) == left, stream


def test_a_re_extract_of_what_was_delivered_leaves_landing_as_it_is_and_nothing_to_judge(
    without_ann: Shop, tmp_path: Path
) -> None:
    again = without_ann.copy_to(tmp_path / "shop")

    again.land(FIRST)

    assert again.content("landing") == without_ann.content("landing")
    folder = again.setup.folder
    for batch in accepted_batches(folder):
        landed = read_manifest(folder.landing_partition(batch.stream_id, FIRST))
        assert batch.landing_sha256 == landed.sha256, batch.stream_id


@pytest.mark.parametrize(
    ("email", "phone"),
    [
        ("ANN.LEE@EXAMPLE.ORG", ""),
        ("mailto:ann.lee@example.org", ""),
        ("Ann Lee <ann.lee@example.org>", ""),
        ("privat@example.net", "+49 (30) 123 45 67"),
        ("privat@example.net", "0049 30 1234567"),
        ("privat@example.net", "030/1234567"),
    ],
)
def test_a_new_record_of_the_person_is_known_under_any_spelling(
    without_ann: Shop, tmp_path: Path, email: str, phone: str
) -> None:
    shop = without_ann.copy_to(tmp_path / "shop")
    header = CONTACTS.partition("\n")[0]
    shop.deliver(SECOND, shop_contact=f"{header}\nc-new,{email},{phone},Ann,Lee,DE,38,2026-03-02T08:00:00Z\n")

    (verdict,) = shop.night(SECOND)

    # The extract holds nobody else, which is no fault of it.
    assert (verdict.passed, verdict.rows) == (True, 0)
    assert verdict.checks[0].metadata["erased"] == 1
    assert shop.rows("landing", "shop/contact", SECOND) == []


def test_a_later_dump_without_the_person_announces_no_deletion(without_ann: Shop, tmp_path: Path) -> None:
    shop = without_ann.copy_to(tmp_path / "shop")
    shop.deliver(SECOND, club_contact=MEMBERS)

    (verdict,) = shop.night(SECOND)

    assert (verdict.passed, verdict.rows) == (True, 0)


def test_a_second_person_goes_like_the_first(without_ann: Shop, tmp_path: Path) -> None:
    shop = without_ann.copy_to(tmp_path / "shop")

    shop.forget("joann.lee@example.org")

    assert shop.keys("accepted", "shop/contact", "contact_id") == ["c-annie", "c-bob", "c-eve"]
    assert [row["contact_id"] for row in shop.rows("accepted", "shop/order")] == [None, None]
    assert shop.keys("landing", "club/contact", "contact_id") == []
    shutil.rmtree(shop.root / "data" / "accepted" / "shop")
    assert all(verdict.passed for verdict in shop.night(FIRST))


def test_a_file_that_serves_every_night_goes_whoever_it_holds_on_other_days(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.root.mkdir()
    one_stream = SOURCES.partition("      order:")[0].replace("_{date}.csv", ".csv")
    (shop.root / "sources.yml").write_text(f"{one_stream}        cursor: updated_at\n")
    header = CONTACTS.partition("\n")[0]
    path = shop.root / "data" / "drop" / "shop" / "contact.csv"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"{header}\nc-joann,joann.lee@example.org,,Joann,Lee,DE,40,{FIRST}T08:00:00Z\n"
        f"c-new,{ANN},,Ann,Lee,DE,38,{SECOND}T08:00:00Z\n"
    )
    shop.night(FIRST)
    raw = shop.root / "data" / "landing" / "shop" / "contact" / str(FIRST) / "files"
    assert [path.name for path in raw.iterdir()] == ["contact.csv"]

    shop.forget(ANN)

    assert [path.name for path in raw.iterdir()] == ["contact.csv.kept.parquet"]
    assert shop.keys("accepted", "shop/contact", "contact_id") == ["c-joann"]
    assert [verdict.passed for verdict in shop.night(SECOND)] == [True]
    assert shop.rows("accepted", "shop/contact", SECOND) == []


def test_erasing_twice_changes_nothing_the_second_time(without_ann: Shop, tmp_path: Path) -> None:
    shop = without_ann.copy_to(tmp_path / "shop")
    before = shop.content("landing", "accepted", "quarantine")

    again = shop.forget(f"mailto:{ANN}")

    assert not any(again.counts.values())
    assert shop.content("landing", "accepted", "quarantine") == before
    assert len(list((shop.root / "data" / "erasures").glob("*.json"))) == 2, "one person, and the key's check"


@pytest.mark.promise("kills")
@pytest.mark.parametrize("after", [0, 2, 5])
def test_an_erasure_that_was_killed_holds_back_the_night_and_is_finished_by_the_next_one(
    shop: Shop, without_ann: Shop, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    reached = 0

    def die(_: str) -> None:
        nonlocal reached
        reached += 1
        if reached > after:
            raise KeyboardInterrupt

    monkeypatch.setattr(erasure, "fault_point", die)
    with pytest.raises(KeyboardInterrupt):
        shop.forget(ANN)
    with pytest.raises(JourneymartError, match="interrupted: run `journeymart erase`"):
        shop.night(FIRST)
    monkeypatch.undo()
    monkeypatch.setenv("JOURNEYMART_ERASURE_KEY", KEY)

    shop.forget()

    assert shop.content("landing") == without_ann.content("landing")
    assert {b.batch_id for b in accepted_batches(shop.setup.folder)} == {
        b.batch_id for b in accepted_batches(without_ann.setup.folder)
    }


def test_an_address_of_a_role_or_of_several_people_names_nobody(shop: Shop) -> None:
    before = shop.content("landing", "accepted", "quarantine")

    with pytest.raises(JourneymartError, match="shared by several people: name the person's records with --id"):
        shop.forget("info@corner.example")

    assert shop.content("landing", "accepted", "quarantine") == before
    assert not (shop.root / "data" / "erasures").exists()


def test_of_two_who_share_an_address_only_the_one_named_goes(shop: Shop) -> None:
    shop.forget(ids=["shop:contact:c-bob"])

    contacts = {row["contact_id"]: row for row in shop.rows("accepted", "shop/contact")}
    assert set(contacts) == {"c-ann", "c-annie", "c-joann", "c-eve"}
    assert contacts["c-eve"]["email"] == "info@corner.example"


def test_a_family_that_shares_a_number_keeps_its_others(shop: Shop) -> None:
    header = CONTACTS.partition("\n")[0]
    shop.deliver(
        SECOND,
        shop_contact=f"{header}\nc-ben,ben@example.org,+49 30 1234567,Ben,Lee,DE,45,2026-03-02T08:00:00Z\n",
    )
    shop.night(SECOND)

    shop.forget(ANN)

    assert shop.keys("accepted", "shop/contact", "contact_id", SECOND) == ["c-ben"]
    with pytest.raises(JourneymartError, match="shared by several people"):
        shop.forget(phones=["+49301234567"])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "is not set"),
        ("short", "is shorter than 32 characters"),
        (KEY[::-1], "is not the secret that"),
    ],
)
def test_without_its_own_secret_the_register_lets_neither_an_erasure_nor_a_night_pass(
    without_ann: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, said: str
) -> None:
    shop = without_ann.copy_to(tmp_path / "shop")
    monkeypatch.delenv("JOURNEYMART_ERASURE_KEY")
    if key:
        monkeypatch.setenv("JOURNEYMART_ERASURE_KEY", key)

    with pytest.raises(JourneymartError, match=said):
        shop.forget("somebody@example.org")
    with pytest.raises(JourneymartError, match=said):
        shop.night(FIRST)


def test_where_nobody_asked_the_secret_is_never_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNEYMART_ERASURE_KEY")
    before = shop.content("landing")

    assert all(verdict.passed for verdict in shop.night(FIRST))
    assert shop.content("landing") == before


def test_the_register_is_the_owners_alone_and_holds_digests_only(without_ann: Shop) -> None:
    home = without_ann.root / "data" / "erasures"

    assert home.stat().st_mode & 0o777 == 0o700
    for path in home.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        for clear in (ANN, "1234567", "c-ann", "7001", "Lee", KEY):
            assert clear not in path.read_text()
    (entry,) = [json.loads(path.read_text()) for path in home.glob("*.json") if path.name != "key.json"]
    assert entry["due_at"] == "2026-02-28T09:00:00+00:00", "a month later, by the calendar"
    assert all(len(mark) == 64 for mark in entry["marks"])


@pytest.mark.parametrize(
    "given",
    [
        ("--email", "no address of Ann"),
        ("--phone", "030 1234567"),
        ("--id", "shop:order:o-ann"),
        ("--id", "c-ann"),
        ("--email", "info@corner.example"),
        ("--email", ANN),
    ],
)
def test_what_was_given_is_never_said(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: tuple[str, str]
) -> None:
    settings = shop.setup.settings
    for name, value in (("DATA", settings.data), ("STATE", settings.state), ("SOURCES", settings.sources)):
        monkeypatch.setenv(f"JOURNEYMART_{name}", str(value))

    command_line(["erase", *given])

    printed = capsys.readouterr()
    assert printed.out or printed.err
    for said in (printed.out, printed.err):
        assert given[1].lower() not in said.lower()


def test_a_landed_stream_nobody_knows_any_more_stops_the_erasure(shop: Shop) -> None:
    (shop.root / "sources.yml").write_text(SOURCES.partition("  club:")[0])

    with pytest.raises(JourneymartError, match="holds extracts of club/contact"):
        shop.forget(ANN)


def test_a_stream_that_tells_names_of_people_is_one_of_people_or_of_their_answers() -> None:
    """Which columns lead to people, a contract has to say before it loads (test_contract_model.py)."""
    for contract in all_contracts():
        named = {name for name, column in contract.columns.items() if column.pii == "direct"}
        if named & {"first_name", "FirstName"}:
            assert contract.record == "person", f"{contract.system}/{contract.stream}"


def test_a_person_of_whom_there_are_several_records_is_found_by_what_they_have_in_common(tmp_path: Path) -> None:
    """A shop makes a record per order; the person they name makes them one."""
    rows = {"customer_id": ["a", "b", "c"], "customer_unique_id": ["ann", "ann", "bob"]}
    pq.write_table(pa.table(rows), tmp_path / ROWS)
    people = read_people([(StreamId("shop", "olist", "customers"), load_contract("olist", "customers"), tmp_path)])
    _, ids = who(people, [], scoped_ids("shop", "a"), lambda _: False)
    assert ids == scoped_ids("shop", "a") | scoped_ids("shop", "b") | scoped_ids("shop", "ann")
