"""The sentences about the derivative of one expression.

Comes in: names and shapes.  Goes out: sentences.
"""

from __future__ import annotations

from tracer.explanation.model import Verdict
from tracer.explanation.words.report import number, plural


def shape_words(axes: tuple[str, ...]) -> str:
    """``N × h``; ``a single number``."""
    return " × ".join(axes) if axes else "a single number"


def given(value: str, upstream: str, loss: str, axes: tuple[str, ...]) -> str:
    """What the derivation starts from."""
    shape = f", {shape_words(axes)}" if axes else ", a single number"
    return (
        f"{loss} is any number that is computed from {value}. {upstream} = ∂{loss}/∂{value} is given; it has the shape "
        f"of {value}{shape}."
    )


def verdict_words(verdict: Verdict, points: int, error: float | None) -> str:
    """What a verdict rests on."""
    seen = ""
    if points:
        most = "" if error is None else f" (largest relative error {number(error)})"
        seen = (
            f" The code was run and agrees with finite differences at {plural(points, 'random point')}{most}."
        )
    if verdict == "proved":
        return f"Proved: the code and the chain rule have the same normal form, for all sizes.{seen}"
    if verdict == "checked":
        return f"Checked in numbers, not proved for all sizes.{seen}"
    return "Not known: the code that was derived could not be checked, so it is not shown."
