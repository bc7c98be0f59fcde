"""What a night costs, measured: `make bench` for people, `make bench-quick` for every change.

A measurement (measurements.py) runs commands on copies of prepared states (states.py) and yields plain figures; a ratio
(ratios.py) is worked out from figures of one run; results.json keeps both, and docs/scale.md is written from it.
"""
