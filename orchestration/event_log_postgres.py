"""Dagster's event log in PostgreSQL, which lets go of a run whole. No other difference.

Of a run that is deleted, the stock storage keeps the results of its checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster_postgres import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config

if TYPE_CHECKING:
    from dagster._serdes import ConfigurableClassData


class WholePostgresEventLogStorage(PostgresEventLogStorage):
    """The event log of all runs, in one database."""

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Any,  # noqa: ANN401 - Dagster's
    ) -> WholePostgresEventLogStorage:
        """Make the storage from its entry in `dagster.yaml`."""
        return cls(postgres_url=pg_url_from_config(config_value), inst_data=inst_data)

    def delete_events(self, run_id: str) -> None:
        """Delete all events of a run and the results of its checks."""
        super().delete_events(run_id)
        with self.index_connection() as connection:
            checks = AssetCheckExecutionsTable
            connection.execute(checks.delete().where(checks.c.run_id == run_id))
