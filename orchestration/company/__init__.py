"""A company's own tables, contracts and models, brought together with the product's.

Not here: its company file (orchestration/config), what dbt makes of the result (orchestration/dbt).
"""
