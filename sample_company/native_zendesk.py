"""Extracts of the help desk in Zendesk's shape: JSON lines, nested as the incremental exports give them."""

from __future__ import annotations

from sample_company.desk import AUDITS, KINDS, METRICS, STAFF_USERS, STATUSES, TYPES
from sample_company.native import Stream

TICKET_MOMENTS = tuple(dict.fromkeys([moment for _, moment, *_ in AUDITS] + ["rated_at", "rerated_at", "deleted_at"]))
VIA = "list_extract(channels(), t.channel + 1)"
GOOD_NOW = "(t.rated_good <> coalesce(t.rerated_at < p.cutoff, false))"
RATING = f"""(
    case when {GOOD_NOW} then 'good' else 'bad' end
    || case when t.rating_comment >= 0 then '_with_comment' else '' end
)"""

ESCALATED = "coalesce(t.escalated_at < p.cutoff, false)"

TICKETS = f"""
    ticket_no(p.id) as id,
    case when t."order" >= 0 and t.id % 3 = 0 then order_no(t."order") end as external_id,
    nth(list_extract(subjects(), t.reason + 1), t.subject) as subject,
    case when t.complaint then nth(complaint_lines(), t.subject) || chr(10) else '' end
        || nth(customer_lines(), t.subject) as description,
    case t.reason when 2 then 'problem' when 5 then 'incident' else 'question' end as type,
    case when t.urgent then 'urgent' when {ESCALATED} then 'high' else 'normal' end as priority,
    case
        when t.deleted_at < p.cutoff then 'deleted'
        when t.merged_at < p.cutoff or t.closed_at < p.cutoff then 'closed'
        when t.resolved_at < p.cutoff then 'solved'
        when t.reopened_at < p.cutoff then 'open'
        when t.solved_at < p.cutoff then 'solved'
        when t.held_at < p.cutoff then 'hold'
        when t.escalated_at < p.cutoff then 'open'
        when t.second_reply_at < p.cutoff then 'pending'
        when t.back_at < p.cutoff then 'open'
        when t.first_reply_at < p.cutoff then 'pending'
        when t.assigned_at < p.cutoff or t.outreach or t.channel = 2 then 'open'
        else 'new'
    end as status,
    desk_id(t.user) as requester_id,
    case when t.outreach then desk_id({STAFF_USERS} + t.agent) else desk_id(t.user) end as submitter_id,
    desk_id({STAFF_USERS} + case
        when t.escalated_at < p.cutoff then t.senior_agent
        when t.reassigned_at < p.cutoff then t.next_agent
        when t.assigned_at < p.cutoff or t.outreach then t.agent
    end) as assignee_id,
    5001 + case when {ESCALATED} then 3 else t.team end as group_id,
    case when w.business and not t.stranger then 9300000000000000 + w.account end as organization_id,
    360001 as brand_id,
    kinds([
        'topic_' || list_extract(reasons(), t.reason + 1),
        case when t.complaint then 'complaint' end,
        case when {ESCALATED} then 'escalated' end,
        case when t.merged_at < p.cutoff then 'closed_by_merge' end
    ]) as tags,
    [
        {{'id': 360000101, 'value': list_extract(reasons(), t.reason + 1)}},
        {{'id': 360000102, 'value': order_no(t."order")}}
    ] as custom_fields,
    {{'channel': {VIA}, 'source': {{'from': {{}}::json, 'to': {{}}::json, 'rel': null}}}}::json as via,
    case
        when t.rated_at < p.cutoff then json_object('score', replace({RATING}, '_with_comment', ''))
        when t.offered_at < p.cutoff then json_object('score', 'offered')
        else json_object('score', 'unoffered')
    end as satisfaction_rating,
    null::bigint as problem_id,
    false as has_incidents,
    true as is_public,
    []::bigint[] as followup_ids,
    iso(t.created_at) as created_at,
    iso(latest([{", ".join(f"t.{moment}" for moment in TICKET_MOMENTS)}], p.cutoff)) as updated_at,
    epoch(latest([{", ".join(f"t.{moment}" for moment in TICKET_MOMENTS)}], p.cutoff)::timestamp)::bigint
        as generated_timestamp,
    kinds([
        case when t.deleted_at < p.cutoff then 'deleted' end,
        case when t.merged_at < p.cutoff then 'merged' end,
        case when description like '%' || chr(10) || '%' or description like '%"%' or description like '%;%'
            then 'awkward_text' end,
        case when not regexp_matches(description || subject, '^[\\x00-\\x7f]*$') then 'non_ascii' end
    ]) as _dirt
from picked as p
inner join ticket as t on t.id = p.id
left join who as w on w.id = t.person
"""

