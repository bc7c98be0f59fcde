"""Fixtures every integration test may ask for. What they are is said where they are made."""

from dbt_harness import dbt_project, warehouse

__all__ = ["dbt_project", "warehouse"]
