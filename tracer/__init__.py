"""Explain which line of a hand-written backward pass is which formula, and prove it."""
