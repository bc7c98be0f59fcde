"""E-mail addresses and phone numbers in one spelling.

What lives here: how an address and a number are spelled. Not here: spelling what a night brought
(assets/warehouse/contact_points.py).

Both spellings are pure functions of what was typed, so a build from nothing spells the same. Nothing is guessed: what
is not surely an address or a number has no spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import phonenumbers

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
    reason, result = phonenumbers.is_possible_number_with_reason(number), phonenumbers.ValidationResult
    kept = (result.IS_POSSIBLE, result.TOO_LONG, result.INVALID_LENGTH)
    digits = len(f"{number.country_code}{phonenumbers.national_significant_number(number)}")
    if reason not in kept or digits > _LONGEST_E164:
        return None
    spelled = _e164(number)
    # What is too long, or begins with zeros, may be read as another number when it is read again: it is none.
    is_plain = reason == result.IS_POSSIBLE and not number.italian_leading_zero
    if not is_plain and _e164(phonenumbers.parse(spelled, None)) != spelled:
        return None
    return f"{spelled};ext={number.extension}" if number.extension else spelled


def _e164(number: phonenumbers.PhoneNumber) -> str:
    import phonenumbers

    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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
