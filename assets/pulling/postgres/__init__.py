"""PostgreSQL as a source: a table or query read as text, one snapshot per extract, through ADBC and Arrow."""
