"""Who asks what is held on them gets all that was delivered about them, and of others only what names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assets.access.delivered import BECAUSE
from orchestration.operations.hand_out_person import CONTENTS, HandedOut, hand_out
from orchestration.operations.named_person import read_given
from storage.errors import JourneymartError
from tests.corner_shop import ANN, ASKED, CONTACTS, FIRST, MEMBERS, SECOND, Shop, first_night

OWN = ["it is the person's own record"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Two nights of the shop, landed. Read-only."""
    shop = first_night(tmp_path_factory.mktemp("access") / "shop")
    shop.deliver(SECOND, club_contact=MEMBERS, shop_contact=CONTACTS.replace(",38,", ",39,"))
    shop.land(SECOND)
    return shop


@pytest.fixture(scope="module")
def asked(shop: Shop) -> tuple[HandedOut, Path]:
    """What was handed out when Ann asked."""
    target = shop.root / "for" / "Ann"
    return hand_out(shop.setup, read_given(shop.setup, [f"Mailto:{ANN.upper()}"], [], []), target, ASKED), target


def told(asked: tuple[HandedOut, Path], file: str) -> list[dict[str, Any]]:
    path = asked[1] / f"delivered.{file}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keys(asked: tuple[HandedOut, Path], file: str, key: str) -> list[tuple[str, list[str]]]:
    return [(row.get(key, ""), row[BECAUSE]) for row in told(asked, file)]


def test_every_record_of_the_person_is_told_by_whatever_leads_to_it(asked: tuple[HandedOut, Path]) -> None:
    assert {key for key, _ in keys(asked, "shop.contact", "contact_id")} == {"c-ann"}
    assert {key for key, _ in keys(asked, "desk.users", "id")} == {"7001", "7002"}
    assert keys(asked, "shop.order", "order_id")[:2] == [("o-1", OWN), ("o-3", OWN)]
    assert asked[0].records == 4


def test_what_came_night_after_night_is_told_once_and_what_changed_again(asked: tuple[HandedOut, Path]) -> None:
    assert [(row["_extract_date"], row["shoe_size"]) for row in told(asked, "shop.contact")] == [
        (str(FIRST), "38"),
        (str(SECOND), "39"),
    ]
    assert [row["_extract_date"] for row in told(asked, "club.contact")] == [str(FIRST)]


def test_a_conversation_of_the_person_is_told_whole_whoever_wrote_in_it(asked: tuple[HandedOut, Path]) -> None:
    assert [key for key, _ in keys(asked, "desk.tickets", "id")] == ["51"]
    audits = told(asked, "desk.ticket_audits")
    assert [row["id"] for row in audits] == ["900", "901"]
    assert "Dear Ann" in audits[1]["events"]


def test_a_record_nobody_could_read_is_told_if_it_names_the_person(asked: tuple[HandedOut, Path]) -> None:
    (unreadable,) = [row for row in told(asked, "shop.order") if "raw" in row]
    assert ANN in unreadable["raw"]


def test_of_somebody_elses_row_only_what_names_the_person_is_told(asked: tuple[HandedOut, Path]) -> None:
    (own, quoting) = told(asked, "shop.survey_answer")
    assert (own["answer_id"], own["comment"]) == ("a-1", "I am Ann")
    assert quoting == {
        BECAUSE: ["it quotes an address of the person"],
        "_extract_date": str(FIRST),
        "_file": quoting["_file"],
        "_row": quoting["_row"],
        "answer_id": "a-2",
        "comment": f"better ask {ANN}.",
    }


def test_nobody_else_is_told_of(asked: tuple[HandedOut, Path]) -> None:
    everything = "".join(path.read_text() for path in asked[1].iterdir())
    assert "joann.lee@example.org" not in everything
    assert "Annie" not in everything


def test_the_folder_is_its_owners_alone_and_says_what_is_in_it(asked: tuple[HandedOut, Path]) -> None:
    done, target = asked
    assert target.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o600}
    said = json.loads((target / CONTENTS).read_text())
    assert (
        said["rows"]
        == done.rows
        == {path.name: len(path.read_text().splitlines()) for path in sorted(target.iterdir()) if path.name != CONTENTS}
    )
    assert (said["records"], said["version"]) == (4, None)


@pytest.mark.parametrize(
    ("emails", "said"),
    [([], "Nobody was named"), (["info@corner.example"], "is a role's or shared by several people")],
)
def test_who_is_meant_must_be_clear(shop: Shop, tmp_path: Path, emails: list[str], said: str) -> None:
    with pytest.raises(JourneymartError, match=said):
        hand_out(shop.setup, read_given(shop.setup, emails, [], []), tmp_path / "out", ASKED)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_is_left_as_it_is(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("")
    with pytest.raises(JourneymartError, match="is there already"):
        hand_out(shop.setup, read_given(shop.setup, [ANN], [], []), tmp_path, ASKED)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
