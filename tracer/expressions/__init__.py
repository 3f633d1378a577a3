"""The gradient of one expression, without a program: from its text and the shapes of its arrays.

Comes in: ``np.maximum(0, X @ W + b)`` and ``X=N,D``…  Goes out: for each array a `Gradient`: formula, NumPy
code, derivation, verdict.  Invariant: no code is given that was not run and compared with finite differences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.expressions.errors import CannotDerive
from tracer.expressions.model import Gradient, Gradients

if TYPE_CHECKING:
    from tracer.expressions.deriving import derive

__all__ = ["CannotDerive", "Gradient", "Gradients", "derive"]


def __getattr__(name: str) -> Any:
    if name != "derive":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tracer.expressions.deriving import derive

    return derive
