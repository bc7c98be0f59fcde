"""What differs from company to company, and where it lies: names of files and folders. Nothing here opens them.

What lives here: the company folder, and which one the environment names. Not here: what may stand in its files
(orchestration/config, orchestration/dbt, quality/contract).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

FOLDER_VARIABLE = "JOURNEYMART_COMPANY"
FILE_VARIABLE = "JOURNEYMART_SOURCES"
COMPANY_FILE = "company.yml"
MAPPINGS = "mappings"
# What is read in a company folder, and what may lie beside it.
READ_IN_FOLDER = (COMPANY_FILE, MAPPINGS, "seeds", "contracts", "models")
BESIDE_IN_FOLDER = ("README.md", "data", "drop")

# The sample company is whose night runs where no other is named.
SAMPLE = Path(__file__).resolve().parents[1] / "companies" / "nordlicht"


@dataclass(frozen=True)
class CompanyFolder:
    """A company beside the code.

    Attributes:
        file: The company file: name, currency, time zone, sources.
        root: The folder with its tables, contracts and models; None: the file is all there is.
    """

    file: Path
    root: Path | None

    @classmethod
    def at(cls, root: Path) -> CompanyFolder:
        """The company in a folder."""
        return cls(root / COMPANY_FILE, root)

    @property
    def seeds(self) -> Path | None:
        """Tables of its own: `<table>.csv`."""
        return self.root / "seeds" if self.root else None

    @property
    def contracts(self) -> Path | None:
        """Contracts of systems only it has: `<system>/<stream>.yml`."""
        return self.root / "contracts" if self.root else None

    @property
    def models(self) -> Path | None:
        """Models of its own, laid out as those of the product: `staging/<system>/`, `marts/<subject>/`."""
        return self.root / "models" if self.root else None


def named_company() -> CompanyFolder:
    """The company the environment names, by its folder or by a file alone; the sample company if it names neither."""
    folder, file = os.environ.get(FOLDER_VARIABLE), os.environ.get(FILE_VARIABLE)
    if folder:
        return CompanyFolder.at(Path(folder).expanduser().absolute())
    if file:
        return CompanyFolder(Path(file).expanduser().absolute(), None)
    return CompanyFolder.at(SAMPLE)
