"""Where this installation keeps what, from the environment.

What lives here: folders and limits. Not here: the sources (sources.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.data_folder import REPORT_PAGES, DataFolder
from storage.errors import JourneymartError

PROJECT = Path(__file__).resolve().parents[2]

Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class Settings(BaseSettings):
    """Folders and limits; each can be set by an environment variable named `JOURNEYMART_<NAME>`.

    Attributes:
        data: The data folder: extracts, versions, quarantine, ledgers.
        sources: The file that names the source systems.
        state: Run history of Dagster, the parsed dbt project, logs.
        keep_versions: How many published versions to keep.
        min_free_gb: Free disk space below which no night starts, in GB (10^9 bytes).
        dbt_threads: Models dbt builds at once.
        ui_port: Port of Dagster's web page; the pages of the current version are on the port after it.
    """

    model_config = SettingsConfigDict(env_prefix="JOURNEYMART_", frozen=True, extra="ignore", env_ignore_empty=True)

    data: Folder = PROJECT / "data"
    sources: Folder = PROJECT / "sources.yml"
    state: Folder = PROJECT / ".dagster"
    keep_versions: int = Field(default=7, ge=1)
    min_free_gb: float = Field(default=1.0, ge=0)
    dbt_threads: int = Field(default=4, ge=1)
    ui_port: int = Field(default=3000, ge=1, le=65534)

    @property
    def folder(self) -> DataFolder:
        """The data folder with the names inside it."""
        return DataFolder(self.data)

    @property
    def dbt_project(self) -> Path:
        """Folder of the dbt project."""
        return PROJECT / "dbt_project"

    @property
    def dbt_target(self) -> Path:
        """Folder dbt writes to: the parsed project, compiled models, the results of the last run."""
        return self.state / "dbt"

    @property
    def report_templates(self) -> Path:
        """Folder of the pages' templates, made once per state of the report's code."""
        return self.state / "report"

    @property
    def report_port(self) -> int:
        """Port the pages of the current version are served on while the web page is open."""
        return self.ui_port + 1

    @property
    def report_address(self) -> str:
        """Where a browser finds the journey page while the web page is open."""
        return f"http://127.0.0.1:{self.report_port}/{REPORT_PAGES[0]}.html"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        JourneymartError: A variable holds a value that is not allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"JOURNEYMART_{'_'.join(str(part) for part in first['loc']).upper()}"
        raise JourneymartError(f"The environment variable {name} is not usable: {first['msg']}.") from None
