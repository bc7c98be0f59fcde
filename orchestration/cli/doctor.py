"""Checks the installation and says what to do about what is wrong. Not here: how it is shown (installation.py)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal

from orchestration.config.settings import PROJECT, Settings, load_settings
from storage.company_folder import MAPPINGS, READ_IN_FOLDER
from storage.disk import explaining_the_disk
from storage.engine import memory_limit, processors
from storage.errors import JourneymartError
from storage.folders import make_open
from storage.permissions import make_private

if TYPE_CHECKING:
    from orchestration.config.sources import Source

Health = Literal["ok", "warning", "problem"]

_PACKAGES = {
    "dagster": "1.13",
    "dagster-dbt": "0.29",
    "dbt-core": "1.11",
    "dbt-duckdb": "1.11",
    "duckdb": "2.0.0",
    "great-expectations": "1.24",
}


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at: what, how it is, and in words what was found and what to do."""

    what: str
    health: Health
    said: str


def examine() -> list[Diagnosis]:
    """Look at everything a night needs, in the order in which it needs it.

    Parses the dbt project if it changed.
    """
    diagnoses = [_python(), *_packages()]
    try:
        settings = load_settings()
    except JourneymartError as error:
        return [*diagnoses, Diagnosis("settings", "problem", str(error))]
    for what, look in (
        ("folders", _folders),
        ("disk", _disk),
        ("memory", _memory),
        ("company", _company),
        ("sources", _sources),
        ("mappings", _mappings),
        ("alerts", _alerts),
        ("engine", _engine),
        ("dbt project", _dbt),
        ("dagster", _dagster),
        ("versions", _versions),
        ("object store", _object_store),
        ("extracts", _extracts),
    ):
        if what in _MADE_OF_THE_COMPANY and any(is_wrong(each, "company", "sources") for each in diagnoses):
            diagnoses.append(Diagnosis(what, "warning", "is looked at once what is said above is mended."))
        else:
            diagnoses += _guarded(what, look, settings)
    return diagnoses


# They cannot stand while what they are made of does not, and would say the same again.
_MADE_OF_THE_COMPANY = ("mappings", "alerts", "engine", "dbt project", "dagster", "object store")


def is_wrong(diagnosis: Diagnosis, *whats: str) -> bool:
    """Whether one of these things is a problem."""
    return diagnosis.what in whats and diagnosis.health == "problem"


def _guarded(what: str, look: Callable[[Settings], Iterator[Diagnosis]], settings: Settings) -> list[Diagnosis]:
    try:
        with explaining_the_disk():
            return list(look(settings))
    except JourneymartError as error:
        return [Diagnosis(what, "problem", str(error))]


def _python() -> Diagnosis:
    found = sys.version.split()[0]
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Diagnosis("python", "ok", found)
    return Diagnosis("python", "problem", f"{found} is not supported: install with Python 3.11 to 3.13.")


def _packages() -> Iterator[Diagnosis]:
    for package, wanted in _PACKAGES.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            yield Diagnosis(package, "problem", "is not installed: run `make install`.")
            continue
        fits = found == wanted or found.startswith(f"{wanted}.")
        yield (
            Diagnosis(package, "ok", found)
            if fits
            else Diagnosis(package, "warning", f"{found} is installed, {wanted} is tested: run `make install`.")
        )


def _folders(settings: Settings) -> Iterator[Diagnosis]:
    for what, folder, make in (
        ("data folder", settings.data, make_open),
        ("state folder", settings.state, make_private),
    ):
        try:
            make(folder)
            probe = folder / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            variable = "JOURNEYMART_DATA" if what == "data folder" else "JOURNEYMART_STATE"
            yield Diagnosis(
                what,
                "problem",
                f"{folder} cannot be written ({error.strerror}): change its owner, or set {variable}.",
            )
        else:
            yield Diagnosis(what, "ok", str(folder))


def _disk(settings: Settings) -> Iterator[Diagnosis]:
    from assets.versions.versions import list_versions

    free = shutil.disk_usage(settings.data).free
    largest = max((v.manifest.bytes for v in list_versions(settings.folder)), default=0)
    needed = max(int(settings.min_free_gb * 1e9), 3 * largest)
    said = f"{free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed for a night"
    if free < needed:
        yield Diagnosis("disk", "problem", f"{said}: free some space, or lower JOURNEYMART_KEEP_VERSIONS.")
    else:
        yield Diagnosis("disk", "ok", said)


