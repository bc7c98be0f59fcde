"""E-mail addresses and phone numbers have one spelling, and what is none has none."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assets.text.contact_points import spell_email, spell_phone
from assets.warehouse.contact_points import spell_contact_points
from assets.warehouse.load import Night, load, prepare
from quality.contract.model import all_contracts
from storage.data_folder import warehouse_file


@pytest.mark.parametrize(
    ("raw", "spelled"),
    [
        ("ann@a.example", "ann@a.example"),
        ("\tANN.B+X@A.Example ", "ann.b+x@a.example"),
        ("Ann <ann@a.example>", "ann@a.example"),
        ('"Lee, Ann" <Ann@A.example> ', "ann@a.example"),
        ("mailto:ann@a.example", "ann@a.example"),
        ("MAILTO: ann@a.example?subject=hi", "ann@a.example"),
        ("ａｎｎ＠a.example", "ann@a.example"),
        ("ann\u200b@a.example\ufeff", "ann@a.example"),
        ("ann@münchen.example", "ann@xn--mnchen-3ya.example"),
        ("ann@XN--MNCHEN-3YA.example", "ann@xn--mnchen-3ya.example"),
        ("jörg@a.example", "jörg@a.example"),
        ("jo\u0308rg@a.example", "jörg@a.example"),
        ("ann@a.example.", "ann@a.example"),
        ("", None),
        ("nobody", None),
        ("ann@", None),
        ("@a.example", None),
        ("ann@localhost", None),
        ("ann@@a.example", None),
        ("ann@a..example", None),
        ("ann@-a.example", None),
        ("ann@a_b.example", None),
        ("ann@192.0.2.1", None),
        ("ann lee@a.example", None),
        ("ann@a.example; bob@a.example", None),
        ("ann(at)a.example", None),
        (f"{'a' * 65}@a.example", None),
        (f"ann@{'a.' * 130}example", None),
    ],
)
def test_an_address_has_one_spelling_or_none(raw: str, spelled: str | None) -> None:
    assert spell_email(raw) == spelled


@pytest.mark.parametrize(
    ("raw", "country", "spelled"),
    [
        ("030 123456", "DE", "+4930123456"),
        ("(030) 12 34 56", " de ", "+4930123456"),
        ("030/123456", "Germany", "+4930123456"),
        ("030-123456", "Deutschland", "+4930123456"),
        ("020 7031 3000", "UK", "+442070313000"),
        ("+49 (0)30 123456", "", "+4930123456"),
        ("+49 30 123456", "FR", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("011 49 30 123456", "US", "+4930123456"),
        ("tel:+49-30-123456", None, "+4930123456"),
        ("＋４９ ３０ １２３４５６", None, "+4930123456"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("+1 212 555 1234 ext. 12", None, "+12125551234;ext=12"),
        ("+33 170 1832980", None, "+331701832980"),
        ("030 123456", None, None),
        ("030 123456", "", None),
        ("030 123456", "Atlantis", None),
        ("0049 30 123456", None, None),
        ("12", "DE", None),
        ("+", None, None),
        ("no phone", "DE", None),
        ("+999 123456", None, None),
        ("0000 30 123456", "DE", None),
        ("06 12345678", "IT", "+390612345678"),
        ("+49 30 1234567890123456", None, None),
    ],
)
def test_a_number_has_one_spelling_or_none_and_no_country_is_guessed(
    raw: str, country: str | None, spelled: str | None
) -> None:
    assert spell_phone(raw, country) == spelled


@example(raw="000000", country="DE")
@given(raw=st.text(max_size=40), country=st.sampled_from(["DE", "", "US"]))
def test_whatever_was_typed_is_spelled_and_what_is_spelled_stays(raw: str, country: str) -> None:
    email, phone = spell_email(raw), spell_phone(raw, country)
    assert email is None or spell_email(email) == email
    assert phone is None or spell_phone(phone, None) == phone


def test_only_what_is_new_and_not_spelled_yet_is_spelled(tmp_path) -> None:
    build = tmp_path / "build"
    prepare(build)

    def night(number: int, *rows: tuple[str, str, str]) -> dict[str, int]:
        load(build, [], Night(date(2026, 1, number), "run", "UTC", "EUR"))
        with duckdb.connect() as connection:
            connection.execute(f"attach '{warehouse_file(build)}' as warehouse")
            for email, phone, country in rows:
                connection.execute(
                    "insert into warehouse.accepted.salesforce__contact (Email, MobilePhone, MailingCountry, _night) "
                    "values (?, ?, ?, ?)",
                    [email, phone, country, number],
                )
        return dict(spell_contact_points(build))

    assert night(1, ("Ann@a.example", "030 123456", "DE"), ("nobody", "030 123456", "DE")) == {"email": 2, "phone": 1}
    assert night(2, ("Ann@a.example", "030 123456", "AT")) == {"email": 0, "phone": 1}
    assert night(3) == {"email": 0, "phone": 0}
    with duckdb.connect(str(warehouse_file(build)), read_only=True) as connection:
        emails = connection.execute("select raw, spelled from night.email_addresses order by all").fetchall()
        phones = connection.execute("select country, e164 from night.phone_numbers order by all").fetchall()
    assert emails == [("Ann@a.example", "ann@a.example"), ("nobody", None)]
    assert phones == [("AT", "+4330123456"), ("DE", "+4930123456")]


def test_every_column_that_may_hold_a_contact_point_says_so() -> None:
    silent = [
        f"{contract.system}.{contract.stream}.{name}"
        for contract in all_contracts()
        for name, column in contract.columns.items()
        if column.pii == "direct" and ("mail" in name.lower() or "phone" in name.lower()) and not column.contact_point
    ]
    assert silent == []
