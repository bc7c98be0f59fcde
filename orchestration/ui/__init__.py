"""The room of what `journeymart ui` serves: Dagster's web page behind a door, its services, the report."""
