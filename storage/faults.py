"""Named points at which a test may kill a night. Not here: what a killed night leaves, and who clears it.

Nothing happens at a point unless the environment variable `JOURNEYMART_FAULT` names it.
"""

from __future__ import annotations

import os
import signal
from typing import Literal

FaultPoint = Literal[
    "in_page",
    "after_page",
    "in_completion",
    "in_clearing",
    "in_extract",
    "in_gate",
    "in_erasure",
    "before_dbt",
    "in_engine",
    "in_dbt",
    "before_verify",
    "before_rename",
    "before_swing",
    "after_swing",
]
FAULT_VARIABLE = "JOURNEYMART_FAULT"


def fault_point(name: FaultPoint) -> None:
    """Die here, at once and without cleaning up, when the environment asks for it."""
    if os.environ.get(FAULT_VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
