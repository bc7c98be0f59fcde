"""When and how a night runs: Dagster definitions, settings, sources and the command line."""
