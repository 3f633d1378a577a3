"""Explain which line of a hand-written backward pass is which formula, and prove it.

``tracer.explain("net.py")`` runs a program and gives an `Explanation`; ``tracer.derive("X @ W", shapes=…)`` derives
the gradient of an expression.  Everything is imported when it is
first asked for, so that ``tracer --help`` is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracer.api import Explanation as Explanation
    from tracer.api import Gradients as Gradients
    from tracer.api import derive as derive
    from tracer.api import explain as explain
    from tracer.api import record as record
    from tracer.expressions.errors import CannotDerive as CannotDerive

__all__ = ["CannotDerive", "Explanation", "Gradients", "derive", "explain", "record"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from tracer import api

        return getattr(api, name)
    raise AttributeError(f"module 'tracer' has no attribute {name!r}")
