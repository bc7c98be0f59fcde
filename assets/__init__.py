"""What a night materialises: landing, the build of the marts, the published version. Knows no Dagster."""
