"""Programs a night runs beside itself, so that they load while it works."""
