"""The sample company's truth beside what was published, in one connection: what the comparisons in here read.

Vendors' record ids are only in the private warehouse; published keys are matched with them here, and are text here, for
pandas would make fractions of them where one is missing. What lives here: how
true records, people and journeys are found among the published ones. Not here: any expectation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pandas as pd

from storage.data_folder import marts_file, warehouse_file
from tests.e2e.installation import Installation

TRUTHS = ("customers", "tickets", "orders", "answers", "events", "journeys")

# Who each contact and help desk user really is. Whoever the truth does not know is a stranger; staff is left out.
RECORDS = """
create temp view record as
with known as (
    select person, unnest(salesforce_contact_ids) as contact_id from truth_customers
    union all
    select person, unnest(zendesk_user_ids) from truth_customers
)
select
    coalesce(known.person, 'stranger ' || identity.contact_id) as person,
    known.person is null as is_stranger,
    identity.system,
    identity.contact_id,
    identity.customer_key,
    identity.match_rule
from private.intermediate.map_customer_identity as identity
left join known on known.contact_id = identity.contact_id
where identity.system in ('salesforce', 'zendesk') and identity.match_status <> 'not_a_customer'
"""

# People each of whose records, and no record of anybody else, is of one customer.
RESOLVED = """
create temp view resolved as
with customer as (
    select customer_key, count(distinct person) as people from record group by customer_key
)
select record.person, any_value(record.customer_key) as customer_key
from record inner join customer on customer.customer_key = record.customer_key
where not record.is_stranger
group by record.person
having count(distinct record.customer_key) = 1 and max(customer.people) = 1 and min(record.customer_key) <> -1
"""

# Published keys by what the vendors call the records.
KEYS = """
create temp view key as
select 'order' as object, order_id as record, order_key as source_ref from private.intermediate.int_order__unioned
union all
select 'ticket', ticket_id, ticket_key from private.intermediate.int_ticket__unioned
union all
select 'activity', activity_id, activity_key from private.intermediate.int_activity__unioned
union all
select 'survey_answer', record_id, survey_answer_key from private.intermediate.int_survey_answer__unioned
union all
select 'contact', person, customer_key from resolved
"""


@contextmanager
def compared(installation: Installation) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published marts with views of the truth: `truth_*`, `record`, `resolved` and `key`."""
    current = installation.data / "current"
    with duckdb.connect(str(marts_file(current)), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{_quoted(warehouse_file(current))}' as private (read_only)")
        for name in TRUTHS:
            file = _quoted(installation.data / "drop" / "truth" / f"{name}.parquet")
            connection.execute(f"create temp view truth_{name} as from read_parquet('{file}')")
        for view in (RECORDS, RESOLVED, KEYS):
            connection.execute(view)
        yield connection


def _quoted(path: object) -> str:
    return str(path).replace("'", "''")


def published_events(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Published events by object, event and `source_ref`, times in UTC without a zone."""
    return connection.sql("""
        select
            events.object, events.event, events.source_ref::varchar as source_ref,
            touchpoints.touchpoint, events.channel, events.direction, events.journey_key::varchar as journey_key,
            events.journey, events.step,
            events.occurred_at at time zone 'UTC' as at, events.score_scale, events.score_norm
        from fct_journey_event as events
        inner join dim_touchpoint as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    """).df()


def true_events(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """True events with the published key of their record; NULL: the registration of somebody not resolved."""
    return connection.sql("""
        select events.*, key.source_ref::varchar as source_ref
        from truth_events as events
        left join key on key.object = events.object and key.record = events.record
        order by events.at, events.object, events.event, events.record
    """).df()


def true_journeys(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """True journeys whose person is one customer or nobody known, with the published key of what they are known by.

    The journey that is published for one is the one that the same beginning belongs to.
    """
    return connection.sql("""
        with beginning as (
            select object, source_ref, any_value(journey_key) as journey_key
            from fct_journey_event
            where object <> 'survey_answer' and journey_key <> -1
            group by object, source_ref
        )
        select journeys.*, resolved.customer_key::varchar as customer_key, beginning.journey_key::varchar as journey_key
        from truth_journeys as journeys
        left join resolved on resolved.person = journeys.person
        left join key on key.object = journeys.anchor_object and key.record = journeys.anchor_record
        left join beginning on beginning.object = journeys.anchor_object and beginning.source_ref = key.source_ref
        where journeys.person is null or resolved.person is not null
    """).df()


def published_journeys(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Published journeys but for those of customers that mix people or hold a part of one."""
    found = connection.sql("""
        with scored as (
            select touchpoint_key, touchpoint from dim_touchpoint where touchpoint_key <> -1
        )
        select
            journeys.* exclude (peak_touchpoint_key, trough_touchpoint_key, end_touchpoint_key)
                replace (journeys.journey_key::varchar as journey_key, journeys.customer_key::varchar as customer_key),
            peak.touchpoint as peak_touchpoint,
            trough.touchpoint as trough_touchpoint,
            "end".touchpoint as end_touchpoint
        from fct_journey as journeys
        left join scored as peak on peak.touchpoint_key = journeys.peak_touchpoint_key
        left join scored as trough on trough.touchpoint_key = journeys.trough_touchpoint_key
        left join scored as "end" on "end".touchpoint_key = journeys.end_touchpoint_key
        where journeys.customer_key not in (
            select customer_key from record
            where not is_stranger and customer_key <> -1 and person not in (select person from resolved)
        )
    """).df()
    zoned = found.select_dtypes("datetimetz").columns
    return found.assign(**{name: found[name].dt.tz_localize(None) for name in zoned})
