"""Names of the job, of assets, groups and owners as Dagster shows them. One place, so that lineage and tests agree."""

from __future__ import annotations

import dagster as dg

from storage.data_folder import StreamId

JOB = "nightly"
OWNER = "team:data"
NIGHT = dg.AssetKey(["build", "night"])
AUDIT = dg.AssetKey(["build", "marts_audit"])
REPORT = dg.AssetKey(["journey_report"])
PUBLISHED = dg.AssetKey(["published_version"])

IN_STORE = dg.AssetKey(["version_in_store"])


def landed(stream: StreamId) -> dg.AssetKey:
    """The raw extracts of a stream."""
    return dg.AssetKey(["landing", stream.source, stream.stream])


def accepted(stream: StreamId) -> dg.AssetKey:
    """The judged, typed extracts of a stream."""
    return dg.AssetKey(["accepted", stream.source, stream.stream])


def group_of_source(source: str) -> str:
    """The group of everything a source delivers."""
    return f"source_{source}"
