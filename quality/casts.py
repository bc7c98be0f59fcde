"""From delivered text to the types of the contract, as DuckDB SQL. Knows formats, no contract and no file.

A text that is not exactly of one of the accepted formats becomes NULL; whoever sees text beside NULL knows
that it did not cast. Formats are stated as patterns, because DuckDB's own casts accept more than is safe:
'1.5' as an integer, '1_000', a leap second, an offset that it drops.
"""

from __future__ import annotations

from quality.contract import ColumnType

# What surrounds a value without belonging to it. Text columns keep theirs.
_BLANKS = " \t\r\n"

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"

# The years 1 to 9999, in any zone; what of them is plausible is a question of bounds (bounds.py).
_FIRST_TIME = "timestamptz '0001-01-01 00:00:00+00' - interval 15 hour"
_LAST_TIME = "timestamptz '9999-12-31 23:59:59.999999+00' + interval 15 hour"


def identifier(name: str) -> str:
    """Name of a column or table, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text, quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def present(column_type: ColumnType, text: str) -> str:
    """SQL of a value's text, NULL where nothing was delivered.

    Args:
        column_type: Type by contract.
        text: SQL of the delivered text.
    """
    if column_type == "text":
        return text
    trimmed = f"nullif(trim({text}, {literal(_BLANKS)}), '')"
    return f"nullif({trimmed}, 'null')" if column_type == "json" else trimmed


def filled(text: str) -> str:
    """SQL of a text, NULL where it holds nothing but blanks: a required column needs more."""
    return f"case when trim({text}, {literal(_BLANKS)}) <> '' then {text} end"


def cast(column_type: ColumnType, text: str, timezone: str) -> str:  # noqa: PLR0911 -- one per type
    """SQL of the typed value, NULL where there is none or the text is not of the type.

    A time without an offset is read in `timezone`. A time the clock skips in spring is moved forward by what
    was skipped (02:30 becomes 03:30 summer time); of a time the clock shows twice in autumn, the later is
    meant (winter time).

    Args:
        column_type: Type by contract.
        text: SQL of the text as `present` gives it.
        timezone: IANA zone.
    """
    match column_type:
        case "text":
            return text
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
                f"case when lower({text}) in ('true', '1', 'yes') then true "
                f"when lower({text}) in ('false', '0', 'no') then false end"
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
