"""What a night materialises: extracts, landing, the build of the marts, the published version. Knows no Dagster."""
