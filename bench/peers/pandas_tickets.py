"""What somebody without any of ours would write: `python bench/peers/pandas_tickets.py FOLDER OUT`.

Reads all extracts of a Zendesk and reckons by day how many tickets were created, the median minutes to the first reply
and to the solution, the share that was reopened, and the backlog. Nothing is checked, nothing kept for the next day, so
the next day costs the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd


def figures(folder: Path) -> pd.DataFrame:
    """A row per day."""
    tickets = _read(folder, "tickets").sort_values("updated_at").drop_duplicates("id", keep="last").set_index("id")
    users = _read(folder, "users").drop_duplicates("id", keep="last")
    audits = _read(folder, "ticket_audits").drop_duplicates("id", keep="last").drop(columns="id")
    events = audits.explode("events", ignore_index=True)
    events = events.drop(columns="events").join(pd.json_normalize(events.events), rsuffix="_of_event")
    tickets["created_at"] = pd.to_datetime(tickets.created_at)
    events["created_at"] = pd.to_datetime(events.created_at)
    events = events.sort_values("created_at", kind="stable")
    agents = users.id[users.role != "end-user"]
    replies = events[(events.type == "Comment") & events.public.eq(True) & events.author_id.isin(agents)]
    moves = events[(events.type == "Change") & (events.field_name == "status")]
    solutions, reopenings = moves[moves.value == "solved"], moves[moves.previous_value == "solved"]

    replied_at = replies.groupby("ticket_id").created_at.first()
    solved_at = solutions.groupby("ticket_id").created_at.last()
    tickets["reply_minutes"] = (replied_at - tickets.created_at).dt.total_seconds() / 60
    tickets["solution_minutes"] = (solved_at - tickets.created_at).dt.total_seconds() / 60
    tickets["is_reopened"] = tickets.index.isin(reopenings.ticket_id)
    tickets["created_on"] = tickets.created_at.dt.date
    tickets["solved_on"] = solved_at.dt.date
    changes = pd.concat(
        [
            pd.Series(1, tickets.created_at),
            pd.Series(-1, solutions.created_at),
            pd.Series(1, reopenings.created_at),
        ]
    )
    by_created, by_solved = tickets.groupby("created_on"), tickets.groupby("solved_on")
    return pd.DataFrame(
        {
            "created": by_created.size(),
            "first_reply_minutes": by_created.reply_minutes.median(),
            "solution_minutes": by_solved.solution_minutes.median(),
            "reopen_rate": by_solved.is_reopened.mean(),
            "backlog": changes.groupby(changes.index.date).sum().sort_index().cumsum(),
        }
    )


def _read(folder: Path, stream: str) -> pd.DataFrame:
    files = sorted(folder.glob(f"{stream}_[0-9]*.jsonl.gz"))
    return pd.concat([pd.read_json(file, lines=True, convert_dates=False) for file in files], ignore_index=True)


if __name__ == "__main__":
    figures(Path(sys.argv[1])).to_csv(sys.argv[2], index_label="day")
