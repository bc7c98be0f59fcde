"""Programs a night runs beside itself, so that what they import loads while it works."""
