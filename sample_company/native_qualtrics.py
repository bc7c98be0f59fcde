"""Extracts of the survey product in Qualtrics' shape: CSV with three header rows, or JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from sample_company.company import Company
from sample_company.draw import Columns
from sample_company.native import Stream
from sample_company.surveys import SURVEYS

REWORDED_DAY = 179
"""Days after the start on which the wording of the delivery question changes."""

QUESTIONS = ("QID1", "QID2", "QID3_TEXT")

RESPONSES = """
    response_id(p.id) as "ResponseId",
    list_extract(survey_ids(), s.survey + 1) as "SurveyId",
    plain(s.started_at) as "StartDate",
    plain(coalesce(s.finished_at, s.started_at + interval 20 second)) as "EndDate",
    plain(s.recorded_at) as "RecordedDate",
    list_extract(['IP Address', 'IP Address', 'Survey Preview', 'Spam'], s.how + 1) as "Status",
    case when s.how <> 2 then '203.0.113.' || (greatest(s.person, 0) % 250) end as "IPAddress",
    case when s.finished_at is null then 33 else 100 end as "Progress",
    epoch(coalesce(s.finished_at, s.started_at + interval 20 second)::timestamp)::bigint
        - epoch(s.started_at::timestamp)::bigint as "Duration (in seconds)",
    case when s.finished_at is null then 'False' else 'True' end as "Finished",
    case when s.how = 0 then w.last_name end as "RecipientLastName",
    case when s.how = 0 then w.first_name end as "RecipientFirstName",
    case when s.how = 0 then w.email end as "RecipientEmail",
    case when s.how = 0 then crm_id('003', c.id) end as "ExternalReference",
    case when s.id % 4 = 0 and s.how < 2 then '52.5' || (s.id % 90) end as "LocationLatitude",
    case when s.id % 4 = 0 and s.how < 2 then '13.4' || (s.id % 90) end as "LocationLongitude",
    case when s.how = 0 then case when s.by_sms then 'sms' else 'email' end
        when s.how = 2 then 'preview' else 'anonymous' end as "DistributionChannel",
    upper(coalesce(w.language, 'de')) as "UserLanguage",
    case when s.how = 0 then ticket_no(s.ticket) end as "TicketId",
    case when s.how = 0 then order_no(s."order") end as "OrderId",
    case when s.finished_at is not null
        then case when s.edited_at < p.cutoff then s.edited_score else s.score end end::varchar as "QID1",
    case when list_extract(survey_metrics(), s.survey + 1) = 'nps' and "QID1" is not null then
        case
            when "QID1"::integer >= 9 then 'Promoter' when "QID1"::integer >= 7 then 'Passive' else
                'Detractor'
        end
    end as "QID1_NPS_GROUP",
    case when s.finished_at is not null and s.id % 3 > 0
        then list_extract(score_reasons(), s.reason + 1) end as "QID2",
    case
        when s.finished_at is null or s.verbatim < 0 then null
        when s.how = 3 then nth(spam(), s.verbatim)
        when s.goodness >= 0.6 then nth(praise(), s.verbatim)
        else nth(grumbles(), s.verbatim)
    end as "QID3_TEXT",
    kinds([
        case when s.how = 1 then 'anonymous' end,
        case when s.how = 2 then 'preview' end,
        case when s.how = 3 then 'spam' end,
        case when s.finished_at is null then 'partial' end,
        case when new_today(s.edited_at, p.cutoff) then 'edited' end,
        case when "QID3_TEXT" like '%' || chr(10) || '%' or "QID3_TEXT" like '%"%' or "QID3_TEXT" like '%;%'
            then 'awkward_text' end,
        case when s.how = 0 and w.mail = 1 then 'shared_inbox' end
    ]) as _dirt
from picked as p
inner join survey as s on s.id = p.id
left join who as w on w.id = s.person and s.how < 2
left join contact as c on c.person = s.person and not c.is_duplicate and s.how = 0
"""

DISTRIBUTIONS = """
    'EMD_' || list_extract(survey_ids(), s.survey + 1)[4:] || strftime(s.sent_at::timestamp, '_%Y%m%d')
        as distribution_id,
    list_extract(survey_ids(), s.survey + 1) as survey_id,
    'CID_' || lpad(s.person::varchar, 9, '0') as contact_id,
    crm_id('003', c.id) as external_reference,
    w.email,
    ticket_no(s.ticket)::varchar as ticket_id,
    order_no(s."order") as order_id,
    case when s.by_sms then 'sms' else 'email' end as channel,
    'Invite' as request_type,
    case
        when s.opted_out_at < p.cutoff then 'UserOptedOut'
        when s.finished_at < p.cutoff then 'SurveyFinished'
        when s.started_at < p.cutoff then 'SurveyStarted'
        when s.opened_at < p.cutoff then 'Opened'
        when s.bounced_at < p.cutoff then 'HardBounce'
        else 'Sent'
    end as status,
    iso(s.sent_at) as sent_at,
    iso(shown(s.opened_at, p.cutoff)) as opened_at,
    iso(shown(s.started_at, p.cutoff)) as started_at,
    iso(shown(s.finished_at, p.cutoff)) as finished_at,
    case when s.finished_at < p.cutoff then response_id(s.id) end as response_id,
    iso(latest([s.sent_at, s.bounced_at, s.opened_at, s.started_at, s.finished_at, s.opted_out_at], p.cutoff))
        as updated_at,
    kinds([
        case when w.mail = 1 then 'shared_inbox' end,
        case when w.mail = 2 then 'bad_email' end,
        case when s.opted_out_at < p.cutoff then 'opted_out' end
    ]) as _dirt
