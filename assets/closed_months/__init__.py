"""Months whose figures are closed: what they were, what changed of them since, and who said it may.

What lives here: what closed means, keeping the figures, comparing with them, a person's approval. Not here: the figures
(dbt_project), what follows from a change (assets/audit/closed_months.py), commands (orchestration/cli/restate.py).
"""
