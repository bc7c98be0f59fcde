"""What a stream's extract is made of, and the SQL words shared by all vendors.

What lives here: `Stream`, and macros that turn ids and times into the vendors' forms.
Not here: the columns of one vendor (native_*.py), and which rows an extract holds (extract.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sample_company import vocabulary as words


@dataclass(frozen=True)
class Stream:
    """One stream of the sample company.

    Attributes:
        source: Source name, as in company.yml.
        name: Stream name.
        extension: Ending of its file names.
        table: Table of the world its records come from.
        moments: Times of a record; whenever one passes, the record is in that day's extract.
            Of a table dumped as a whole: when the record comes and when it goes.
        key: Native columns that name a record.
        columns: What follows the word `select` in SQL: the native columns, then `_dirt` (kinds of dirt in the
            row), from `picked as p` (records by `id`, and `cutoff`, the time from which nothing may show)
            and the world's tables.
        where: Records the stream holds; empty: all.
        late_by: Column naming what is late together; None: never late.
        repeats: The vendor's export repeats rows now and then.
        touched: Record a nightly job touches, so that no extract is empty.
        mode: `increment`, or `full`: the whole table each night.
    """

    source: str
    name: str
    extension: Literal["csv.gz", "jsonl.gz", "parquet"]
    table: str
    moments: tuple[str, ...]
    key: tuple[str, ...]
    columns: str
    where: str = ""
    late_by: str | None = None
    repeats: bool = False
    touched: int | None = None
    mode: Literal["increment", "full"] = "increment"


def list_macros(lists: dict[str, Sequence[object]]) -> str:
    """SQL macros that name lists of constants: `channels()` and the like."""
    return "".join(f"create macro {name}() as {_literal(values)};\n" for name, values in lists.items())


def _literal(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(item) for item in value)}]"
    if value is None:
        return "null"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def shared_words() -> dict[str, Sequence[object]]:
    """Lists of words by name."""
    return {name.lower(): getattr(words, name) for name in dir(words) if name.isupper() and "WEIGHT" not in name}


MACROS = """
create macro shown(moment, cutoff) as case when moment < cutoff then moment end;
create macro latest(moments, cutoff) as list_max(list_filter(moments::timestamp[], lambda m: m < cutoff));
create macro iso(moment) as strftime(moment::timestamp, '%Y-%m-%dT%H:%M:%SZ');
create macro iso_ms(moment) as strftime(moment::timestamp, '%Y-%m-%dT%H:%M:%S.000Z');
create macro plain(moment) as strftime(moment::timestamp, '%Y-%m-%d %H:%M:%S');
-- The last three characters say which of the others are capitals, five each: J and M are, and what the prefix has.
create macro crm_check(prefix) as substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + 8 + 16
    + case when substr(prefix, 2, 1) between 'A' and 'Z' then 2 else 0 end
    + case when substr(prefix, 3, 1) between 'A' and 'Z' then 4 else 0 end, 1) || 'AA';
create macro crm_id(prefix, n) as
    case when n >= 0 then prefix || 'JM' || lpad(n::varchar, 10, '0') || crm_check(prefix) end;
create macro desk_id(n) as 9200000000000000 + n;
create macro ticket_no(n) as case when n >= 0 then 10001 + n end;
create macro order_no(n) as case when n >= 0 then 'NH-' || (100000 + n)::varchar end;
create macro nth(list, n) as list_extract(list, 1 + n % len(list));
create macro kinds(list) as list_filter(list, lambda item: item is not null);
create macro slug(name) as regexp_replace(
    replace(replace(replace(strip_accents(lower(name)), 'ß', 'ss'), 'ł', 'l'), 'ı', 'i'), '[^a-z.]', '', 'g');
create macro new_today(moment, cutoff) as moment >= cutoff - interval 1 day and moment < cutoff;
"""

PERSON = """
create table company_name as
select
    account.id,
    case when business
        then nth(company_stems(), name) || nth(company_tails(), name // 100) || ' '
            || nth(company_forms(), name // 10000)
    end as name,
    case when business
        then slug(nth(company_stems(), name) || nth(company_tails(), name // 100)) || account.id || '.example'
    end as domain
from account;

create table who as
with named as (
    select
        person.*,
        list_extract(first_names(), country + 1) as firsts,
        list_extract(last_names(), country + 1) as lasts
    from person
),

addressed as (
    select
        named.* exclude (firsts, lasts),
        nth(firsts, "first") as first_name,
        nth(lasts, "last") as last_name,
        coalesce(
            slug(first_name || '.' || last_name) || named.id || '@' || company_name.domain,
            slug(first_name || '.' || last_name) || named.id || '@' || nth(mail_providers(), provider)
        ) as address,
        company_name.domain
    from named
    inner join company_name on company_name.id = named.account
)

select
    addressed.*,
    list_extract(dial_codes(), country + 1) as dial,
    case mail
        when 0 then address
        when 1 then 'info@' || domain
        when 2 then nth(bad_emails(), addressed.id)
        when 3 then nth(
            ['  ' || upper(address), 'mailto:' || address, upper(address[:1]) || address[2:] || ' '],
                addressed.id
        )
    end as email,
    list_extract(languages(), country + 1) as language,
    list_extract(countries(), country + 1) as country_code
from addressed;

create macro address_at(address, id, mail, edited_at, cutoff) as
    case when mail = 0 and id % 3 = 0 and edited_at < cutoff then 'neu.' || address else address end;
create macro phone_at(kind, dial, number, edited_at, cutoff) as (
    with shifted as (select (number + case when edited_at < cutoff then 11 else 0 end)::varchar as digits)
    select case kind
        when 0 then '+' || dial || ' 170 ' || digits
        when 1 then '00' || dial || '-170-' || digits
        when 2 then '0170/' || digits
        when 3 then '+' || dial || '170' || digits
        when 4 then '(0170) ' || digits[:3] || ' ' || digits[4:5] || ' ' || digits[6:]
    end from shifted
);
"""
