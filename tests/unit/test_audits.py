"""The audits of finished marts, on a build in miniature: they see what is missing, contradictory or lost."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

import duckdb
import pytest

from assets.audit.audit import audit
from assets.audit.drift import MADE_OF
from assets.audit.reconciliation import FACTS
from assets.versions.manifest import Table
from assets.warehouse.load import Night, SourceRole, load, prepare
from orchestration.check_words import AUDITS
from quality.contract.model import all_contracts
from storage.data_folder import marts_file, warehouse_file

FINGERPRINT = "f" * 64
KPI = {
    "date_day": date(2026, 6, 27), "numerator": 8.0, "denominator": 10.0, "n": 10, "value": 80.0,
    "ci_low": 49.0, "ci_high": 94.3, "method": "wilson", "is_suppressed": False,
    "previous_value": 70.0, "difference": 10.0, "difference_low": -25.0, "difference_high": 42.0,
}  # fmt: skip


# 98 desk users, each with a record of the CRM, and two without.
IDENTITY = """
create or replace table warehouse.intermediate.map_customer_identity as
select
    case when desk then 'desk' else 'crm' end as source,
    case when desk then 'zendesk' else 'salesforce' end as system,
    (2 * n + desk::int)::bigint as contact_key,
    n::bigint as customer_key,
    case when desk and n < 98 then 'email' else 'own' end as match_rule,
    case when not desk then 'customer' when n < 98 then 'matched' else 'unmatched' end as match_status,
    2 as cluster_size,
    2 as unmerged_records,
    -1 as account_key
from range(100) as numbers(n), (values (true), (false)) as sides(desk);
create or replace table warehouse.intermediate.int_contact__unioned as
select
    timestamptz '2026-06-26 00:00:00+00' as _version_at,
    contact_key, system, contact_key::varchar as id, source, null as account_id, null as external_contact_id,
    customer_key || '@a.example' as email, null as phone, null as mobile_phone, null as first_name, null as last_name,
    null as country, 'customer' as role, null as merged_into_contact_id, false as is_deleted
