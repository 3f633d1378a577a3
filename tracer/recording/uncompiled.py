"""What stands for numba: its decorators leave functions as they are, because what is compiled cannot be recorded.

In: the name of a module of numba.  Out: what is different there from a stand-in that accepts everything.  A program gives
the same numbers without it, but for the order in which they are added up.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

COMPILER = "numba"


def _left_as_it_is(*args: Any, **options: Any) -> Any:
    """``@jit``, ``@jit(nopython=True)``, ``@njit("f8(f8)")``, ``@jitclass(spec)``."""
    if len(args) == 1 and not options and isinstance(args[0], (types.FunctionType, type)):
        return args[0]
    return lambda decorated: decorated


def _entry_by_entry(*args: Any, **options: Any) -> Any:
    """``@vectorize``, with and without signatures."""
    if len(args) == 1 and isinstance(args[0], types.FunctionType):
        return np.vectorize(args[0])
    return np.vectorize


class _Dict(dict[Any, Any]):
    @classmethod
    def empty(cls, *args: Any, **types_: Any) -> _Dict:
        return cls()


_NAMES: dict[str, Any] = {
    **dict.fromkeys(("jit", "njit", "jitclass", "generated_jit"), _left_as_it_is),
    "vectorize": _entry_by_entry,
    "prange": range,
    "List": list,
    "Dict": _Dict,
}


def names_of(module: str) -> dict[str, Callable[..., Any]]:
    """The names of a module of numba that are not just accepted."""
    return _NAMES if module.split(".")[0] == COMPILER else {}
