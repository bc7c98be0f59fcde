r"""The one spelling of an id, in SQL for the gate and in Python for the register of erased people.

What lives here: what a tool made of an id on its way and how that is undone, and which texts name nobody. Not here:
which columns hold ids (the contracts), and the same for ids of Salesforce in models (macro `salesforce_id`).

A table of numbers with a gap becomes one of floats, so 1001 arrives as `1001.0`: what is lost is nothing, up to 15
digits. Of a longer one, and of one in scientific notation (`9.1E+15`), digits are lost: it names no record any more.
A missing id arrives as the word a tool has for nothing, `NULL` or `nan`: whoever took it for an id would make one
person of all who are not known.
"""

from __future__ import annotations

import re

# Words of databases, languages and spreadsheets for "there is none"; compared in lower case.
NOTHING = (
    *("null", "(null)", "[null]", "<null>", r"\n", "nil", "none", "undefined"),
    *("nan", "nat", "na", "<na>", "n/a", "#n/a", "#null!"),
)

_FLOAT = r"-?[0-9]{1,15}\.0+"
# A sign or a separator tells it from a hexadecimal id such as 12e5.
_SCIENTIFIC = r"-?[0-9]+(?:[.,][0-9]+[eE][+-]?|[eE]\+)[0-9]+"
_LOST_DIGITS = rf"{_SCIENTIFIC}|-?[0-9]{{16,}}\.0+"
_IN_A_NAME = r"[\pL\pN]"


def is_nothing(text: str) -> str:
    """SQL that is true where a text, without blanks around it, is a word for nothing."""
    words = ", ".join("'" + word.replace("'", "''") + "'" for word in NOTHING)
    return f"lower({text}) in ({words})"


def names_nobody(text: str) -> str:
    """SQL that is true where an id is a word for nothing, or has neither letter nor digit."""
    return f"({is_nothing(text)} or not regexp_matches({text}, '{_IN_A_NAME}'))"


def spelled_id(text: str) -> str:
    """SQL of an id in its one spelling, NULL where digits of it are lost.

    Args:
        text: SQL of the text, without blanks around it.
    """
    return (
        f"case when not regexp_matches({text}, '[.,+]') then {text} "
        f"when regexp_full_match({text}, '{_FLOAT}') then split_part({text}, '.', 1) "
        f"when not regexp_full_match({text}, '{_LOST_DIGITS}') then {text} end"
    )


def spell_id(text: str) -> str | None:
    """An id in its one spelling, as the gate accepts it; None where it names nobody, or digits of it are lost."""
    bare = text.strip(" \t\r\n\u00a0")
    if bare.lower() in NOTHING or not any(character.isalnum() for character in bare):
        return None
    if re.fullmatch(_FLOAT, bare):
        return bare.partition(".")[0]
    return None if re.fullmatch(_LOST_DIGITS, bare) else bare


def unfolded_salesforce_id(text: str) -> str:
    """A Salesforce id of 18 characters with its capitals; what is none, or lost no capital, as it is.

    Each of the last three characters says which of five are capitals: so an id that some tool put in small letters, or
    in capitals, can be had back.
    """
    folded = text.lower()
    if not re.fullmatch("[a-z0-9]{15}[a-z0-5]{3}", folded) or text not in (folded, text.upper()):
        return text
    letters = []
    for place, character in enumerate(folded[:15]):
        is_capital = "abcdefghijklmnopqrstuvwxyz012345".index(folded[15 + place // 5]) >> place % 5 & 1
        if is_capital and not character.isalpha():
            return text
        letters.append(character.upper() if is_capital else character)
    return "".join(letters) + folded[15:].upper()