from picked as p
inner join survey as s on s.id = p.id
inner join who as w on w.id = s.person
inner join contact as c on c.person = s.person and not c.is_duplicate
"""

DEFINITIONS = """
    list_extract(survey_ids(), q.survey + 1) as survey_id,
    list_extract(survey_names(), q.survey + 1) as survey_name,
    list_extract(['QID1', 'QID2', 'QID3_TEXT'], q.question + 1) as question_id,
    case q.question
        when 0 then list_extract(survey_wordings(), q.survey + 1)
            || case when q.reworded_at < p.cutoff then ' Please tell us.' else '' end
        when 1 then 'What was the main reason for your score?'
        else 'Is there anything you would like to add?'
    end as question_text,
    case
        when q.question = 0 and list_extract(survey_metrics(), q.survey + 1) = 'nps' then 'NPS'
        when q.question < 2 then 'MC'
        else 'TE'
    end as question_type,
    case q.question
        when 0 then list_extract(survey_metrics(), q.survey + 1) when 1 then 'reason' else 'other'
    end as metric,
    case when q.question = 0 then list_extract(survey_lows(), q.survey + 1) end as scale_min,
    case when q.question = 0 then list_extract(survey_highs(), q.survey + 1) end as scale_max,
    case when q.question = 0 then list_extract(survey_directions(), q.survey + 1) end as scale_direction,
    case when q.question = 0 then list_extract(survey_positives(), q.survey + 1) end as positive_values,
    null::varchar as recode_values,
    list_extract(survey_kinds(), q.survey + 1) as survey_kind,
    list_extract(survey_touchpoints(), q.survey + 1) as touchpoint,
    true as is_active,
    iso(latest([q.created_at, q.reworded_at], p.cutoff)) as last_modified,
    kinds([case when new_today(q.reworded_at, p.cutoff) then 'edited' end]) as _dirt
from picked as p
inner join question as q on q.id = p.id
"""

MACROS = """
create macro response_id(n) as 'R_' || lpad(n::varchar, 13, '0') || 'nh';
"""


def survey_words() -> dict[str, Sequence[object]]:
    """The surveys' constants as lists."""
    return {
        "survey_ids": [survey.id for survey in SURVEYS],
        "survey_names": [survey.name for survey in SURVEYS],
        "survey_wordings": [survey.wording for survey in SURVEYS],
        "survey_metrics": [survey.metric for survey in SURVEYS],
        "survey_kinds": [survey.kind for survey in SURVEYS],
        "survey_touchpoints": [survey.touchpoint for survey in SURVEYS],
        "survey_lows": [survey.low for survey in SURVEYS],
        "survey_highs": [survey.high for survey in SURVEYS],
        "survey_directions": ["low_is_good" if survey.reversed else "high_is_good" for survey in SURVEYS],
        "survey_positives": [survey.positive for survey in SURVEYS],
    }


def questions(company: Company) -> Columns:
    """Questions of the surveys, made a month before the start; the one about delivery is reworded later."""
    survey, question = np.divmod(np.arange(len(SURVEYS) * len(QUESTIONS)), len(QUESTIONS))
    made = np.datetime64(company.start - timedelta(days=30), "s")
    reworded = np.full(len(survey), np.datetime64("NaT", "s"))
    reworded[6] = np.datetime64(company.start + timedelta(days=REWORDED_DAY), "s") + np.timedelta64(9, "h")
    return {
        "id": np.arange(len(survey)),
        "survey": survey,
        "question": question,
        "created_at": np.full(len(survey), made),
        "reworded_at": reworded,
    }


def response_headers(columns: list[str]) -> str:
    """The second and third header row of a responses export: question texts, and import ids as JSON."""
    texts = {
        "QID1": 'Please give us a score:\n"0" or "1" is the lowest',
        "QID2": "What was the main reason for your score?",
        "QID3_TEXT": "Is there anything\nyou would like to add?",
        "QID1_NPS_GROUP": "Score - Group",
    }
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([texts.get(column, column) for column in columns])
    writer.writerow([json.dumps({"ImportId": column}, separators=(",", ":")) for column in columns])
    return out.getvalue()


STREAMS = (
    Stream(
        "qualtrics", "survey_definitions", "jsonl.gz", "question", ("created_at", "reworded_at"),
        ("survey_id", "question_id"), DEFINITIONS,
    ),
    Stream(
        "qualtrics", "responses", "csv.gz", "survey", ("recorded_at", "edited_at"), ("ResponseId",),
        RESPONSES,
        where="started_at is not null", late_by="case when edited_at is null then id end",
    ),
    Stream(
        "qualtrics", "distributions", "jsonl.gz", "survey",
        ("sent_at", "bounced_at", "opened_at", "started_at", "finished_at", "opted_out_at"),
        ("distribution_id", "contact_id"), DISTRIBUTIONS,
        where="how = 0",
    ),
)  # fmt: skip
