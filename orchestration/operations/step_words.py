"""What the steps of a night are called where people read of them. Not here: the steps."""

from __future__ import annotations

# The step after what is published: readers of the data folder see the version already when it fails.
TO_STORE = "publish_to_store"
_STEPS = {
    "begin_build": "begin the build",
    "dbt_build": "build the marts (dbt)",
    "audit_marts": "audit the marts",
    "write_report": "write the report",
    "publish": "publish",
    TO_STORE: "publish to the object store",
}
# The step that judges the extracts of a source.
JUDGES = "accept_"
_PREFIXES = {"land_": "extract", JUDGES: "judge"}


def step_words(step_key: str) -> str:
    """A step in words."""
    for prefix, word in _PREFIXES.items():
        if step_key.startswith(prefix):
            return f"{word} {step_key.removeprefix(prefix)}"
    return _STEPS.get(step_key, step_key)
