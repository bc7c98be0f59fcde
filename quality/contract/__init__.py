"""Contracts: the rules a company writes down of a stream, and what they are read into.

Not here: the contracts themselves (quality/contracts), judging by them (quality/gate).
"""
