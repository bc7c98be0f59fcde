"""The stock way: `@dbt_assets` over the same project, `dbt build`, each step in a process of its own.

What its documentation shows, nothing added: `dagster job execute -m bench.peers.stock_dagster -j stock` runs it on the
warehouse that the environment names. No extract is judged and nothing is published.
"""

# Annotations are not postponed in this file: Dagster looks at the one of `context`.
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import AssetExecutionContext
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.config.settings import load_settings
from orchestration.dbt.project import manifest_path

_SETTINGS = load_settings()


@dbt_assets(manifest=manifest_path(_SETTINGS))
def models(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """All of the project."""
    yield from dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context).stream()


defs = dg.Definitions(
    assets=[models],
    jobs=[dg.define_asset_job("stock", executor_def=dg.multiprocess_executor)],
    resources={
        "dbt": DbtCliResource(
            project_dir=str(_SETTINGS.dbt_project),
            dbt_executable=str(Path(sys.executable).with_name("dbt")),
        )
    },
)
