"""The audit of finished marts, before anybody may see them. Not here: what dbt tests (dbt_project)."""