def _memory(_: Settings) -> Iterator[Diagnosis]:
    yield Diagnosis("memory", "ok", f"{memory_limit() / 1e9:.1f} GB for each DuckDB, {processors()} processors")


def _company(settings: Settings) -> Iterator[Diagnosis]:
    from orchestration.company.compose import company_mistakes, own_files, unread_files

    company = settings.company_folder
    mistakes = company_mistakes(settings.dbt_parts)
    yield from (Diagnosis("company", "problem", mistake) for mistake in mistakes)
    for path in unread_files(company):
        yield Diagnosis(
            "company", "warning", f"{path} is read by nothing: a company folder holds {', '.join(READ_IN_FOLDER)}."
        )
    if not mistakes:
        counts = ", ".join(f"{count} {what}" for what, count in own_files(company).items() if count)
        yield Diagnosis("company", "ok", f"{company.root or company.file}: {counts or 'nothing'} of its own")


def _sources(settings: Settings) -> Iterator[Diagnosis]:
    from assets.text.sentiment import text_sentiment
    from orchestration.company.compose import company_mistakes, mistakes_of_sources
    from orchestration.config.sources import load_sources
    from orchestration.operations.plan_night import delivered_dates

    sources = load_sources(settings.company_folder.file, settings.data)
    yield Diagnosis("sources", "ok", f"{sources.file}: {len(sources.sources)} sources, {len(sources.streams)} streams")
    # Tables that cannot be read are said already.
    if not company_mistakes(settings.dbt_parts):
        for mistake in mistakes_of_sources(settings.dbt_parts, {each.name for each in sources.sources}):
            yield Diagnosis("company", "problem", mistake)
    crms = ", ".join(sources.crms) or "no source; if one is, say role: crm there"
    yield Diagnosis("CRM", "ok", crms)
    try:
        text_sentiment(sources.text_sentiment)
    except JourneymartError as error:
        yield Diagnosis("text sentiment", "problem", str(error))
    for source in sources.sources:
        if any(stream.pull for stream in source.streams):
            yield _pulled(source)
            continue
        newest = {stream.stream.stream: max(delivered_dates(stream), default=None) for stream in source.streams}
        lacking = sorted(name for name, day in newest.items() if day is None)
        if lacking:
            yield Diagnosis(
                f"source {source.name}",
                "warning",
                f"no complete extract of {', '.join(lacking)} in {source.streams[0].location}: "
                "deliver one, take it out of company.yml if there is none, or run `journeymart sample`.",
            )
        else:
            days = sorted({day.isoformat() for day in newest.values() if day})
            yield Diagnosis(f"source {source.name}", "ok", f"newest extracts {' to '.join({days[0]: 0, days[-1]: 0})}")


def _mappings(settings: Settings) -> Iterator[Diagnosis]:
    from assets.landing.peek import delivered_columns
    from orchestration.config.sources import load_sources
    from orchestration.operations.plan_night import delivered_dates
    from quality.mapping.statement import fit
    from storage.nearest import nearest_words

    sources = load_sources(settings.company_folder.file, settings.data)
    mapped = {stream: stream.mapping for stream in sources.streams if stream.mapping}
    if mapped:
        yield Diagnosis("mappings", "ok", f"{len(mapped)} streams are mapped")
    for stream, mapping in mapped.items():
        newest = max(delivered_dates(stream), default=None)
        # What has landed is told by its checks.
        if newest is None or settings.folder.landing_partition(stream.stream, newest).exists():
            continue
        met = fit(mapping, delivered_columns(stream, newest))
        for name, line, target in met.lacking:
            hint = nearest_words(name, met.unmapped, show=0)
            yield Diagnosis(
                f"mapping {stream.stream}",
                "warning",
                f"{mapping.file}, line {line}: the extract of {newest} has no column '{name}' for {target}"
                f"{f'; {hint}' if hint else '.'}",
            )
        if met.unmapped:
            yield Diagnosis(
                f"mapping {stream.stream}",
                "warning",
                f"columns of the extract of {newest} are neither mapped nor ignored: {', '.join(met.unmapped)}.",
            )
    used = {mapping.file for mapping in mapped.values()}
    folder = settings.company_folder.file.parent / MAPPINGS
    for path in sorted(folder.glob("*")):
        if f"{MAPPINGS}/{path.name}" not in used:
            yield Diagnosis(
                "mappings", "warning", f"{path} is read by nothing: name it like a source, <source>.yml, or by mapping."
            )


