"""What is said of a loss that the program does not compute as the explanation reads it."""

from __future__ import annotations

from typing import Literal


def inferred(says: str, how: Literal["fits", "moved", "added"]) -> str:
    """How the loss of a report was found out.

    Arguments:
        says: the loss in words, or its name.
        how: see `tracer.matching.inference.Inferred`.
    """
    if how == "moved":
        return f"{says} is computed of other values than the explained step starts from; its gradient is taken at these."
    if how == "added":
        return f"The backward pass is that of {says}: the program computes these losses apart, and trains on their sum."
    return f"No loss of these outputs is computed; the backward pass fits {says}, which was inferred."