AUTHOR = f"""case a.author
        when 0 then desk_id(t.user)
        when 1 then desk_id({STAFF_USERS} + a.agent)
        when 2 then case when t.channel = 1 then desk_id({STAFF_USERS} + 1) else -1 end
        else -1
    end"""

AUDIT = f"""
    9100000000000000 + p.id as id,
    ticket_no(a.ticket) as ticket_id,
    {AUTHOR} as author_id,
    iso(a."at") as created_at,
    kinds([
        case when a.kind = 0 then json_object(
            'id', a.id * 10, 'type', 'Create', 'field_name', 'subject',
            'value', nth(list_extract(subjects(), t.reason + 1), t.subject)) end,
        case when a.kind = 0 then json_object(
            'id', a.id * 10 + 1, 'type', 'Create', 'field_name', 'priority',
            'value', case when t.urgent then 'urgent' else 'normal' end) end,
        case when a.kind = 0 then json_object(
            'id', a.id * 10 + 2, 'type', 'Create', 'field_name', 'status',
            'value', list_extract(statuses(), a.to_status + 1)) end,
        case when a.kind = 0 then json_object(
            'id', a.id * 10 + 3, 'type', 'Create', 'field_name', 'group_id',
            'value', (5001 + a.to_team)::varchar) end,
        case when a.kind = 0 and a.to_assignee >= 0 then json_object(
            'id', a.id * 10 + 4, 'type', 'Create', 'field_name', 'assignee_id',
            'value', desk_id({STAFF_USERS} + a.to_assignee)::varchar) end,
        case when a.text > 0 then json_object(
            'id', a.id * 10 + 5, 'type', 'Comment', 'author_id', author_id, 'public', a.text <> 4,
            'body', case a.text
                when 1 then nth(customer_lines(), t.subject + a.kind)
                when 2 then nth(agent_lines(), t.subject + a.kind)
                when 3 then nth(bot_lines(), t.subject)
                when 4 then nth(note_lines(), t.subject)
                else 'This request was closed and merged into request #' || ticket_no(t.merged_into) || '.'
            end) end,
        case when a.kind > 0 and a.to_status <> a.from_status then json_object(
            'id', a.id * 10 + 6, 'type', 'Change', 'field_name', 'status',
            'value', list_extract(statuses(), a.to_status + 1),
            'previous_value', list_extract(statuses(), a.from_status + 1)) end,
        case when a.kind > 0 and a.to_assignee <> a.from_assignee then json_object(
            'id', a.id * 10 + 7, 'type', 'Change', 'field_name', 'assignee_id',
            'value', desk_id({STAFF_USERS} + a.to_assignee)::varchar,
            'previous_value', case when a.from_assignee >= 0
                then desk_id({STAFF_USERS} + a.from_assignee)::varchar end) end,
        case when a.kind > 0 and a.to_team <> a.from_team then json_object(
            'id', a.id * 10 + 8, 'type', 'Change', 'field_name', 'group_id',
            'value', (5001 + a.to_team)::varchar, 'previous_value', (5001 + a.from_team)::varchar) end,
        case when a.kind = {KINDS.index("escalated")} and not t.urgent then json_object(
            'id', a.id * 10 + 9, 'type', 'Change', 'field_name', 'priority',
            'value', 'high', 'previous_value', 'normal') end,
        case when a.kind = {KINDS.index("offered")} then json_object(
            'id', a.id * 10 + 4, 'type', 'Change', 'field_name', 'satisfaction_score',
            'value', 'offered', 'previous_value', 'unoffered') end,
        case when a.kind = {KINDS.index("note")} and a.id % 5 = 0 then json_object(
            'id', a.id * 10 + 4, 'type', 'KnowledgeCaptured',
            'article', json_object('id', 42, 'locale', 'en')) end
    ])::json[] as events,
    case
        when a.author = 3 or (a.author = 2 and t.channel <> 1)
            then json_object('channel', 'rule', 'source', json_object(
                'from', json_object('id', 77, 'title', 'Auto "assign; reply"'), 'rel', 'trigger'))
        when a.kind = {KINDS.index("merged")}
            then json_object('channel', 'web', 'source', json_object(
                'to', json_object('ticket_id', ticket_no(t.merged_into)), 'rel', 'merge'))
        else json_object('channel', case when a.author = 1 and t.channel <> 2 then 'web' else {VIA} end,
            'source', json_object('rel', null))
    end as via,
    json_object('system', json_object(
        'client', 'Mozilla/5.0',
        'ip_address', '203.0.113.' || (t.user % 250),
        'location', nth(time_zones(), t.user)
    )) as metadata,
    kinds([
        case when a.kind = {KINDS.index("merged")} then 'merged' end,
        case when a.kind = {KINDS.index("note")} and a.id % 5 = 0 then 'unknown_event' end
    ]) as _dirt
from picked as p
inner join audit as a on a.id = p.id
inner join ticket as t on t.id = a.ticket
"""

