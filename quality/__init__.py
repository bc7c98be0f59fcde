"""What must be true: contracts, the gate, quarantine, audits and the ledger. No Dagster, no source system."""