from warehouse.intermediate.map_customer_identity;
insert into warehouse.accepted.salesforce__contact by name
select id as "Id", source as _source from warehouse.intermediate.int_contact__unioned where source = 'crm';
create or replace table warehouse.intermediate.int_identity__changes as select 1::bigint as night, 'merged' as kind;
create or replace table warehouse.intermediate.int_identity__resolved as
select contact_key as node_key, customer_key from warehouse.intermediate.map_customer_identity;
create or replace table warehouse.intermediate.int_identity__contact_point as
select contact_key, 'email' as kind, email as value, true as is_personal, false as is_former
from warehouse.intermediate.int_contact__unioned;
create or replace table warehouse.intermediate.int_identity__evidence as
select 2 * n::bigint as node_a, 2 * n::bigint + 1 as node_b, 'email' as rule, null::varchar as blocked_by
from range(98) as numbers(n);
"""

# What says whose the records of an object are, and by what they name their customer.
OWNED = {
    "ticket": ("int_ticket__customer", ("source", "requester_id", "respondent_key")),
    "order": ("int_order__customer", ("source", "contact_id")),
    "activity": ("int_activity__customer", ("source", "contact_id")),
    "survey_answer": (
        "int_survey_answer__links",
        ("source", "contact_id", "respondent_key", "is_anonymous", "ticket_id", "order_id"),
    ),
}


def shapes(canonical):
    """Columns that the audits ask of a canonical object."""
    return (*MADE_OF.get(canonical, ()), *(OWNED[canonical][1] if canonical in OWNED else ()))


@contextmanager
def opened(build):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse_file(build)}' as warehouse")
        connection.execute(f"attach '{marts_file(build)}' as marts")
        yield connection


@pytest.fixture
def build(tmp_path):
    """Two tickets, accepted, in their canonical object and in their fact; one KPI row."""
    folder = tmp_path / "build"
    prepare(folder)
    roles = (SourceRole("crm", "salesforce", "crm"), SourceRole("desk", "zendesk", "other"))
    load(folder, [], Night(date(2026, 6, 27), "run", "UTC", "EUR", roles))
    with opened(folder) as connection:
        connection.execute("create schema warehouse.intermediate")
        for canonical in sorted({contract.becomes for contract in all_contracts() if contract.becomes}):
            shape = "".join(
                f", {name} {'timestamp' if name.endswith('_at') else 'varchar'}" for name in shapes(canonical)
            )
            connection.execute(
                f"create table warehouse.intermediate.int_{canonical}__unioned "
                f"(system varchar, id varchar, is_deleted boolean default false, "
                f"_version_at timestamptz default '2026-06-26 00:00:00+00'{shape})"
            )
        for canonical, fact in FACTS.items():
            connection.execute(f"create table marts.main.{fact} as from warehouse.intermediate.{canonical}")
        for ticket in ("1", "2"):
            connection.execute(
                "insert into warehouse.accepted.zendesk__tickets (id, _source) values (?, 'desk')",
                [ticket],
            )
            for table in ("warehouse.intermediate.int_ticket__unioned", "marts.main.fct_ticket"):
                connection.execute(f"insert into {table} (system, id, ticket_key) values ('zendesk', $1, $1)", [ticket])
        connection.execute(IDENTITY)
        for canonical, (owners, _) in OWNED.items():
            connection.execute(
                f"create table warehouse.intermediate.{owners} ({canonical}_key varchar, customer_key bigint)"
            )
        columns = ", ".join(f"? as {name}" for name in KPI)
        connection.execute(f"create table marts.main.mart_kpi_daily as select {columns}", list(KPI.values()))
    return folder


@pytest.fixture
def version(build, tmp_path):
    """Make what the audit asks of the version before, which is the build as it stands with other rows in its marts."""

    def make(tables, fingerprint=FINGERPRINT):
        path = shutil.copytree(build, tmp_path / "before", dirs_exist_ok=True)
        rows = tuple(Table("marts", "main", name, count, (), "0") for name, count in tables.items())
        return SimpleNamespace(path=path, manifest=SimpleNamespace(tables_of=lambda _: rows, fingerprint=fingerprint))

    return make


def outcomes(build, before=None):
    return {finding.audit: finding.outcome for finding in audit(build, before, FINGERPRINT)}


def test_a_sound_build_passes(build):
    # The shadow is cast by what dbt compiled: tests/e2e/test_shadowed_night.py.
    assert outcomes(build) == dict.fromkeys(AUDITS.keys() - {"shadow"}, "pass")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("delete from warehouse.accepted.zendesk__tickets where id = '2'", "zendesk/tickets in ticket"),
        (
            "delete from warehouse.intermediate.int_ticket__unioned where id = '2'",
            "zendesk/tickets in ticket",
        ),
        ("delete from marts.main.fct_ticket where id = '2'", "int_ticket__unioned in fct_ticket"),
        ("insert into marts.main.fct_ticket (system, id) values ('zendesk', '2')", "int_ticket__unioned in fct_ticket"),
        (
            "insert into warehouse.night.batches by name select 'zendesk' as system, 'tickets' as stream, 3 as rows",
            "zendesk/tickets: loaded rows",
        ),
    ],
)
def test_a_record_that_is_lost_or_doubled_on_the_way_fails_reconciliation(build, damage, said):
    with opened(build) as connection:
        connection.execute(damage)
    finding = audit(build, None, FINGERPRINT)[0]
    assert finding.outcome == "fail"
    assert said in finding.sentence
    assert "\n" not in finding.sentence


@pytest.mark.parametrize(
    "change",
    [
        {"value": 81.0},
        {"value": 180.0, "numerator": 18.0},
        {"ci_low": 85.0},
        {"ci_low": -1.0},
        {"ci_high": 101.0},
        {"denominator": 11.0},
        {"is_suppressed": True},
        {"difference_low": 43.0},
        {"n": -1},
        {"date_day": date(2026, 6, 28)},
    ],
    ids=", ".join,
)
def test_a_kpi_row_that_contradicts_itself_fails(build, change):
    with opened(build) as connection:
        for name, value in change.items():
            connection.execute(f"update marts.main.mart_kpi_daily set {name} = ?", [value])
    assert outcomes(build)["kpi_identities"] == "fail"


def test_an_audit_that_cannot_be_made_is_an_error_and_quotes_nothing(build):
    with opened(build) as connection:
        connection.execute("drop table marts.main.mart_kpi_daily")
    finding = audit(build, None, FINGERPRINT)[1]
    assert finding.outcome == "error"
    assert dict(finding.detail) == {"error": "CatalogException"}


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [(2, "pass"), (99, "pass"), (500, "fail")],
    ids=["same", "too few to tell", "most are gone"],
)
def test_a_mart_that_loses_most_of_its_rows_fails(build, version, rows, outcome):
    assert outcomes(build, version({"fct_ticket": rows}))["drift"] == outcome


def test_a_mart_that_vanishes_fails_but_not_when_the_models_changed(build, version):
    assert outcomes(build, version({"fct_gone": 500}))["drift"] == "fail"
    assert outcomes(build, version({"fct_gone": 500}, fingerprint="other"))["drift"] == "warn"


def test_a_mart_that_shrinks_or_swells_warns(build, version):
    with opened(build) as connection:
        connection.execute(
            "insert into warehouse.intermediate.int_order__unioned (system, id, order_key) "
            "select 'x', 'y', n from range(700) as _(n)"
        )
        connection.execute("insert into marts.main.fct_order (system, id) select 'x', 'y' from range(700)")
    assert outcomes(build, version({"fct_order": 1000}))["drift"] == "warn"
    assert outcomes(build, version({"fct_order": 200}))["drift"] == "warn"
    assert outcomes(build, version({"fct_order": 720}))["drift"] == "pass"


def identity(build, before=None):
    return next(finding for finding in audit(build, before, FINGERPRINT) if finding.audit == "identity")


def change(build, assignment):
    with opened(build) as connection:
        connection.execute(f"update warehouse.intermediate.map_customer_identity set {assignment}")


def test_the_figures_of_identity_are_numbers_to_plot(build):
    figures = identity(build).detail
    assert figures["match rate/desk"] == 0.98
    assert (figures["largest customer"], figures["records merged"], figures["records split"]) == (2, 1, 0)
    assert all(isinstance(figure, int | float) for figure in figures.values())


def test_an_oversized_customer_fails(build):
    change(build, "unmerged_records = 11 where customer_key = 5")
    finding = identity(build)
    assert finding.outcome == "fail"
    assert "records of the largest customer 11" in finding.sentence


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("match_status = 'conflict' where customer_key < 6", "share of records in doubt 0.06"),
        ("match_status = 'ambiguous' where customer_key < 5", "share of records in doubt 0.05"),
    ],
)
def test_many_doubts_warn_because_shared_addresses_are_as_they_were_delivered(build, assignment, said):
    change(build, assignment)
    finding = identity(build)
    assert finding.outcome == "warn"
    assert said in finding.sentence


def part(build, lost):
    change(build, f"match_rule = 'own', match_status = 'unmatched' where source = 'desk' and customer_key < {lost}")


def more(build, of):
    """Two hundred customers more, on one side or both."""
    with opened(build) as connection:
        connection.execute(
            "insert into warehouse.intermediate.map_customer_identity by name "
            "select * replace (1000 + contact_key as contact_key, 1000 + customer_key as customer_key) "
            f"from warehouse.intermediate.map_customer_identity where {of}"
        )
        connection.execute(
            "insert into warehouse.intermediate.int_contact__unioned by name "
            "select * replace (1000 + contact_key as contact_key) "
            f"from warehouse.intermediate.int_contact__unioned where {of} and contact_key < 1000"
        )


@pytest.mark.parametrize(("lost", "outcome"), [(9, "pass"), (12, "warn")])
def test_a_match_rate_that_falls_warns_where_records_changed(build, version, lost, outcome):
    before, other = version({}), version({}, fingerprint="other")
    with opened(build) as connection:
        connection.execute("update warehouse.intermediate.int_contact__unioned set email = null where source = 'crm'")
    part(build, lost)
    assert identity(build, before).outcome == outcome
    assert identity(build, other).outcome == outcome


def test_records_that_did_not_change_and_no_longer_find_each_other_fail_unless_the_rules_changed(build, version):
    more(build, "true")
    before, other = version({}), version({}, fingerprint="other")
    change(build, "match_rule = 'own', match_status = 'unmatched' where source = 'desk' and customer_key % 4 = 0")
    finding = identity(build, before)
    assert finding.outcome == "fail"
    assert "desk: share of records parted" in finding.sentence
    assert identity(build, other).outcome == "warn"


def test_a_match_rate_that_rises_and_new_records_that_find_nobody_have_no_past_to_fall_from(build, version):
    with opened(build) as connection:
        connection.execute("create table warehouse.good as from warehouse.intermediate.map_customer_identity")
    part(build, 98)
    alone = version({})
    with opened(build) as connection:
        connection.execute(
            "create or replace table warehouse.intermediate.map_customer_identity as from warehouse.good"
        )
    assert identity(build, alone).outcome == "pass"
    before = version({})
    more(build, "source = 'desk'")
    change(build, "match_rule = 'own', match_status = 'unmatched' where contact_key >= 1000")
    assert identity(build, before).outcome == "pass"


def owned(build):
    """A record of each object for each of the hundred customers, named by the record of the desk."""
    with opened(build) as connection:
        for canonical, (owners, _) in OWNED.items():
            key, names = f"{canonical}_key", "requester_id" if canonical == "ticket" else "contact_id"
            connection.execute(f"delete from warehouse.intermediate.int_{canonical}__unioned")
            connection.execute(
                f"insert into warehouse.intermediate.int_{canonical}__unioned by name "
                f"select n as {key}, 'desk' as source, 2 * n + 1 as {names} from range(100) as _(n)"
            )
            connection.execute(f"insert into warehouse.intermediate.{owners} select n, n from range(100) as _(n)")


MOVED = "customer_key = 7 where contact_key = 11"
SWAPPED = "customer_key = case customer_key when 7 then 8 else 7 end where customer_key in (7, 8)"
TWENTY = "customer_key = (customer_key + 2) % 100 where source = 'desk' and customer_key < 20"


@pytest.mark.promise("audited")
@pytest.mark.parametrize(
    ("assignment", "outcome", "records"),
    [(MOVED, "warn", 1), (SWAPPED, "fail", 4), (TWENTY, "fail", 20)],
    ids=["one record", "two customers swapped", "one in five"],
)
def test_a_record_that_did_not_change_and_is_another_customers_is_found(build, version, assignment, outcome, records):
    before, other = version({}), version({}, fingerprint="other")
    change(build, assignment)
    finding = identity(build, before)
    assert finding.outcome == outcome
    assert f"contact: records moved {records}" in finding.sentence
    assert identity(build, other).outcome == "pass"


@pytest.mark.promise("audited")
@pytest.mark.parametrize("personal", [False, True], ids=["a number of many", "a number of theirs"])
def test_a_stranger_explains_only_what_shares_a_mark_that_may_name_somebody(build, version, personal):
    """All are reached by one number, and another record of that number arrives."""
    number = (
        f"select contact_key, 'phone', '+4930', {personal}, false from warehouse.intermediate.map_customer_identity"
    )
    with opened(build) as connection:
        connection.execute(f"insert into warehouse.intermediate.int_identity__contact_point {number}")
    before = version({})
    change(build, SWAPPED)
    with opened(build) as connection:
        for table in ("int_contact__unioned", "int_identity__contact_point"):
            connection.execute(
                f"insert into warehouse.intermediate.{table} "
                f"select * replace (1000 as contact_key) from warehouse.intermediate.{table} where contact_key = 50"
            )
    assert identity(build, before).outcome == ("pass" if personal else "fail")


def test_a_single_record_that_moved_never_stops_a_night_however_few_there_are(build, version):
    with opened(build) as connection:
        connection.execute("delete from warehouse.intermediate.map_customer_identity where customer_key >= 20")
    before = version({})
    change(build, MOVED)
    assert identity(build, before).outcome == "warn"


@pytest.mark.parametrize(
    "said",
    [
        "update warehouse.intermediate.int_contact__unioned set email = 'new@a.example' where contact_key = 11",
        "update warehouse.intermediate.int_contact__unioned set email = 'new@a.example' where contact_key = 14",
        "delete from warehouse.intermediate.int_contact__unioned where contact_key = 10",
        "update warehouse.intermediate.map_customer_identity set match_rule = 'order_buyer' where contact_key = 11",
        "update warehouse.intermediate.map_customer_identity set account_key = 5 where contact_key = 11",
    ],
    ids=["the record", "whom it joined", "whom it left", "an order", "its account"],
)
def test_a_record_may_move_to_another_customer_by_what_was_delivered_of_either(build, version, said):
    before = version({})
    change(build, MOVED)
    with opened(build) as connection:
        connection.execute(said)
    assert identity(build, before).outcome == "pass"


@pytest.mark.parametrize(
    "assignment",
    ["customer_key = 7 where customer_key = 5", "customer_key = 1005 where contact_key = 11"],
    ids=["one of two", "two of one"],
)
def test_customers_that_become_one_or_part_may_do_so_by_a_strangers_record(build, version, assignment):
    before = version({})
    change(build, assignment)
    assert identity(build, before).outcome == "pass"


@pytest.mark.promise("audited")
@pytest.mark.parametrize("canonical", OWNED)
def test_a_record_that_names_whom_it_named_and_is_another_customers_fails(build, version, canonical):
    """But not where it names another, where it is known only now whose it is, nor where its customer moved."""
    owned(build)
    before, other = version({}), version({}, fingerprint="other")
    owners, (_, *names) = OWNED[canonical]
    with opened(build) as connection:
        connection.execute(f"update warehouse.intermediate.{owners} set customer_key = 7 where customer_key = 5")
    assert f"{canonical}: records moved 1" in identity(build, before).sentence
    assert identity(build, before).outcome == "fail"
    assert identity(build, other).outcome == "pass"
    with opened(build) as connection:
        connection.execute(
            f"update warehouse.intermediate.int_{canonical}__unioned set {names[0]} = 15 where {canonical}_key = 5"
        )
    assert identity(build, before).outcome == "pass"


def test_a_record_follows_its_customer_and_is_nobodys_until_it_is_known_whose_it_is(build, version):
    owned(build)
    with opened(build) as connection:
        connection.execute(
            "update warehouse.intermediate.int_ticket__customer set customer_key = -1 where customer_key = 5"
        )
    before = version({})
    with opened(build) as connection:
        connection.execute(
            "update warehouse.intermediate.int_ticket__customer set customer_key = 5 where ticket_key = 5"
        )
        connection.execute(
            "update warehouse.intermediate.int_ticket__customer set customer_key = 7 where ticket_key = 6"
        )
        connection.execute(
            "update warehouse.intermediate.int_identity__resolved set customer_key = 7 where node_key = 13"
        )
    assert identity(build, before).outcome == "pass"


def test_a_mart_may_shrink_as_the_records_it_is_made_of_did(build, version):
    """Two of two hundred tickets are left, so few rows may be left of their facts, but not of those of orders."""
    with opened(build) as connection:
        connection.execute(
            "insert into warehouse.intermediate.int_ticket__unioned (system, id, ticket_key) "
            "select 'x', 'y', n from range(198) as _(n)"
        )
        connection.execute("create table marts.main.mart_of_all as select 1 as n from range(60)")
    before = version({"fct_ticket": 200, "mart_of_all": 200})
    with opened(build) as connection:
        connection.execute("delete from warehouse.intermediate.int_ticket__unioned where id = 'y'")
    assert outcomes(build, before)["drift"] == "pass"
    before.manifest.tables_of = lambda _: (Table("marts", "main", "fct_order", 200, (), "0"),)
    assert outcomes(build, before)["drift"] == "fail"


def test_a_mart_may_shrink_as_records_were_corrected(build, version):
    """Two hundred tickets turn out to have been solved long ago: their days in the backlog are gone."""
    with opened(build) as connection:
        connection.execute(
            "insert into warehouse.intermediate.int_ticket__unioned (system, id, ticket_key, status) "
            "select 'x', 'y', n, 'open' from range(200) as _(n)"
        )
        connection.execute("create table marts.main.fct_ticket_backlog_daily as select 1 as n from range(90)")
    before = version({"fct_ticket_backlog_daily": 5000})
    assert outcomes(build, before)["drift"] == "fail"
    with opened(build) as connection:
        connection.execute("update warehouse.intermediate.int_ticket__unioned set status = 'solved' where id = 'y'")
    assert outcomes(build, before)["drift"] == "pass"


def test_a_mart_may_shrink_with_the_streams_it_was_delivered_and_grow_with_new_ones(build, version):
    with opened(build) as connection:
        for stream, rows in (("tickets", 60), ("users", 2)):
            connection.execute(
                "insert into warehouse.night.batches by name select 'desk' as source, 'zendesk' as system, "
                f"'{stream}' as stream, date '2026-01-01' + n::int as extract_date, 0 as rows "
                f"from range({rows}) as _(n)"
            )
        connection.execute("create table marts.main.mart_data_health as select 1 as n from range(170)")
    before = version({"mart_data_health": 400})
    assert outcomes(build, before)["drift"] == "fail"
    with opened(build) as connection:
        connection.execute("delete from warehouse.night.batches where stream = 'users'")
    assert outcomes(build, before)["drift"] == "pass"
    with opened(build) as connection:
        connection.execute("insert into warehouse.intermediate.int_order__unioned (system) select 'x' from range(9)")
        connection.execute("insert into marts.main.fct_order (system) select 'x' from range(9)")
        connection.execute("create or replace table marts.main.mart_data_health as select 1 as n from range(9000)")
    assert outcomes(build, before)["drift"] == "pass"
