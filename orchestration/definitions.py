"""Where Dagster looks for this project's definitions. Everything is built by build.py."""

from __future__ import annotations

from orchestration.build import build_defs

defs = build_defs()
