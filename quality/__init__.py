"""What must be true of an extract: contracts and the gate. No Dagster, no source system."""
