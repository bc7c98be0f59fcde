"""Tests, and the kits they share. `unit`, `integration`, `e2e`, `chaos`: from one function to whole nights."""
