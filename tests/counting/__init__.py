"""Counting a second time, from definitions alone: what every recount of the marts shares. No SQL of the models.

calendar.py: days, months and years. intervals.py: quantiles and the ends of intervals. differences.py: whether two
figures differ. equality.py: whether a mart says what was counted.
"""