CLOCK = """
    9400000000000000 + p.id as id,
    ticket_no(c.ticket) as ticket_id,
    list_extract(metrics(), c.metric + 1) as metric,
    c.instance as instance_id,
    list_extract(types(), c.type + 1) as type,
    iso(c."at") as time,
    case when c.type = 3 then json_object(
        'target', c.target, 'business_hours', false,
        'policy', json_object('id', 36000, 'title', 'Standard', 'description', null)) end as sla,
    case when c.type = 5 then json_object('calendar', c.minutes, 'business', c.minutes) end as status,
    false as deleted,
    []::varchar[] as _dirt
from picked as p
inner join clock as c on c.id = p.id
"""

USERS = f"""
    desk_id(p.id) as id,
    case
        when u.agent >= 0 and s.is_bot then list_extract(['Trigger Robot', 'Answer Bot'], 1 + u.agent)
        when u.agent >= 0 then nth(agent_first(), s.name) || ' ' || nth(agent_last(), s.name // 100)
        when u.person >= 0 then w.first_name || ' ' || w.last_name
        else 'Caller ' || ticket_no(u.ticket)
    end as name,
    case
        when u.agent >= 0 then 'agent' || u.agent || '@nordlicht-home.example'
        when u.alternate then 'alt.' || w.address
        when u.person >= 0 and w.mail in (1, 3) then w.email
        when u.person >= 0 and w.channel <> 4 then address_at(w.address, w.id, w.mail, w.edited_at, p.cutoff)
        when u.person < 0 and u.ticket % 2 = 0 then 'visitor' || u.ticket || '@example.org'
    end as email,
    -- Who writes from another address is asked for a number, and the desk keeps it in its international form.
    case
        when u.person >= 0 and w.channel in (2, 4)
            then phone_at(w.phone, w.dial, w.phone_number, w.edited_at, p.cutoff)
        when u.alternate and w.phone < 5 then phone_at(3, w.dial, w.phone_number, w.edited_at, p.cutoff)
    end as phone,
    case when u.person >= 0 and not u.alternate and w.id % 10 < 7 then crm_id('003', c.id) end as external_id,
    case when u.agent = 2 then 'admin' when u.agent >= 0 then 'agent' else 'end-user' end as role,
    case when w.business and not u.alternate then 9300000000000000 + w.account end as organization_id,
    case when u.agent >= 0 then 5001 + s.group end as default_group_id,
    not coalesce(u.erased_at < p.cutoff, false) as active,
    false as suspended,
    false as permanently_deleted,
    case when w.id is null then 'Berlin' else list_extract(time_zones(), w.country + 1) end as time_zone,
    case when w.id is null then 'en-GB' else list_extract(locales(), w.country + 1) end as locale,
    iso(u.created_at) as created_at,
    iso(greatest(
        latest([u.created_at, u.edited_at, u.erased_at], p.cutoff),
        case when u.id = {STAFF_USERS} then p.cutoff - interval 22 hour end
    )) as updated_at,
    kinds([
        case when u.erased_at < p.cutoff then 'deleted' end,
        case when w.mail = 1 and not u.alternate then 'shared_inbox' end,
        case when w.mail = 3 and not u.alternate then 'untidy_email' end,
        case when u.alternate then 'other_address' end,
        case when u.person < 0 and u.agent < 0 then 'stranger' end,
        case when new_today(u.edited_at, p.cutoff) then 'edited' end
    ]) as _dirt
from picked as p
inner join users as u on u.id = p.id
left join who as w on w.id = u.person
left join contact as c on c.person = u.person and not c.is_duplicate
left join staff as s on s.id = u.agent
"""

