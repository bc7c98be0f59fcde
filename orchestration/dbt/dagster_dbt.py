"""What we use of dagster-dbt, imported without dbt-core. What lives here: only that import.

dagster-dbt works with and without dbt-core in its process. We need it for the translation of a manifest, and
dbt runs in a process of its own, so importing dbt here as well would be a second for nothing, on every load
and every night.
"""

from __future__ import annotations

import sys

_HIDE = "dbt" not in sys.modules
if _HIDE:
    # A name that is None cannot be imported.
    sys.modules["dbt"] = None  # type: ignore[assignment]
try:
    from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProject
finally:
    if _HIDE:
        del sys.modules["dbt"]

__all__ = ["DagsterDbtTranslator", "DbtCliInvocation", "DbtCliResource", "DbtProject"]
