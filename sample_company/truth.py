"""The truth beside the extracts: who is who, what became of every ticket, order and answer, and the KPIs.

What lives here: the tables a test compares the marts with, as far as the delivered extracts can know them:
what arrives late is not known before it arrives. The pipeline never reads them. Not here: the KPIs'
arithmetic (kpis.py), the dirt (written with each extract, export.py).

Files: `customers.parquet` (one row per person), `tickets.parquet`, `orders.parquet` (shop orders and deals),
`answers.parquet` (survey responses and help desk ratings), `events.parquet` (touchpoint events, with the journey each
belongs to), `journeys.parquet`, `kpis.json`, `emotions.json` (how touchpoints feel), `dirt/<extract date>.parquet`.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from sample_company import desk, surveys
from sample_company.company import World
from sample_company.draw import NOBODY
from sample_company.emotions import emotions
from sample_company.extract import STREAMS, Extract, pick_rows
from sample_company.journeys import bound, journeys
from sample_company.kpis import end_of_day, kpis
from sample_company.moments import handoffs, moments

CUSTOMERS = """
with first_names as (
    select
        who.*,
        list(crm_id('003', contact.id) order by contact.id) filter (where contact.created_at < {cutoff})
            as contact_ids,
        bool_or(contact.erased_at < {cutoff}) filter (where not contact.is_duplicate) as is_erased,
        min(contact.created_at) filter (
            where contact.created_at < {cutoff}
                and not coalesce(least(contact.merged_at, contact.erased_at) < {cutoff}, false)
        ) as registered_again_at
    from who left join contact on contact.person = who.id
    group by all
)

select
    'P' || lpad(p.id::varchar, 8, '0') as person,
    p.business as is_business,
    crm_id('001', p.account) as account_id,
    p.country_code as country,
    list_extract(segments(), p.segment + 1) as segment,
    p.joined_at,
    -- As far as the CRM still tells: of whoever was deleted there, by a record that is left.
    case when coalesce(p.is_erased, false) then p.registered_again_at else p.joined_at end as registered_at,
    case when p.left_day <= {day} then date '1970-01-01' + p.left_day::integer end as left_on,
    p.contact_ids as salesforce_contact_ids,
    coalesce(list(desk_id(u.id)::varchar order by u.id) filter (where u.created_at < {cutoff}), [])
        as zendesk_user_ids
from first_names as p
left join users as u on u.person = p.id
where p.joined_at < {cutoff}
group by p.id, p.business, p.account, p.country_code, p.segment, p.joined_at, p.left_day, p.contact_ids, p.is_erased,
    p.registered_again_at
order by p.id
"""

PERSON = "case when {id} >= 0 then 'P' || lpad(({id})::varchar, 8, '0') end as person"

AUDITS = """
select
    a.id, a.ticket, a."at", a.kind, a.author, a.text, a.from_status, a.to_status, a.from_assignee, a.to_assignee
from delivered as d inner join audit as a on a.id = d.id
order by a.id
"""

TICKETS = f"""
select
    t.id,
    ticket_no(t.id)::varchar as ticket_id,
    'zendesk' as source,
    {PERSON.format(id="case when t.stranger then -1 else t.person end")},
    list_extract(channels(), t.channel + 1) as channel,
    list_extract(reasons(), t.reason + 1) as reason,
    t.complaint as is_complaint,
    not t.outreach as is_customer_initiated,
    t.created_at,
    case
        when t.deleted_at < d.cutoff then 'deleted' when t.merged_at < d.cutoff then 'merged'
    end as excluded_reason,
    ticket_no(case when t.merged_at < d.cutoff then t.merged_into else -1 end)::varchar as merged_into,
    shown(least(t.deleted_at, t.merged_at), d.cutoff) as removed_at
from delivered as d inner join ticket as t on t.id = d.id
order by t.id
"""

CASES = f"""
select
    c.id,
    crm_id('500', c.id) as ticket_id,
    'salesforce' as source,
    {PERSON.format(id="c.person")},
    list_extract(['email', 'phone', 'web'], c.origin + 1) as channel,
    list_extract(reasons(), c.reason + 1) as reason,
    c.reason = 1 as is_complaint,
    true as is_customer_initiated,
    c.created_at,
    case when c.deleted_at < d.cutoff then 'deleted' end as excluded_reason,
    null::varchar as merged_into,
    shown(c.deleted_at, d.cutoff) as removed_at,
    shown(c.closed_at, d.cutoff) as last_solved_at,
    case when c.closed_at < d.cutoff then 'closed' else 'open' end as status,
    case
        when c.closed_at < least({{day_end}}, d.cutoff) then 'closed' when c.created_at < {{day_end}} then
            'open'
    end as status_at_day_end
