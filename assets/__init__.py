"""What a night materialises: landing, the build of the marts, its audit, the published version. Knows no Dagster."""
