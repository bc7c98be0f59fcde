"""dbt without its debug messages still says what a night reads."""

from __future__ import annotations

import subprocess
import sys

SAID = """
from dbt_common.events.functions import fire_event
from dbt_common.events.event_manager_client import add_callback_to_manager
from dbt.adapters.events.types import SQLQuery
from dbt.events.types import LogTestResult, MainReportVersion

from orchestration.processes.quiet_dbt import make_no_debug_messages

make_no_debug_messages()
add_callback_to_manager(lambda told: print(told.info.level, told.info.name))
fire_event(SQLQuery(conn_name="x", sql="select 1", node_info={}))
fire_event(MainReportVersion(version="1", log_version=3))
fire_event(
    LogTestResult(name="t", status="fail", index=1, num_models=1, execution_time=0, num_failures=2, node_info={}),
    level=LogTestResult.status_to_level("fail"),
)
"""


def test_debug_messages_reach_nobody_and_all_others_do() -> None:
    """In a process of its own: dbt stays so for as long as the process lives."""
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["info MainReportVersion", "error LogTestResult"]
