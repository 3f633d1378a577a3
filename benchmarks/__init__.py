"""Measurements; each prints a ratio within one run, so that machines can be compared."""
