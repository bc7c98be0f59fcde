"""Where this installation keeps what, from the environment.

What lives here: folders and limits. Not here: what the company file says (sources.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestration.company.compose import Company, compose
from storage.company_folder import FILE_VARIABLE, FOLDER_VARIABLE, SAMPLE, CompanyFolder
from storage.data_folder import REPORT_PAGES, DataFolder
from storage.engine import memory_limit, processors
from storage.errors import JourneymartError

# The one setting that is a secret: whoever needs it reads it from the environment, so that it stands in no file.
HISTORY = "JOURNEYMART_HISTORY_URL"

PROJECT = Path(__file__).resolve().parents[2]

_DATABASE = "postgresql+psycopg2://"


def _of_postgres(address: SecretStr) -> SecretStr:
    """Refuse what Dagster's storage would not take."""
    if not address.get_secret_value().startswith(_DATABASE):
        raise ValueError(f"must begin with {_DATABASE} (user:password@host/database)")
    return address


Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]

# Not resolved: an environment's Python is a link to another.
Executable = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


def _home(said: Mapping[str, Any]) -> Path:
    """Where data and state lie unless said otherwise: in the company folder, if one is named."""
    return said["company"] or PROJECT


class Settings(BaseSettings):
    """Folders and limits; each can be set by an environment variable named `JOURNEYMART_<NAME>`.

    Attributes:
        company: The company folder; None: the sample company's, or no folder where `sources` is named.
        sources: The company file of a company that has nothing else; None: it lies in the company folder.
        data: The data folder: extracts, versions, quarantine, ledgers.
        state: Run history of Dagster, the parsed dbt project, logs.
        keep_versions: How many published versions to keep.
        keep_history_days: For how many days to keep what is known of past nights: runs with their events, ledgers.
        history_url: Database of the run history (docs/deployment.md); None: files in `state`.
        min_free_gb: Free disk space below which no night starts, in GB (10^9 bytes).
        dbt_threads: Models dbt builds at once; as many as there are processors unless said otherwise.
        spark_python: A Python in whose environment pyspark is, for `engine` in the company file; None: this one.
        ui_port: Port of Dagster's web page; the pages of the current version are on the port after it.
        ui_hosts: Further names by which browsers may call that page, such as those of a proxy, with commas between.
    """

    model_config = SettingsConfigDict(env_prefix="JOURNEYMART_", frozen=True, extra="ignore", env_ignore_empty=True)

    company: Folder | None = None
    sources: Folder | None = None
    data: Folder = Field(default_factory=lambda said: _home(said) / "data")
    state: Folder = Field(default_factory=lambda said: _home(said) / ".dagster")
    keep_versions: int = Field(default=7, ge=1)
    keep_history_days: int = Field(default=90, ge=7)
    history_url: Annotated[SecretStr, AfterValidator(_of_postgres)] | None = None
    min_free_gb: float = Field(default=1.0, ge=0)
    dbt_threads: int = Field(default_factory=processors, ge=1)
    spark_python: Executable | None = None
    ui_port: int = Field(default=3000, ge=1, le=65534)
    ui_hosts: str = ""

    @property
    def folder(self) -> DataFolder:
        """The data folder with the names inside it."""
        return DataFolder(self.data)

    @property
    def company_folder(self) -> CompanyFolder:
        """The company with the names inside its folder."""
        if self.sources:
            return CompanyFolder(self.sources, None)
        return CompanyFolder.at(self.company or SAMPLE)

    @property
    def dbt_project(self) -> Path:
        """The dbt project of this company, composed of the product's and its own (see `composed_project`)."""
        return self.state / "dbt_project"

    def composed_project(self) -> Path:
        """The dbt project of this company, brought up to date.

        Raises:
            JourneymartError: The company's tables or models hold a mistake.
        """
        compose(self.dbt_parts, self.dbt_project)
        return self.dbt_project

    @property
    def dbt_parts(self) -> Company:
        """What the dbt project is composed of."""
        return Company(PROJECT / "dbt_project", self.company_folder)

    @property
    def dbt_target(self) -> Path:
        """Folder dbt writes to: the parsed project, compiled models, the results of the last run."""
        return self.state / "dbt"

    @property
    def report_templates(self) -> Path:
        """Folder of the pages' templates, made once per state of the report's code."""
        return self.state / "report"

    @property
    def ui_names(self) -> frozenset[str]:
        """The names in `ui_hosts`."""
        return frozenset(name.strip().lower() for name in self.ui_hosts.split(",") if name.strip())

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
        JourneymartError: A variable holds a value that is not allowed; JOURNEYMART_MEMORY (storage/engine.py) too.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"JOURNEYMART_{'_'.join(str(part) for part in first['loc']).upper()}"
        raise JourneymartError(f"The environment variable {name} is not usable: {first['msg']}.") from None
    if settings.company and settings.sources:
        raise JourneymartError(
            f"Both {FOLDER_VARIABLE} and {FILE_VARIABLE} are set: unset {FILE_VARIABLE} (the company folder holds a "
            "company file of its own), or the other where a file is all there is."
        )
    memory_limit()
    return settings
