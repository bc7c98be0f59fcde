"""From a delivery to a landing partition."""
