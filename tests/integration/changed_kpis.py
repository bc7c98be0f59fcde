"""Two changes of what is measured, made by the files CONTRIBUTING.md names and no others: KPIs, and a dimension.

What lives here: the changed project, and a build of nights as it would have them. Not here: what must be true of it
(test_kpi_recount.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from dbt_harness import DbtProject

from orchestration.company.compose import Company, compose
from orchestration.config.settings import PROJECT
from orchestration.dbt.project import PARSED, prepare_manifest
from storage.company_folder import SAMPLE, CompanyFolder
from tests.checkout import CHECKOUT

# One of records that are counted already, one of new ones.
KEPT, PASSED_AROUND = "kept_in_team_rate", "passed_around_rate"
DIMENSION = "priority"

_TICKETS = "models/intermediate/kpi/int_kpi__ticket.sql"
_RECORDS_OF_A_KPI = (("'first_tier': 'is_first_tier_resolution'", ", 'passed_around': 'transfers > 1'"),)
_COLUMN_OF_A_DIMENSION = (
    ("coalesce(tickets.team, 'none') as team,", " coalesce(tickets.priority, 'unknown') as priority,"),
    (
        "case when measured.measure <> 'contact' then tickets.team end as team,",
        " case when measured.measure <> 'contact' then tickets.priority end as priority,",
    ),
    ("'segment', 'channel', 'touchpoint', 'team', 'journey'", ", 'priority'"),
)
_ROWS = {
    "kpis": (
        f"{KEPT},Tickets kept in a team,Share of solved tickets that were never passed on.,100 * kept / solved,percent,"
        "1,higher_is_better,day of the first solution,Customers are helped at once,support,fct_ticket,flow,transferred,"
        "negatives,wilson,,,30,0",
        f"{PASSED_AROUND},Tickets passed around,Share of solved tickets that were passed on more than once.,"
        "100 * passed around / solved,percent,1,lower_is_better,day of the first solution,Customers are helped at once,"
        "support,fct_ticket,flow,passed_around,positives,wilson,,,30,0",
    ),
    "kpi_dimensions": (f"{DIMENSION},Priority,words,Priority of the ticket now",),
}


def built_with_changes(before: Path, folder: Path) -> Path:
    """A build of nights whose KPIs are the changed project's; everything they are made of is as it was.

    Args:
        before: The build of the project as it is.
        folder: Where the changed project and its build are to lie.
    """
    product = folder / "product"
    shutil.copytree(PROJECT / "dbt_project", product, ignore=shutil.ignore_patterns("target", "logs"))
    for seed, rows in _ROWS.items():
        with (product / "seeds" / f"{seed}.csv").open("a", encoding="utf-8") as lines:
            lines.writelines(f"{row}\n" for row in rows)
    model = product / _TICKETS
    text = model.read_text(encoding="utf-8")
    for after, added in (*_RECORDS_OF_A_KPI, *_COLUMN_OF_A_DIMENSION):
        assert text.count(after) == 1, f"{model.name} has another text than '{after}': name what is there."
        text = text.replace(after, after + added)
    model.write_text(text, encoding="utf-8")
    compose(Company(product, CompanyFolder.at(SAMPLE)), folder / "dbt_project")

    # dbt parses what is changed; it knows the rest.
    prepare_manifest(CHECKOUT)
    (folder / "target").mkdir()
    shutil.copy(CHECKOUT.dbt_target / PARSED, folder / "target")
    build = folder / "build"
    shutil.copytree(before, build)
    DbtProject(folder, folder / "dbt_project").run(
        build,
        *(
            "build",
            "--full-refresh",
            "--select",
            "kpis",
            "kpi_dimensions",
            "intermediate.kpi",
            "mart_kpi_daily",
            "dim_kpi",
        ),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
    )
    return build
