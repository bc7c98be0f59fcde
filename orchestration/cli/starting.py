"""What a run begins with: the project read, the definitions made, and a word on the terminal meanwhile.

Not here: running (run_night.py), what the definitions are (orchestration/build.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.output import console

if TYPE_CHECKING:
    import dagster as dg

    from orchestration.config.setup import Setup


def started(setup: Setup) -> dg.Definitions:
    """The definitions of a run.

    Raises:
        JourneymartError: The company's tables or models hold a mistake, or dbt cannot parse the project.
    """
    from orchestration.dbt.project import is_prepared, prepare_manifest

    if not is_prepared(setup.settings):
        with console.status("reading the dbt project"):
            prepare_manifest(setup.settings)
    with console.status("starting"):
        from orchestration.build import build_defs

        return build_defs(setup=setup)
