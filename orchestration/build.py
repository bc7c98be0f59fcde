"""Builds everything Dagster knows of this installation: `build_defs()`.

Not here: what the steps do (one file each).

Loading touches neither network nor database nor Great Expectations: steps import what they need when they
run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration.config.setup import Setup, load_setup
from orchestration.dbt.project import load_manifest
from orchestration.dbt_assets import build_models, dbt_resource
from orchestration.dbt_translator import Translator
from orchestration.extract_assets import accepted_assets, landing_assets
from orchestration.keys import JOB
from orchestration.partitions import daily
from orchestration.publish_assets import audit_asset, begin_build_asset, published_asset, report_asset, store_asset
from orchestration.resources import data_lock_resource, gate_resource
from orchestration.schedules import nightly_schedule
from orchestration.sensors import watch_sensor

# A night is expected every 24 hours. The windows are wider: a night that runs a little late must not alarm
# anybody.
FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(hours=36))


def build_defs(
    *,
    setup: Setup | None = None,
    resource_overrides: Mapping[str, Any] | None = None,
    asset_overrides: Sequence[dg.AssetsDefinition] = (),
) -> dg.Definitions:
    """Build the definitions.

    Args:
        setup: Settings and sources; None: from the environment.
        resource_overrides: Resources by name (`dbt`, `gate`, `data_lock`) to use in place of the real ones.
        asset_overrides: Assets to use in place of those that make the same keys.

    Raises:
        JourneymartError: The settings, the sources or the dbt project hold a mistake.
    """
    setup = setup or load_setup()
    setup.require_known_sources()
    manifest = load_manifest(setup.settings)
    assets = _override(night_assets(setup, manifest), asset_overrides)
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*(key for asset in assets for key in asset.keys)),
        description="One night: extract, judge, build, audit, report, publish. A range of dates is one run.",
        partitions_def=daily(setup.sources),
        executor_def=dg.in_process_executor,
    )
    return dg.Definitions(
        assets=[asset.map_asset_specs(_with_freshness) for asset in assets],
        jobs=[job],
        schedules=[nightly_schedule(setup, job)],
        sensors=[watch_sensor(setup, JOB)] if setup.sources.alerts else [],
        resources={
            "dbt": dbt_resource(setup),
            "data_lock": data_lock_resource(setup),
            "gate": gate_resource,
            **(resource_overrides or {}),
        },
        executor=dg.in_process_executor,
    )


def night_assets(setup: Setup, manifest: dict[str, Any]) -> list[dg.AssetsDefinition]:
    """All steps of a night, in order. Every blocking check lies on the way to what is published."""
    extraction = [make(setup, source) for make in (landing_assets, accepted_assets) for source in setup.sources.sources]
    translator = Translator(setup, manifest)
    return [
        *extraction,
        begin_build_asset(setup, manifest),
        build_models(setup, translator),
        audit_asset(setup, manifest, translator.ends),
        report_asset(setup),
        published_asset(setup, manifest),
        *([store_asset(setup)] if setup.sources.publish_to else []),
    ]


def _override(
    assets: Sequence[dg.AssetsDefinition], overrides: Sequence[dg.AssetsDefinition]
) -> list[dg.AssetsDefinition]:
    replaced = {key for asset in overrides for key in asset.keys}
    return [*(asset for asset in assets if not asset.keys & replaced), *overrides]


def _with_freshness(spec: dg.AssetSpec) -> dg.AssetSpec:
    fresh: dg.AssetSpec = dg.apply_freshness_policy(spec, FRESHNESS)
    return fresh
