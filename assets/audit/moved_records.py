"""What is another customer's though nothing that was delivered says so; a part of the audit of identity.

What lives here: contact records that left their customer for one that stood before, and tickets, orders, activities and
answers that name whom they named and yet moved. Only what moved is looked into; the rest costs a comparison of keys. In
SQL written independently of the models. Not here: what follows from it (identity.py).
"""

from __future__ import annotations

import duckdb

# What a contact record says that may lead it to a customer.
SAID = (
    "contact_key, account_id, external_contact_id, email, phone, mobile_phone, first_name, last_name, country, "
    "role, merged_into_contact_id, is_deleted"
)
# By object: where its customers stand, and by what a record names its own; orders of an account alone, and answers
# about a ticket or an order, follow other records.
_OWNED = {
    "ticket": ("int_ticket__customer", "source, requester_id, respondent_key", "true"),
    "order": ("int_order__customer", "source, contact_id", "contact_id is not null"),
    "activity": ("int_activity__customer", "source, contact_id", "true"),
    "survey_answer": (
        "int_survey_answer__links",
        "source, contact_id, respondent_key, is_anonymous",
        "ticket_id is null and order_id is null",
    ),
}

# Contact records of customers, before and now, whose account is the same and whom no survey or order led there.
_MOVED_CONTACTS = """
create or replace temp table moved_contacts as
select contact_key, earlier.customer_key as left_key, records.customer_key as joined_key
from before.intermediate.map_customer_identity as earlier
inner join warehouse.intermediate.map_customer_identity as records using (contact_key)
where
    earlier.customer_key <> records.customer_key
    and -1 not in (earlier.customer_key, records.customer_key)
    and earlier.account_key = records.account_key
    and not list_has_any([earlier.match_rule, records.match_rule], ['ticket_requester', 'order_buyer'])
"""


def _otherwise(query: str) -> str:
    """SQL of what a query gives in one of the two versions only."""
    before, now = query.format(database="before"), query.format(database="warehouse")
    return f"(({before} except {now}) union all ({now} except {before}))"


# What records new, gone or changed have as contact points, and what is no longer told, or not so. What many share leads
# to nobody.
_POINTS = "from {database}.intermediate.int_identity__contact_point where is_personal"
_CHANGED_POINTS = f"""
create or replace temp table changed_points as
with changed as (
    select contact_key from {_otherwise(f"select {SAID} from {{database}}.intermediate.int_contact__unioned")}
)
select kind, value from {_otherwise(f"select contact_key, kind, value, is_former {_POINTS}")}
union
select kind, value {_POINTS.format(database="before")} and contact_key in (from changed)
union
select kind, value {_POINTS.format(database="warehouse")} and contact_key in (from changed)
"""

# Who is tied otherwise by what surveys, requests and orders say.
_TIES = """
    select node_a, node_b, rule, blocked_by from {database}.intermediate.int_identity__evidence
    where
        rule in ('ticket_requester', 'order_buyer')
        or node_a not in (select contact_key from {database}.intermediate.map_customer_identity)
        or node_b not in (select contact_key from {database}.intermediate.map_customer_identity)
"""
_TIED_OTHERWISE = f"""
create or replace temp table tied_otherwise as select unnest([node_a, node_b]) as node_key from {_otherwise(_TIES)}
"""

# A stranger's record with the same address may lead one to another customer, as may what somebody answered or bought.
# Two customers that become one, and one that becomes two, are left to the check of records that were parted.
_UNEXPLAINED_CONTACTS = f"""
with customers as (select left_key as customer_key from moved_contacts union select joined_key from moved_contacts),
members as materialized (
    select contact_key, earlier.customer_key as before_key, records.customer_key as after_key
    from before.intermediate.map_customer_identity as earlier
    full join warehouse.intermediate.map_customer_identity as records using (contact_key)
    where earlier.customer_key in (from customers) or records.customer_key in (from customers)
),
unchanged as (
    select {SAID} from before.intermediate.int_contact__unioned semi join members using (contact_key)
    intersect
    select {SAID} from warehouse.intermediate.int_contact__unioned semi join members using (contact_key)
),
met as (
    select contact_key {_POINTS.format(database="before")} and (kind, value) in (from changed_points)
    union
    select contact_key {_POINTS.format(database="warehouse")} and (kind, value) in (from changed_points)
),
changed as (
    select unnest([before_key, after_key]) as customer_key
    from members
    where contact_key not in (select contact_key from unchanged) or contact_key in (from met)
    union all
    select customer_key from before.intermediate.int_identity__resolved semi join tied_otherwise using (node_key)
    union all
    select customer_key from warehouse.intermediate.int_identity__resolved semi join tied_otherwise using (node_key)
),
earlier as (
    select before_key as customer_key, count(distinct after_key) as ways, bool_or(before_key <> after_key) as is_left
    from members
    where before_key not in (select customer_key from changed where customer_key is not null)
    group by before_key
)
select moved.contact_key
from moved_contacts as moved
inner join earlier as left_behind on left_behind.customer_key = moved.left_key
inner join earlier as joined on joined.customer_key = moved.joined_key
where left_behind.ways > 1 or joined.is_left
"""

# Customers that got or lost a record, of whoever answered included.
_MOVED_CUSTOMERS = """
create or replace temp table moved_customers as
select distinct unnest([coalesce(earlier.customer_key, -1), coalesce(records.customer_key, -1)]) as customer_key
from before.intermediate.int_identity__resolved as earlier
full join warehouse.intermediate.int_identity__resolved as records using (node_key)
where earlier.customer_key is distinct from records.customer_key
"""


def moved_contacts(connection: duckdb.DuckDBPyConnection) -> int:
    """Contact records that are another customer's, though nothing that may lead to either customer has changed."""
    connection.execute(_MOVED_CONTACTS)
    if not _count(connection, "from moved_contacts"):
        return 0
    connection.execute(_CHANGED_POINTS)
    connection.execute(_TIED_OTHERWISE)
    return _count(connection, _UNEXPLAINED_CONTACTS)


def moved_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """By object: records that name whom they named and went from one customer to another, neither of which moved."""
    connection.execute(_MOVED_CUSTOMERS)
    found = {}
    for canonical, (owners, names, where) in _OWNED.items():
        key = f"{canonical}_key"
        moved = _count(
            connection,
            f"""
            with moved as materialized (
                select {key}
                from before.intermediate.{owners} as earlier
                inner join warehouse.intermediate.{owners} as records using ({key})
                where
                    earlier.customer_key <> records.customer_key
                    and -1 not in (earlier.customer_key, records.customer_key)
                    and earlier.customer_key not in (from moved_customers)
                    and records.customer_key not in (from moved_customers)
            )
            select {key}, {names} from before.intermediate.int_{canonical}__unioned
            where {key} in (from moved) and {where}
            intersect
            select {key}, {names} from warehouse.intermediate.int_{canonical}__unioned
            where {key} in (from moved) and {where}
            """,
        )
        if moved:
            found[canonical] = moved
    return found


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(f"select count(*) from ({query})").fetchall()[0][0])