from delivered as d inner join cases as c on c.id = d.id
order by c.id
"""

ORDERS = f"""
select
    order_no(o.id) as order_id,
    'shop' as source,
    {PERSON.format(id="o.person")},
    o.placed_at as ordered_at,
    o.promised_at,
    o.promised_at::timestamp
        + case when o.promised_wrong and not coalesce(o.corrected_at < d.cutoff, false)
            then interval 10 day else interval 0 day end as promised_as_known,
    shown(o.shipped_at, d.cutoff) as shipped_at,
    shown(o.delivered_at, d.cutoff) as delivered_at,
    shown(o.cancelled_at, d.cutoff) as cancelled_at,
    shown(o.returned_at, d.cutoff) as returned_at,
    o.placed_at as created_at,
    list_extract(order_channels(), o.channel + 1) as channel,
    null::varchar as order_type,
    case
        when o.returned_at < d.cutoff then 'returned'
        when o.cancelled_at < d.cutoff then 'cancelled'
        when o.delivered_at < d.cutoff then 'completed'
        when o.shipped_at < d.cutoff then 'shipped'
        else 'placed'
    end as status,
    ((o.items + o.freight) / 100)::decimal(18, 2) as amount,
    case when o.returned_at < d.cutoff then o.refund / 100 else 0 end::decimal(18, 2) as refund,
    list_extract(currencies(), o.country + 1) as currency,
    case
        when o.deleted_at < d.cutoff then 'deleted' when o.cancelled_at < d.cutoff then 'cancelled'
    end as excluded_reason
from delivered as d inner join orders as o on o.id = d.id
order by o.id
"""

DEALS = f"""
select
    crm_id('006', x.id) as order_id,
    'salesforce' as source,
    {PERSON.format(id="x.person")},
    coalesce(shown(x.closed_at, d.cutoff), x.created_at) as ordered_at,
    null::timestamp as promised_at,
    null::timestamp as promised_as_known,
    null::timestamp as shipped_at,
    null::timestamp as delivered_at,
    null::timestamp as cancelled_at,
    null::timestamp as returned_at,
    x.created_at,
    'sales' as channel,
    list_extract(deal_types(), x.kind + 1) as order_type,
    case
        when x.closed_at < d.cutoff and x.won then 'completed' when x.closed_at < d.cutoff then 'lost' else
            'open'
    end as status,
    (x.amount * (100 - case when x.stage_3_at < d.cutoff then x.discount else 0 end) / 10000)::decimal(18, 2)
        as amount,
    0::decimal(18, 2) as refund,
    list_extract(currencies(), x.country + 1) as currency,
    case
        when x.deleted_at < d.cutoff then 'deleted' when status in ('open', 'lost') then status
    end as excluded_reason
from delivered as d inner join deal as x on x.id = d.id
order by x.id
"""

ACTIVITIES = f"""
select
    'ACT-' || lpad(a.id::varchar, 9, '0') as activity_id,
    {PERSON.format(id="a.person")},
    order_no(a."order") as order_id,
    list_extract(activity_types(), a.kind + 1) as activity_type,
    list_extract(activity_channels(), a.kind + 1) as channel,
    case when list_contains(outbound(), activity_type) then 'outbound' else 'inbound' end as direction,
    a.occurred_at,
    coalesce(a.deleted_at < d.cutoff, false) as is_deleted
from delivered as d inner join activity as a on a.id = d.id
order by a.id
"""

RESPONSES = f"""
select * rename (score_now as score) from (select
    response_id(s.id) as answer_id,
    'qualtrics' as source,
    list_extract(survey_ids(), s.survey + 1) as survey_id,
    list_extract(survey_metrics(), s.survey + 1) as metric,
    list_extract(survey_kinds(), s.survey + 1) as survey_kind,
    {PERSON.format(id="case when s.how = 0 then s.person else -1 end")},
    order_no(case when s.how = 0 then s."order" else -1 end) as order_id,
    ticket_no(case when s.how = 0 then s.ticket else -1 end)::varchar as ticket_id,
    case when s.finished_at is not null
        then case when s.edited_at < d.cutoff then s.edited_score else s.score end end::double as score_now,
    list_extract(survey_lows(), s.survey + 1)::double as scale_min,
    list_extract(survey_highs(), s.survey + 1)::double as scale_max,
    list_extract(survey_directions(), s.survey + 1) as scale_direction,
    list_contains(list_extract(survey_positives(), s.survey + 1), score_now::bigint) as is_positive,
    s.recorded_at as answered_at,
    coalesce(s.edited_at < d.cutoff, false) as is_edited,
    s.how = {surveys.ANONYMOUS} as is_anonymous,
    case
        when s.how = {surveys.PREVIEW} then 'test'
        when s.how = {surveys.SPAM} then 'spam'
        when s.finished_at is null then 'no_score'
    end as excluded_reason
from delivered as d inner join survey as s on s.id = d.id
order by s.id)
"""

RATINGS = f"""
select
    (9500000000000000 + t.id)::varchar as answer_id,
    'zendesk' as source,
    'zendesk_satisfaction' as survey_id,
    'csat' as metric,
    'transactional' as survey_kind,
    {PERSON.format(id="case when t.stranger then -1 else t.person end")},
    null::varchar as order_id,
    ticket_no(t.id)::varchar as ticket_id,
    (t.rated_good <> coalesce(t.rerated_at < d.cutoff, false))::integer::double as score,
    0.0 as scale_min,
    1.0 as scale_max,
    'high_is_good' as scale_direction,
    score = 1 as is_positive,
    coalesce(shown(t.rerated_at, d.cutoff), t.rated_at) as answered_at,
    coalesce(t.rerated_at < d.cutoff, false) as is_edited,
    false as is_anonymous,
    null::varchar as excluded_reason
