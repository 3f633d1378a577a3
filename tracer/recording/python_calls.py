"""Calls of Python's own functions of numbers: ``abs``, ``math.exp``, ``float``, ``sum``…

In: the function and its boxed arguments.  Out: the `Canonical` call; ``None`` for what is not known to be pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.array_calls import array
from tracer.recording.box import NUMBERS, Box
from tracer.recording.call_rows import Canonical, type_name
from tracer.tape.functions import cmp, round_half_away

_PURE_MATH = {
    "exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan", "floor", "ceil",
}  # fmt: skip
#: Functions that Python 2 had, or had otherwise.
OF_PYTHON2 = (round_half_away, cmp)
_MATH_OF_TWO = {"hypot": "hypot", "atan2": "arctan2", "fmod": "fmod", "copysign": "copysign"}
_MATH_NAMES = {
    "atan": "arctan", "asin": "arcsin", "acos": "arccos", "pow": "power", "fabs": "absolute",
    "degrees": "degrees", "radians": "radians", "trunc": "trunc",
}  # fmt: skip


def of_number(function: Any, name: str, args: list[Box]) -> Canonical | None:
    if function is abs:
        return Canonical("absolute", [args[0]])
    if function is pow and len(args) == 2:
        return Canonical("power", list(args))
    if function is round:
        if len(args) == 1 and not isinstance(args[0].value, np.ndarray):
            return Canonical("round_to_int", [args[0]])
        return Canonical("round", [args[0]], {"decimals": args[1].value if len(args) > 1 else 0})
    if function in OF_PYTHON2:
        return Canonical(name, list(args)) if all(isinstance(box.value, NUMBERS) for box in args) else None
    if function is divmod:
        return Canonical("divmod", list(args))
    if getattr(function, "__module__", "") == "math":
        if name in ("fsum", "prod") and len(args) == 1:
            return Canonical(f"{name}_of", list(args))
        if name == "log" and len(args) == 2:
            return Canonical("log_base", list(args))
        if name in _MATH_OF_TWO and len(args) == 2:
            return Canonical(_MATH_OF_TWO[name], list(args))
        found = _MATH_NAMES.get(name, name if name in _PURE_MATH else None)
        if found is not None and (found != "log" or len(args) == 1):
            return Canonical(found, list(args))
    return None


def of_type(function: type, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    if (
        len(args) == 1
        and not kwargs
        and function in (float, int, bool)
        and isinstance(args[0].value, NUMBERS)
    ):
        return Canonical(function.__name__, [args[0]])
    if function is range:
        return Canonical("range", list(args))
    if function is complex and not kwargs and all(isinstance(b.value, (int, float, complex)) for b in args):
        return Canonical("complex", list(args))
    if function is np.matrix and args and not isinstance(args[0].value, str):
        return array("matrix", args, kwargs)
    if issubclass(function, np.generic) and len(args) == 1 and not isinstance(args[0].value, (str, bytes)):
        return Canonical("astype", [args[0]], {"dtype": type_name(function)})
    return None


def of_reduction(name: str, args: list[Box], kwargs: dict[str, Box], result: Any) -> Canonical | None:
    if kwargs:
        return None
    if name != "sum" and len(args) > 1:
        return Canonical(f"{name}_of", [tuple(args)])
    if name == "sum" and len(args) == 2:
        return Canonical("sum_of", list(args))
    return Canonical(f"{name}_of", [args[0]])
