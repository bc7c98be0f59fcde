"""What must be true: contracts, the gate, quarantine, audits and the ledger. Knows no Dagster and no source system."""
