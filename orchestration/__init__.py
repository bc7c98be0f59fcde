"""When and how a night runs: Dagster's files here, and rooms for what stands behind them.

`config/` what the environment and the company file say, `operations/` what an operator asks for, `dbt/` the project as
Dagster needs it, `engine/` its models on Spark, `processes/` programs beside a night, `cli/` the command line.
"""