ORGANIZATIONS = """
    9300000000000000 + p.id as id,
    n.name as name,
    [n.domain] as domain_names,
    crm_id('001', o.id) as external_id,
    iso(o.created_at) as created_at,
    iso(latest([o.created_at, o.edited_at, o.deleted_at], p.cutoff)) as updated_at,
    iso(shown(o.deleted_at, p.cutoff)) as deleted_at,
    kinds([case when o.deleted_at < p.cutoff then 'deleted' end]) as _dirt
from picked as p
inner join organization as o on o.id = p.id
inner join company_name as n on n.id = p.id
"""

RATINGS = f"""
    9500000000000000 + p.id as id,
    ticket_no(t.id) as ticket_id,
    desk_id(t.user) as requester_id,
    desk_id({STAFF_USERS} + case
        when t.escalated_at is not null then t.senior_agent
        when t.reassigned_at is not null then t.next_agent
        else t.agent
    end) as assignee_id,
    5001 + case when t.escalated_at is not null then 3 else t.team end as group_id,
    case when t.rated_at < p.cutoff then {RATING} else 'offered' end as score,
    case when t.rated_at < p.cutoff and not {GOOD_NOW}
        then 'The issue took too long to resolve' end as reason,
    case when t.rated_at < p.cutoff and not {GOOD_NOW} then 5 end as reason_id,
    case when t.rated_at < p.cutoff and t.rating_comment >= 0 then
        case when {GOOD_NOW} then nth(praise(), t.rating_comment) else nth(grumbles(), t.rating_comment) end
    end as comment,
    iso(t.offered_at) as created_at,
    iso(latest([t.offered_at, t.rated_at, t.rerated_at], p.cutoff)) as updated_at,
    kinds([case when new_today(t.rerated_at, p.cutoff) then 'edited' end]) as _dirt
from picked as p
inner join ticket as t on t.id = p.id
"""

WORDS = {"statuses": STATUSES, "metrics": METRICS, "types": TYPES}
"""Lists the SQL above names."""

STREAMS = (
    Stream(
        "zendesk", "tickets", "jsonl.gz", "ticket", TICKET_MOMENTS, ("id",), TICKETS, late_by="id",
        repeats=True
    ),
    Stream(
        "zendesk", "ticket_audits", "jsonl.gz", "audit", ("at",), ("id",), AUDIT, late_by="ticket",
        repeats=True
    ),
    Stream(
        "zendesk", "ticket_metric_events", "jsonl.gz", "clock", ("at",), ("id",), CLOCK, late_by="ticket",
        repeats=True,
    ),
    Stream(
        "zendesk", "users", "jsonl.gz", "users", ("created_at", "edited_at", "erased_at"), ("id",), USERS,
        repeats=True, touched=STAFF_USERS,
    ),
    Stream(
        "zendesk", "organizations", "jsonl.gz", "organization", ("created_at", "edited_at", "deleted_at"),
        ("id",),
        ORGANIZATIONS,
    ),
    Stream(
        "zendesk", "satisfaction_ratings", "jsonl.gz", "ticket", ("offered_at", "rated_at", "rerated_at"),
        ("id",), RATINGS,
        where="offered_at is not null", late_by="id", repeats=True,
    ),
)  # fmt: skip
