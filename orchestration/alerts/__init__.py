"""Alerts: who is told of what goes wrong with nights, once per cause, and of its end."""
