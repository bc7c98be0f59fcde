"""The one object all definitions are built from: settings, sources and what follows from both.

Not here: reading either.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assets.text.sentiment import TextSentiment, text_sentiment
from assets.versions.definition_log import definitions
from assets.versions.fingerprint import fingerprint_of, project_meaning
from assets.versions.manifest import DUCKDB
from orchestration.company.compose import mistakes_of_sources
from orchestration.config.settings import Settings, load_settings
from orchestration.config.sources import Sources, load_sources
from quality.contract.model import all_contracts
from storage.data_folder import DataFolder
from storage.errors import JourneymartError


@dataclass(frozen=True)
class Setup:
    """Settings and sources of one installation."""

    settings: Settings
    sources: Sources

    @property
    def folder(self) -> DataFolder:
        """The data folder."""
        return self.settings.folder

    def require_known_sources(self) -> None:
        """Refuse tables of the company that name a source nobody has.

        Raises:
            JourneymartError: A row does, or a table cannot be read: file, line, what to do.
        """
        for mistake in mistakes_of_sources(self.settings.dbt_parts, {each.name for each in self.sources.sources}):
            raise JourneymartError(mistake)

    @cached_property
    def text_sentiment(self) -> TextSentiment | None:
        """How texts are estimated, if the company wants it.

        Raises:
            JourneymartError: The library that estimates is not installed.
        """
        return text_sentiment(self.sources.text_sentiment)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that decides what a build means, apart from its batches."""
        return fingerprint_of(self.meaning)

    @cached_property
    def meaning(self) -> dict[str, Any]:
        """All that decides what a build means, apart from its batches."""
        project = project_meaning(
            self.settings.composed_project(),
            all_contracts(),
            self.sources.reporting_timezone,
            self.sources.currency,
            self.text_sentiment,
        )
        # Who a customer is depends on them in every model, of old rows too.
        meaning = {**project, "crms": sorted(self.sources.crms)}
        # Equal rows are tested, and not promised of every release: what one engine made is no base for another.
        return meaning if self.engine == DUCKDB else {**meaning, "engine": self.engine}

    @property
    def engine(self) -> str:
        """What makes the models."""
        return self.sources.engine.name if self.sources.engine else DUCKDB

    @cached_property
    def definitions(self) -> dict[str, str]:
        """What decides what numbers mean, by name, as hashes."""
        return definitions(self.meaning, self.settings.dbt_project)


def load_setup() -> Setup:
    """Read the settings from the environment and the sources they name.

    Raises:
        JourneymartError: Either holds a mistake.
    """
    settings = load_settings()
    return Setup(settings, load_sources(settings.company_folder.file, settings.data))
