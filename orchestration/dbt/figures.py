"""Headline figures of a build as Dagster plots them: each KPI, and how many records find their customer.

What lives here: which figures, and on which asset. Not here: rows and seconds, which every asset has (catalog.py).
What is hidden in the marts is absent here as well.
"""

from __future__ import annotations

from pathlib import Path

from storage.engine import connect

_KPIS = """
    select 'kpi/' || kpis.kpi, kpis.value, meaning.basis, kpis.period
    from mart_kpi_daily as kpis
    inner join dim_kpi as meaning on meaning.kpi = kpis.kpi
    where
        kpis.dimension = 'all'
        and kpis.value is not null
        and not kpis.is_suppressed
        and kpis.date_day = (select max(date_day) from mart_kpi_daily)
    order by kpis.kpi
"""
_MATCH_RATES = """
    select 'match_rate/' || source || '/' || stream, value
    from mart_data_health
    where measure = 'match_rate' and value is not null and date_day = (select max(date_day) from mart_data_health)
    order by 1
"""

Figures = dict[str, dict[str, float]]


def headline_figures(marts: Path) -> Figures:
    """Figures worth plotting, by the mart they are read from and their name.

    Args:
        marts: The finished public file.
    """
    from assets.report.kpi_explanation import USUAL_PERIODS

    with connect(marts, read_only=True) as connection:
        kpis = connection.execute(_KPIS).fetchall()
        rates = connection.execute(_MATCH_RATES).fetchall()
    return {
        "mart_kpi_daily": {
            name: round(value, 4) for name, value, basis, period in kpis if period == USUAL_PERIODS[basis]
        },
        "mart_data_health": {name: round(value, 4) for name, value in rates},
    }
