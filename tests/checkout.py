"""This checkout as an installation: what is made once for it, all tests share. Not here: installations of tests."""

from __future__ import annotations

from orchestration.config.settings import PROJECT, Settings
from storage.company_folder import SAMPLE

CHECKOUT = Settings(data=PROJECT / "data", state=PROJECT / ".dagster", company=SAMPLE)