def _pulled(source: Source) -> Diagnosis:
    from assets.pulling.extract import require_ready

    try:
        for stream in source.streams:
            require_ready(stream)
    except JourneymartError as error:
        return Diagnosis(f"source {source.name}", "problem", str(error))
    return Diagnosis(f"source {source.name}", "ok", "can be asked: what that needs is installed and set")


def _alerts(settings: Settings) -> Iterator[Diagnosis]:
    from orchestration.config.sources import load_sources

    alerts = load_sources(settings.company_folder.file, settings.data).alerts
    if alerts is None:
        yield Diagnosis("alerts", "ok", "nobody is told of a failed night: docs/operations.md says how")
        return
    from orchestration.alerts.send import what_is_wrong

    wrong = {to: why for to in alerts.to if (why := what_is_wrong(to))}
    yield from (Diagnosis("alerts", "problem", f"{to}: {why}.") for to, why in wrong.items())
    if not wrong:
        yield Diagnosis("alerts", "ok", f"{len(alerts.to)} addresses, tried by `journeymart alerts test`")


def _engine(settings: Settings) -> Iterator[Diagnosis]:
    from orchestration.config.sources import load_sources

    engine = load_sources(settings.company_folder.file, settings.data).engine
    if engine is None:
        yield Diagnosis("engine", "ok", "DuckDB, in the night's own processes")
        return
    from orchestration.engine.inspection import inspect

    for found in inspect(engine, settings):
        yield Diagnosis(found.what, "ok" if found.is_fine else "problem", found.said)


def _dbt(settings: Settings) -> Iterator[Diagnosis]:
    from orchestration.dbt.project import prepare_manifest

    parsed = prepare_manifest(settings)
    yield Diagnosis("dbt project", "ok", f"{settings.dbt_project} {'parsed' if parsed else 'is parsed'}")


def _dagster(settings: Settings) -> Iterator[Diagnosis]:
    if not (PROJECT / "dagster.yaml").is_file():
        yield Diagnosis("dagster", "problem", f"{PROJECT / 'dagster.yaml'} is missing: restore it from the repository.")
        return
    from orchestration.build import build_defs

    count = len(build_defs().resolve_all_asset_keys())
    yield Diagnosis("dagster", "ok", f"definitions load, {count} assets")


def _versions(settings: Settings) -> Iterator[Diagnosis]:
    from assets.versions.standing import look

    standing = look(settings.folder, every=True)
    yield from (Diagnosis("versions", "problem", sentence) for sentence in standing.sentences)
    if standing.seen:
        yield Diagnosis("versions", "ok", f"{standing.seen.id} is current, {len(standing.sound)} kept")
    elif not standing.sentences:
        yield Diagnosis("versions", "warning", "nothing is published yet: run `journeymart run`.")


def _object_store(settings: Settings) -> Iterator[Diagnosis]:
    from orchestration.config.setup import load_setup
    from orchestration.operations.object_store import store_standing

    standing = store_standing(load_setup(), every=True)
    if standing is None:
        yield Diagnosis("object store", "ok", "versions are published in the data folder alone")
    elif standing.fault:
        yield Diagnosis("object store", "problem", standing.fault)
    else:
        yield Diagnosis("object store", "ok", f"names {standing.named or 'nothing yet'}, as the data folder does")


def _extracts(settings: Settings) -> Iterator[Diagnosis]:
    from assets.versions.standing import look
    from orchestration.config.setup import load_setup
    from orchestration.operations.damaged_extracts import damaged_extracts

    damaged = damaged_extracts(load_setup(), look(settings.folder), every=True)
    yield from (Diagnosis("extracts", "problem", each.sentence) for each in damaged)
    if not damaged:
        yield Diagnosis("extracts", "ok", "what landed and what was accepted is as it was written")
