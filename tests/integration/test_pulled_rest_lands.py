"""What is asked of an API lands, and is judged, like what is delivered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assets.pulling.extract import extract
from orchestration.config.sources import load_sources
from quality.contract.model import load_contract
from quality.landed.extract import ROWS
from storage.data_folder import DataFolder
from tests.emulator_kit import serving
from tests.rest_kit import as_told, newest
from tests.unit.test_sources import write
from tests.zendesk_emulator import API_TOKEN, EMAIL, Desk

COMPANY = """\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-01
sources:
  desk:
    system: zendesk
    connector: rest
    location: {base}
    credentials_env: {{email: DESK_EMAIL, api_token: DESK_API_TOKEN}}
    streams:
      tickets:
"""
FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)


def test_each_date_lands_what_changed_and_nothing_is_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_EMAIL", EMAIL)
    monkeypatch.setenv("DESK_API_TOKEN", API_TOKEN)
    folder, contract = DataFolder(tmp_path / "data"), load_contract("zendesk", "tickets")
    desk = Desk(page_rows=2)
    for number in range(1, 6):
        desk.ticket(number, at=desk.now - 7200 + number)
    with serving(desk) as base:
        (stream,) = load_sources(write(tmp_path, COMPANY.format(base=base)), folder.root).streams
        first = extract(stream, contract, folder, [FIRST])
        asked = len(desk.requests)
        assert extract(stream, contract, folder, [FIRST]).pulled == []
        assert len(desk.requests) == asked, "what has landed is not asked for again"
        desk.now += 86_400
        desk.ticket(2, "deleted", at=desk.now - 100)
        second = extract(stream, contract, folder, [FIRST, SECOND])

    assert [(each.pages, each.rows) for each in first.pulled + second.pulled] == [(3, 5), (1, 1)]
    landed = [
        row
        for day in (FIRST, SECOND)
        for row in pq.read_table(folder.landing_partition(stream.stream, day) / ROWS).to_pylist()
    ]
    told = as_told(desk.rows("tickets").values())
    assert {
        number: {name: row[name] for name in contract.columns}
        for number, row in newest(landed, "generated_timestamp").items()
    } == told
    assert not list(folder.pulled.rglob("*.parquet")), "landing keeps the copy"
