"""The contract of a stream: the single source of its types, keys, ranges, severities and PII tags.

What lives here: the model and the reading of `contracts/<system>/<stream>.yml`. Not here: where those lie (files.py),
judging an extract (quality/gate/gate.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from quality.contract.bounds import EVENT_DAYS_AHEAD, Bounds, Holds, bounds, kind_of, misfit
from quality.contract.files import canonical_objects, contract_files, streams_of, systems
from storage.errors import JourneymartError
from storage.yaml_file import read_yaml

# Nothing that extracts tell changed before.
EARLIEST_VERSION = date(2000, 1, 1)

ColumnType = Literal[
    "text",
    "id",
    "currency",
    "bigint",
    "double",
    "decimal",
    "boolean",
    "date",
    "timestamp",
    "epoch_s",
    "epoch_ms",
    "json",
]
OnFailure = Literal["quarantine", "block", "warn"]
ContactPoint = Literal["email", "phone"]
Role = Literal["name", "self", "subject", "author", "actor", "conversation", "thing", "trait"]
Record = Literal["person", "conversation"]
FieldType = Literal["text", "bigint", "double", "decimal", "boolean", "list", "object"]
# A limit: a day of dates and times, else a number.
Limit = Annotated[date, Field(strict=True)] | float

DUCKDB_TYPES: dict[ColumnType, str] = {
    "text": "varchar",
    "id": "varchar",
    "currency": "varchar",
    "bigint": "bigint",
    "double": "double",
    "decimal": "decimal(18,2)",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
    "epoch_s": "timestamptz",
    "epoch_ms": "timestamptz",
    "json": "json",
}


# Names below each other, and at most one list: `$`, `$.policy.title`, `$[*].public`.
_JSON_PATH = re.compile(r"\$(?:\.[A-Za-z_]\w*)*(?:\[\*\](?:\.[A-Za-z_]\w*)*)?")


def folded(word: str) -> str:
    """A word of a list, as it is compared: in small letters, with underscores."""
    return word.lower().replace(" ", "_").replace("-", "_")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JsonField(_Strict):
    """A value inside a JSON column that models read: of its type and within its bounds, or not there.

    `list` and `object` say what shape it has.
    """

    type: FieldType
    holds: Holds | None = None
    min: float | None = None
    max: float | None = None
    description: str

    @model_validator(mode="after")
    def _limits_fit_the_type(self) -> JsonField:
        if wrong := misfit(self.type, self.holds, (self.min, self.max)):
            raise ValueError(wrong)
        return self

    @property
    def bounds(self) -> Bounds | None:
        """What its values lie within; None: they have no order."""
        return bounds(self.type, self.holds, self.min, self.max) if kind_of(self.type) else None


class Column(_Strict):
    """What one column holds and what its values must be.

    A value outside `allowed`, or a number outside `min` and `max`, meets `on_failure`. A value that is missing where
    one is `required`, or is not of the type, cannot be accepted: its row goes to quarantine, or blocks where
    `on_failure` says so.

    Numbers, dates and times have bounds besides, by what the column `holds` (bounds.py). A value outside cannot be
    accepted either; where `on_failure` is `warn` and the column is optional, it counts as not known. So does a date
    that is a placeholder, always; `placeholders` names more of them.

    The `fields` of a JSON column are what models read of it, by path (`$.target`, `$[*].public`).

    An allowed value is found in any case, with blanks, dashes or underscores between its words; `spellings` gives other
    words that sources use for it, in small letters with underscores.

    A column that holds e-mail addresses or phone numbers says so by `contact_point`: they are brought into one
    spelling before the models read them. `country` names the column that says in which country a phone number
    without a country code is dialled.

    What may lead to a person says how, by its `role`, because erasing a person follows it: the column names another
    record of the `self` person, the `subject` whose the row is, the `author` who wrote its texts, an `actor` who did
    something else, the `conversation` it belongs to, a `thing` that stays, or it is a `trait` of the subject, which
    goes with them. A `name` is part of the name of the person whose record the row is.
    """

    type: ColumnType
    required: bool = False
    pii: Literal["none", "direct", "indirect", "free_text"]
    role: Role | None = None
    allowed: tuple[str, ...] | None = None
    spellings: dict[str, str] = {}
    holds: Holds | None = None
    min: Limit | None = None
    max: Limit | None = None
    placeholders: tuple[Annotated[date, Field(strict=True)], ...] = ()
    fields: dict[str, JsonField] = {}
    contact_point: ContactPoint | None = None
    country: str | None = None
    on_failure: OnFailure = "quarantine"
    description: str

    @model_validator(mode="after")
    def _limits_fit_the_type(self) -> Column:
        if self.allowed is not None and self.type != "text":
            raise ValueError("only text columns list the values they allow")
        if unlisted := [word for word, value in self.spellings.items() if value not in (self.allowed or ())]:
            raise ValueError(f"'{unlisted[0]}' is another spelling of a value that is not among those allowed")
        taken = {folded(value) for value in self.allowed or ()}
        if unclear := [word for word in self.spellings if word != folded(word) or word in taken]:
            raise ValueError(f"the spelling '{unclear[0]}' is a value itself, or not in small letters with underscores")
        if wrong := misfit(self.type, self.holds, (self.min, self.max)):
            raise ValueError(wrong)
        if self.placeholders and kind_of(self.type) != "time":
            raise ValueError("only dates and times have placeholders")
        if self.fields and self.type != "json":
            raise ValueError("only json columns have fields")
        if unreadable := [path for path in self.fields if not _JSON_PATH.fullmatch(path)]:
            raise ValueError(f"{unreadable[0]} is no path to a field, such as $.target or $[*].public")
        if self.role and self.pii != ("direct" if self.role == "name" else "indirect"):
            raise ValueError("a role is said of what may lead to a person: pii direct of a name, else pii indirect")
        if self.contact_point and (self.type != "text" or self.pii != "direct"):
            raise ValueError("an e-mail address or a phone number is text that names a person: type text, pii direct")
        if self.country and self.contact_point != "phone":
            raise ValueError("only phone numbers depend on a country")
        return self


class Rule(_Strict):
    """A condition over one row's typed columns, in DuckDB SQL; NULL counts as kept."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: str
    sql: str
    on_failure: OnFailure


