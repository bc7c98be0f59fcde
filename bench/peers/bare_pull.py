"""A bare client: asks for all rows and keeps none, without retries, limits, files or a second look.

python bare_pull.py zendesk ROWS ADDRESS EMAIL TOKEN
python bare_pull.py postgres ROWS URI
"""

from __future__ import annotations

import sys


def zendesk(address: str, email: str, token: str) -> int:
    """Tickets of Zendesk's incremental cursor export, page by page: requests and orjson."""
    import orjson
    import requests

    rows = 0
    with requests.Session() as session:
        session.auth = (f"{email}/token", token)
        asked = {"start_time": "1", "per_page": "1000"}
        while True:
            answer = session.get(f"{address}/api/v2/incremental/tickets/cursor.json", params=asked, timeout=60)
            answer.raise_for_status()
            page = orjson.loads(answer.content)
            rows += len(page["tickets"])
            if page["end_of_stream"]:
                return rows
            asked = {"cursor": page["after_cursor"], "per_page": "1000"}


def postgres(uri: str) -> int:
    """Rows of a table as Arrow batches: ADBC and one query."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("select * from orders")
        return sum(batch.num_rows for batch in cursor.fetch_record_batch())


def main() -> None:
    """Ask for all of it, and fail unless it is as many rows as there are."""
    kind, expected, *where = sys.argv[1:]
    rows = zendesk(*where) if kind == "zendesk" else postgres(*where)
    if rows != int(expected):
        raise RuntimeError(f"{rows} of {expected} rows came")


if __name__ == "__main__":
    main()
