"""From delivered text to the types of the contract, as DuckDB SQL. Knows formats, no contract and no file.

A text that is not exactly of one of the accepted formats becomes NULL; whoever sees text beside NULL knows
that it did not cast. Formats are stated as patterns, because DuckDB's own casts accept more than is safe:
'1.5' as an integer, '1_000', a leap second, an offset that it drops.
"""

from __future__ import annotations

from quality.contract.currencies import KNOWN_CURRENCIES
from quality.contract.model import Column, ColumnType, folded
from quality.contract.reading import PLAIN, Reading
from quality.rows.ids import is_nothing, names_nobody, spelled_id

# What surrounds a value without belonging to it, the blank that never breaks included.
_BLANKS = " \t\r\n\u00a0"

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"

# A date that ends with its year, with or without a time of 12 or 24 hours.
_LOCAL_DATE = (
    r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})"
    rf"(?:(?:, ?| +|T)([0-9]{{1,2}})(:[0-9:.]+)(?: ?([AaPp])\.?[Mm]\.?)?({_OFFSET})?)?"
)
_LOCAL_PARTS = ("first", "second", "year", "hour", "minutes", "half", "zone")

# What groups the digits of a number, as it may be typed.
GROUPING = {".": r"\.", ",": ",", " ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
GROUP_MARKS = ".,' \u00a0\u2009\u202f\u2019"
NUMERIC: tuple[ColumnType, ...] = ("bigint", "double", "decimal")

# The years 1 to 9999, in any zone; what of them is plausible is a question of bounds (quality/contract/bounds.py).
_FIRST_TIME = "timestamptz '0001-01-01 00:00:00+00' - interval 15 hour"
_LAST_TIME = "timestamptz '9999-12-31 23:59:59.999999+00' + interval 15 hour"


def identifier(name: str) -> str:
    """Name of a column or table, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text, quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def present(column_type: ColumnType, text: str, empty: tuple[str, ...] = ()) -> str:
    """SQL of a value's text without the blanks around it, NULL where nothing was delivered.

    What stands for nothing is decided by what the column holds: `NULL` is no amount, no date and nobody's id, but a
    family's name; `NA` is a country.

    Args:
        column_type: Type by contract.
        text: SQL of the delivered text.
        empty: Texts declared to stand for nothing.
    """
    trimmed = _trimmed(text)
    value = f"nullif({trimmed}, '')"
    if column_type == "json":
        value = f"nullif({value}, 'null')"
    elif column_type != "text":
        nothing = names_nobody(trimmed) if column_type == "id" else is_nothing(trimmed)
        value = f"case when not {nothing} then {value} end"
    declared = ", ".join(literal(word.strip(_BLANKS)) for word in empty)
    return f"case when {trimmed} not in ({declared}) then {value} end" if declared else value


def _trimmed(text: str) -> str:
    """SQL of a text without the blanks around it; most have none, and to trim one DuckDB reads it whole."""
    blanks = ", ".join(map(literal, _BLANKS))
    is_surrounded = f"({text})[1] in ({blanks}) or ({text})[-1] in ({blanks})"
    return f"case when {is_surrounded} then trim({text}, {literal(_BLANKS)}) else {text} end"


def respelled(column: Column, text: str) -> str:
    """SQL of a text in the contract's spelling: an allowed value, or one of its other spellings, as `folded` tells."""
    if column.allowed is None:
        return text
    spellings = {folded(value): value for value in column.allowed} | dict(column.spellings)
    cases = " ".join(f"when {literal(word)} then {literal(value)}" for word, value in spellings.items())
    return f"case translate(lower({text}), ' -', '__') {cases} else {text} end"


def cast(column_type: ColumnType, text: str, timezone: str, reading: Reading = PLAIN) -> str:
    """SQL of the typed value, NULL where there is none or the text is not of the type.

    A time without an offset is read in `timezone`. A time the clock skips in spring is moved forward by what
    was skipped (02:30 becomes 03:30 summer time); of a time the clock shows twice in autumn, the later is
    meant (winter time).

    Args:
        column_type: Type by contract.
        text: SQL of the text as `present` gives it.
        timezone: IANA zone.
        reading: How the texts of the stream are written.
    """
    if column_type in ("date", "timestamp"):
        return _cast(column_type, year_first(text, reading), timezone)
    if column_type in NUMERIC and number_shape(reading) != number_shape(PLAIN):
        return _where(number_shape(reading), text, _cast(column_type, _plain_number(text, reading), timezone))
    return _cast(column_type, text, timezone)


def number_shape(reading: Reading) -> str:
    """Pattern of the numbers that are written as the rules say."""
    digits, point = "[0-9]+", GROUPING[reading.point]
    if reading.thousands:
        digits = rf"(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{GROUPING[reading.thousands]}[0-9]{{3}})+)"
    return rf"[+-]?(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?"


def plain_number(text: str, reading: Reading) -> str:
    """SQL of a number with a decimal point and no groups, NULL where the text is none as the rules say."""
    return _where(number_shape(reading), text, _plain_number(text, reading))


def _plain_number(text: str, reading: Reading) -> str:
    """SQL of a number with a decimal point and no groups."""
    if reading.thousands:
        text = f"regexp_replace({text}, {literal(GROUPING[reading.thousands])}, '', 'g')"
    return text if reading.point == "." else f"replace({text}, {literal(reading.point)}, '.')"


def year_first(text: str, reading: Reading) -> str:
    """SQL of the text of a date or time with the year first and dashes between, as far as the rules can tell."""
    dashed = f"regexp_replace({text}, '^([0-9]{{4}})[/.]([0-9]{{2}})[/.]([0-9]{{2}})', '\\1-\\2-\\3')"
    in_order = f"case when substr({text}, 5, 1) in ('/', '.') then {dashed} else {text} end"
    if reading.dates is None:
        return in_order
    parts = f"regexp_extract({text}, {literal(f'^{_LOCAL_DATE}$')}, [{', '.join(map(literal, _LOCAL_PARTS))}])"
    day, month = ("first", "second") if reading.dates == "day-first" else ("second", "first")
    # An hour that no clock shows becomes one that cannot be read.
    hour = (
        "case when part.half = '' then lpad(part.hour, 2, '0') when part.hour::integer not between 1 and 12 then '99' "
        "else lpad((part.hour::integer % 12 + case lower(part.half) when 'p' then 12 else 0 end)::varchar, 2, '0') end"
    )
    time = f"case when part.hour <> '' then concat(' ', {hour}, part.minutes, part.zone) else '' end"
    turned = f"concat(part.year, '-', lpad(part.{month}, 2, '0'), '-', lpad(part.{day}, 2, '0'), {time})"
    return (
        f"case when regexp_matches({text}, '^[0-9]{{1,2}}[/.-]') then "
        f"list_transform([{parts}], lambda part: case when part.year <> '' then {turned} end)[1] else {in_order} end"
    )


def _cast(column_type: ColumnType, text: str, timezone: str) -> str:  # noqa: PLR0911 -- one per type
    """SQL of the typed value of a text in the formats that need no rules."""
    match column_type:
        case "text":
            return text
        case "id":
            return spelled_id(text)
        case "currency":
            codes = ", ".join(map(literal, sorted(KNOWN_CURRENCIES)))
            return _if(f"upper({text}) in ({codes})", f"upper({text})")
        case "bigint":
            whole = f"try_cast(split_part({text}, '.', 1) as bigint)"
            return _where(r"[+-]?[0-9]{1,19}(?:\.0*)?", text, whole)
        case "double":
            number = _where(rf"{_NUMBER}(?:[eE][+-]?[0-9]{{1,3}})?", text, _try(text, "double"))
            return _if(f"isfinite({number})", number)
        case "decimal":
            return _where(rf"{_NUMBER}(?:[eE][+-]?[0-9]{{1,2}})?", text, _try(text, "decimal(18, 2)"))
        case "boolean":
            return (
                f"case when lower({text}) in ('true', '1', 'yes', 't', 'y', '1.0') then true "
                f"when lower({text}) in ('false', '0', 'no', 'f', 'n', '0.0') then false end"
            )
        case "date":
            day = _where(_DATE, text, _try(text, "date"))
            return _if(f"{day} >= date '0001-01-01'", day)
        case "timestamp":
            absolute = _where(rf"{_DATE}[T ]{_TIME}{_OFFSET}", text, _try(text, "timestamptz"))
            local = f"timezone({literal(timezone)}, {_try(text, 'timestamp')})"
            return _in_calendar(f"coalesce({absolute}, {_where(rf'{_DATE}[T ]{_TIME}', text, local)})")
        case "epoch_s":
            return _epoch(text, whole_digits=12, decimals=6)
        case "epoch_ms":
            return _epoch(text, whole_digits=15, decimals=3)
        case "json":
            return _if(f"json_valid({text})", f"{text}::json")


def _if(condition: str, value: str) -> str:
    return f"case when {condition} then {value} end"


def _where(pattern: str, text: str, value: str) -> str:
    return _if(f"regexp_full_match({text}, {literal(pattern)})", value)


def _try(text: str, duckdb_type: str) -> str:
    return f"try_cast({text} as {duckdb_type})"


def _in_calendar(time: str) -> str:
    return _if(f"{time} between {_FIRST_TIME} and {_LAST_TIME}", time)


def _epoch(text: str, whole_digits: int, decimals: int) -> str:
    """Seconds (6 decimals) or milliseconds (3 decimals) since 1970, down to the microsecond."""
    number = _try(text, f"decimal(24, {decimals})")
    micros = f"cast({number} * {10**decimals} as bigint)"
    inside = f"{micros} between epoch_us({_FIRST_TIME}) and epoch_us({_LAST_TIME})"
    value = _if(inside, f"make_timestamptz({micros})")
    return _where(rf"[+-]?[0-9]{{1,{whole_digits}}}(?:\.[0-9]{{0,9}})?", text, value)