class Volume(_Strict):
    """When a number of rows cannot be right, beside what is only unusual for the stream and the weekday.

    An extract blocks below `min_ratio` of what is usual on the stream's quietest weekday, because a holiday is like
    that, and above `max_ratio` times what is usual on its busiest; neither before it has `min_nights` nights, nor
    where chance explains it.
    """

    min_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.15
    max_ratio: Annotated[float, Field(gt=1)] = 6.0
    min_nights: Annotated[int, Field(ge=1)] = 14


class Freshness(_Strict):
    """The newest value of a time column may lie this many days before the end of the extract date.

    Without it, the newest version of an increment is held against the stream's own past.
    """

    column: str
    max_age_days: float


class QuarantineBudget(_Strict):
    """How many rows of one extract may go to quarantine before the extract blocks: both limits hold.

    `min_rows` rows are tolerated, so that one bad row does not block a small extract; more than half of an extract's
    rows never are.
    """

    max_share: float = 0.01
    min_rows: int = 5


class Contract(_Strict):
    """What an extract of one stream must look like.

    Attributes:
        system: Vendor, or `canonical`.
        stream: Object of the vendor.
        description: What the stream holds; ends with its grain, "One row per ...".
        key: Columns that name a record within one source system.
        record: What each record is to us: a person, or a conversation with one; None: neither.
        becomes: Canonical object of which each record becomes one, so that none can be lost; None: records are split,
            joined or filtered on the way.
        version: Timestamp column whose newest value wins among versions of a record; None: the extract date
            does.
        columns: Columns by name.
        rules: Conditions over several columns.
        volume: When a number of rows cannot be right.
        freshness: Age limit; None: as young as it usually is.
        quarantine: Quarantine budget.
    """

    system: str
    stream: str
    description: str
    key: tuple[str, ...]
    record: Record | None = None
    becomes: str | None = None
    version: str | None
    columns: dict[str, Column]
    rules: tuple[Rule, ...] = ()
    volume: Volume = Volume()
    freshness: Freshness | None = None
    quarantine: QuarantineBudget = QuarantineBudget()

    @model_validator(mode="after")
    def _names_columns_it_has(self) -> Contract:
        named = [*self.key, *([self.version] if self.version else [])]
        named += [self.freshness.column] if self.freshness else []
        named += [column.country for column in self.columns.values() if column.country]
        unknown = [name for name in named if name not in self.columns]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not among the columns")
        optional = [name for name in self.key if not self.columns[name].required]
        if not self.key or optional:
            raise ValueError(f"the key needs required columns: {', '.join(optional) or 'there is none'}")
        timeless = [
            name
            for name in (self.version, self.freshness.column if self.freshness else None)
            if name and DUCKDB_TYPES[self.columns[name].type] != "timestamptz"
        ]
        if timeless:
            raise ValueError(f"{', '.join(timeless)} must be a time")
        return self

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Contract:
        # DuckDB does not tell names apart that differ only in case; the gate's own columns begin with "_".
        folded = [name.casefold() for name in self.columns]
        doubtful = [name for name in self.columns if folded.count(name.casefold()) > 1 or name.startswith("_")]
        if doubtful:
            raise ValueError(f"{', '.join(doubtful)}: a column needs a name of its own that begins with no '_'")
        rules = [rule.name for rule in self.rules]
        if len(set(rules)) < len(rules):
            raise ValueError("two rules have the same name")
        return self

    @model_validator(mode="after")
    def _says_what_leads_to_people(self) -> Contract:
        for name, column in self.columns.items():
            if column.pii == "indirect" and name not in self.key and column.role is None:
                raise ValueError(
                    f"{name} may lead to a person: say how by its role, one of "
                    f"{', '.join(each for each in get_args(Role) if each != 'name')}"
                )
            if self.record == "person" and column.role in {"subject", "author", "actor"}:
                raise ValueError(f"{name}: each row is a person's record, which its key and roles self and name say")
            if self.record != "person" and column.role in {"self", "name"}:
                raise ValueError(f"{name}: only records of people (record: person) have columns of role {column.role}")
        return self

    @model_validator(mode="after")
    def _becomes_what_there_is(self) -> Contract:
        if self.becomes is not None and self.becomes not in canonical_objects():
            raise ValueError(f"records become one of {', '.join(canonical_objects())}, not {self.becomes}")
        return self

    def having(self, *roles: Role) -> frozenset[str]:
        """Columns of these roles."""
        return frozenset(name for name, column in self.columns.items() if column.role in roles)

    def bounds(self, name: str) -> Bounds | None:
        """What the values of a column lie within; None: they have no order.

        A version that is far off would be believed for ever, so its bounds are closer.
        """
        column = self.columns[name]
        if kind_of(column.type) is None or column.holds == "position":
            return None
        if name == self.version:
            return Bounds(EARLIEST_VERSION, None, EVENT_DAYS_AHEAD)
        return bounds(column.type, column.holds, column.min, column.max)

    @property
    def age_column(self) -> str | None:
        """The column whose newest value tells how old an extract is; None: nothing tells."""
        return self.freshness.column if self.freshness else self.version

    @property
    def fingerprint(self) -> str:
        """Hash that changes whenever what the contract asks changes; what rows are to us, it does not ask."""
        asked = self.model_dump(
            mode="json", exclude={"record": True, "becomes": True, "columns": {"__all__": {"role"}}}
        )
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def load_contract(system: str, stream: str) -> Contract:
    """The contract of a stream.

    Raises:
        JourneymartError: There is no such contract, or it does not hold together.
    """
    path = contract_files().get((system, stream))
    if path is None:
        streams = streams_of(system)
        known = f"one of {', '.join(streams)}" if streams else f"a system of {', '.join(systems())}"
        raise JourneymartError(
            f"There is no contract for stream '{stream}' of system '{system}': add contracts/{system}/{stream}.yml to "
            f"the company folder, or name {known}."
        )
    return _read(path)


def all_contracts() -> tuple[Contract, ...]:
    """Every contract, ordered by system and stream."""
    return tuple(_read(path) for path in contract_files().values())


@cache
def _read(path: Path) -> Contract:
    """Read and validate one contract, once in a process."""
    try:
        contract = Contract.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise JourneymartError(f"{path}: {where}: {first['msg']}.") from None
    if (contract.system, contract.stream) != (path.parent.name, path.stem):
        raise JourneymartError(
            f"{path}: it is the contract of {contract.system}/{contract.stream}: move it to "
            f"{contract.system}/{contract.stream}.yml, or correct 'system' and 'stream'."
        )
    return contract
