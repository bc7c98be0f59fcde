"""What the columns of the models hold, read from a built warehouse: sums that no order of rows can change.

Not here: what public columns are called (the contracts of the marts), values.
"""

from __future__ import annotations

import re

import pytest
from dbt_harness import DbtProject

from tests.kpi_recount import opened

# Ratios of sums, not sums: a mean order, a predicted value, retained shares in percent.
RATIOS = {"average_order_value", "clv_revenue", "gross_revenue_retention", "net_revenue_retention"}
MONEY = re.compile("amount|revenue|price|cost")


@pytest.fixture(scope="module")
def columns(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Model, column and type of all that dbt builds."""
    with opened(dbt_project.stand(tmp_path_factory.mktemp("types") / "build")) as connection:
        return connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where database_name in ('marts', 'private') and schema_name in ('main', 'intermediate') order by all"
        ).fetchall()


def test_no_column_is_of_a_type_that_other_engines_do_not_have(columns: list[tuple[str, str, str]]) -> None:
    """A sum of whole numbers is a HUGEINT in DuckDB unless it is said to be something else."""
    odd = [row for row in columns if row[2].removesuffix("[]") in ("HUGEINT", "UHUGEINT", "UBIGINT")]
    assert odd == []


def test_money_is_added_in_decimals(columns: list[tuple[str, str, str]]) -> None:
    """But ratios, and an account's own guess at its yearly revenue, which is never added."""
    floats = {name for _, name, kind in columns if kind in ("DOUBLE", "FLOAT") and MONEY.search(name)}
    assert floats - RATIOS == {"annual_revenue"}
