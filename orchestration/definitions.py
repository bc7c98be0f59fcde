"""Where Dagster looks for this project's definitions. Everything is built by build.py."""

from __future__ import annotations

from orchestration.build import build_defs
from storage.permissions import keep_private

keep_private()
defs = build_defs()