from delivered as d inner join ticket as t on t.id = d.id
where t.rated_at < d.cutoff
order by t.id
"""


def write_truth(connection: duckdb.DuckDBPyConnection, world: World, folder: Path, through: date) -> None:
    """Write the truth as the extracts through a day tell it."""
    folder.mkdir(parents=True, exist_ok=True)
    cutoff = f"(date '{through}' + 1)::timestamp"
    day = f"date '{through}' - date '1970-01-01'"
    customers = connection.sql(CUSTOMERS.format(cutoff=cutoff, day=day)).to_arrow_table()

    def known(stream: str, sql: str) -> pd.DataFrame:
        pick_rows(connection, _everything(stream, through), world.company.seed)
        connection.execute("delete from delivered where is_repeat")
        return connection.sql(sql).df()

    tickets = known("tickets", TICKETS)
    outcomes = _outcomes(known("ticket_audits", AUDITS), end_of_day(through))
    tickets = tickets.merge(outcomes, left_on="id", right_index=True, how="left")
    cases = known("case", CASES.format(day_end=f"timestamp '{end_of_day(through)}'"))
    tickets = _stacked(tickets, cases).drop(columns="id")
    orders = _stacked(known("order", ORDERS), known("opportunity", DEALS))
    answers = _stacked(known("responses", RESPONSES), known("satisfaction_ratings", RATINGS))
    for name, frame in (("tickets", tickets), ("orders", orders), ("answers", answers)):
        frame.insert(len(frame.columns), "is_counted", frame["excluded_reason"].isna())
        _write_table(connection, frame, folder / f"{name}.parquet")
    pq.write_table(customers, folder / "customers.parquet")
    events = bound(moments(customers.to_pandas(), orders, tickets, answers, known("activity", ACTIVITIES)))
    _write_table(connection, events.drop(columns="row"), folder / "events.parquet")
    _write_table(connection, journeys(events, handoffs(tickets), through), folder / "journeys.parquet")
    _write_json(folder / "emotions.json", emotions(events, through))
    rows = {f"{stream.source}/{stream.name}": _records(connection, world, stream.name, through) for stream in STREAMS}
    content = {"as_of": through.isoformat(), "records": rows, **kpis(tickets, orders, answers, through)}
    _write_json(folder / "kpis.json", content)


def _write_table(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, path: Path) -> None:
    connection.register("finished", frame)
    pq.write_table(connection.sql("from finished").to_arrow_table(), path)


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _everything(stream: str, through: date) -> Extract:
    """All that is known of a stream by a day: what a history of that day would hold."""
    return Extract(next(candidate for candidate in STREAMS if candidate.name == stream), through, is_history=True)


def _records(connection: duckdb.DuckDBPyConnection, world: World, stream: str, through: date) -> int:
    """Distinct records of a stream delivered by a day, broken rows aside."""
    pick_rows(connection, _everything(stream, through), world.company.seed)
    return int(connection.execute("select count(*) from delivered where not is_repeat").fetchall()[0][0])


def _outcomes(audits: pd.DataFrame, day_end: pd.Timestamp) -> pd.DataFrame:
    """By ticket: first replies by people and machines, solutions, reopenings, who handed it on, its status."""
    statuses = audits["to_status"].map(dict(enumerate(desk.STATUSES)))
    human = (audits["author"] == desk.AGENT) & (audits["text"] == desk.AGENT_TEXT) & (audits["kind"] > 0)
    solved = (audits["to_status"] == desk.SOLVED) & (audits["from_status"] != desk.SOLVED)
    back = (audits["to_status"] == desk.OPEN) & (audits["from_status"] == desk.SOLVED)
    handed = (audits["from_assignee"] != NOBODY) & (audits["to_assignee"] != audits["from_assignee"])
    return pd.DataFrame(
        {
            "first_reply_at": audits[human].groupby("ticket")["at"].min(),
            "first_solved_at": audits[solved].groupby("ticket")["at"].min(),
            "last_solved_at": audits[solved].groupby("ticket")["at"].max(),
            "reopens": audits[back].groupby("ticket").size(),
            "first_automated_reply_at": audits[audits["text"] == desk.BOT_TEXT].groupby("ticket")["at"].min(),
            "reassignments": audits[handed].groupby("ticket").size(),
            "status": statuses.groupby(audits["ticket"]).last(),
            "status_at_day_end": statuses[audits["at"] < day_end].groupby(audits["ticket"]).last(),
        }
    )


def _stacked(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([first, second], ignore_index=True)
