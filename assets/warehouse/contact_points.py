"""E-mail addresses and phone numbers in one spelling, so that SQL can compare them.

What lives here: how an address and a number are spelled, and the spelling of what a night brought. Not here: which
columns hold them (the contracts), which addresses name nobody (seed `identity_exclusions`), who is whom (dbt).

Both spellings are pure functions of what was typed, so a build from nothing spells the same. Nothing is guessed: what
is not surely an address or a number has no spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.warehouse.load import accepted_table, attached
from quality.contract.model import Column, ContactPoint, all_contracts
from storage.data_folder import warehouse_file

_DISPLAY_NAME = re.compile(r".*<([^<>]*)>\s*", re.DOTALL)
_SCHEME = re.compile(r"(mailto|tel):\s*", re.IGNORECASE)
_LOCAL_PART = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}")
_PLAIN_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_DOMAIN = 253
_LONGEST_E164 = 15

# Words for countries that neither ISO 3166 nor any language has.
_OTHER_WORDS = {"uk": "GB", "usa": "US"}


def spell_email(raw: str) -> str | None:
    """An e-mail address in its one spelling; None: it is none.

    Dots and +tags stay, because they are significant at most providers.
    """
    text = _readable(raw)
    if named := _DISPLAY_NAME.fullmatch(text):
        text = named.group(1).strip()
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :].partition("?")[0].strip()
    local, at, domain = text.lower().rpartition("@")
    ascii_domain = _ascii_domain(domain.removesuffix(".")) if at and _LOCAL_PART.fullmatch(local) else None
    return f"{local}@{ascii_domain}" if ascii_domain else None


def spell_phone(raw: str, country: str | None) -> str | None:
    """A phone number as E.164, an extension behind it as RFC 3966 writes it; None: it is none, or nobody says where.

    A number with more digits than its country gives is kept: nothing of what was typed is lost. A shorter one is not.

    Args:
        raw: The number as typed.
        country: Country of the record, as code or name; it is asked only where the number has no `+`.
    """
    import phonenumbers

    text = _readable(raw)
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :]
    try:
        number = phonenumbers.parse(text, _region(country) if country else None)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.ValidationResult
    kept = (reason.IS_POSSIBLE, reason.TOO_LONG, reason.INVALID_LENGTH)
    digits = len(f"{number.country_code}{phonenumbers.national_significant_number(number)}")
    if phonenumbers.is_possible_number_with_reason(number) not in kept or digits > _LONGEST_E164:
        return None
    extension = f";ext={number.extension}" if number.extension else ""
    return f"{phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)}{extension}"


def spell_contact_points(build: Path) -> dict[ContactPoint, int]:
    """Spell what the night's rows hold and no night before spelled; nothing else is looked at.

    Args:
        build: A build into which the night's rows were loaded.

    Returns:
        How many were spelled, by kind.
    """
    with attached(warehouse_file(build)) as (connection, _):
        connection.execute("begin transaction")
        emails = connection.execute(_new("email")).fetchall()
        _insert(connection, "email_addresses", ("raw", "spelled"), ((raw, spell_email(raw)) for (raw,) in emails))
        phones = connection.execute(_new("phone")).fetchall()
        _insert(
            connection,
            "phone_numbers",
            ("raw", "country", "e164"),
            ((raw, country, spell_phone(raw, country)) for raw, country in phones),
        )
        connection.execute("commit")
    return {"email": len(emails), "phone": len(phones)}


def _new(kind: ContactPoint) -> str:
    """Select what the night's rows hold of one kind and no table holds; the country of what has none is ''."""
    table, key = ("email_addresses", "raw") if kind == "email" else ("phone_numbers", "raw, country")
    found = " union ".join(
        f'select "{name}" as raw, {_country_of(column)} as country '
        f'from warehouse.accepted."{accepted_table(contract.system, contract.stream)}" '
        f'where _night = (select night from warehouse.night.night) and "{name}" is not null'
        for contract in all_contracts()
        for name, column in contract.columns.items()
        if column.contact_point == kind
    )
    return f"select distinct {key} from ({found}) as found anti join warehouse.night.{table} using ({key})"


def _country_of(column: Column) -> str:
    return f"coalesce(\"{column.country}\", '')" if column.country else "''"


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]
) -> None:
    spelled = [dict(zip(columns, row, strict=True)) for row in rows]
    arrived = pa.Table.from_pylist(spelled, schema=pa.schema([(column, pa.string()) for column in columns]))  # noqa: F841
    connection.execute(f"insert into warehouse.night.{table} select {', '.join(columns)} from arrived")


def _readable(raw: str) -> str:
    """Compatible characters as one, invisible ones gone."""
    if raw.isascii():
        return raw.strip()
    return "".join(c for c in unicodedata.normalize("NFKC", raw) if unicodedata.category(c) != "Cf").strip()


def _ascii_domain(domain: str) -> str | None:
    if "xn--" not in domain and _PLAIN_DOMAIN.fullmatch(domain):
        return domain if len(domain) <= _LONGEST_DOMAIN else None
    if domain.isascii() and "xn--" not in domain:
        return None
    import idna

    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return None
    return encoded if _PLAIN_DOMAIN.fullmatch(encoded) and len(encoded) <= _LONGEST_DOMAIN else None


@cache
def _region(country: str) -> str | None:
    """The region phonenumbers knows a country by; None: it knows none of that name."""
    import phonenumbers

    code = country.strip().upper()
    return code if code in phonenumbers.SUPPORTED_REGIONS else _countries().get(country.strip().casefold())


@cache
def _countries() -> dict[str, str]:
    """Regions by the countries' names in every language, names of several countries left out."""
    from phonenumbers.geodata.locale import LOCALE_DATA

    regions: dict[str, set[str]] = {}
    for region, name in _country_names(LOCALE_DATA):
        regions.setdefault(name.casefold(), set()).add(region)
    return {**{name: next(iter(named)) for name, named in regions.items() if len(named) == 1}, **_OTHER_WORDS}


def _country_names(names_by_region: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    for region, names in names_by_region.items():
        # "*de" stands for the name in German.
        yield from ((region, name) for name in names.values() if not name.startswith("*"))
