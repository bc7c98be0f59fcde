"""The dbt project as Dagster needs it: parsed, translated, its lineage."""
