"""Benchmarks: each compares two whole processes in turn on the same machine and prints a ratio."""
