"""The same models on a distributed engine.

What lives here: what the models' SQL, compiled for DuckDB, is as statements of Spark SQL (compile.py), the list of
constructs that may be used (constructs.py), and running the statements on an engine (chain.py). Not here: the models
(dbt_project).
"""
