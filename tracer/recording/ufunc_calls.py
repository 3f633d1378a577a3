"""Calls of NumPy's functions of each entry, and of their methods ``reduce``, ``at``, ``outer``…

In: the function and its boxed arguments.  Out: the `Canonical` call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.box import Box
from tracer.recording.call_rows import Canonical, from_row, plain, type_name

#: Names of one function.
ALIASES = {
    "amax": "max", "amin": "min", "around": "round", "round_": "round", "product": "prod", "concat": "concatenate",
    "row_stack": "vstack", "permute_dims": "transpose", "true_divide": "divide", "fabs": "absolute", "abs": "absolute",
    "mod": "remainder", "asanyarray": "asarray", "bitwise_not": "invert", "conjugate": "conjugate",
}  # fmt: skip
#: What these are between truth values.
LOGICAL = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "invert": "logical_not"}


def of_ufunc(function: np.ufunc, args: list[Box], kwargs: dict[str, Box]) -> Canonical:
    """A function of each entry, called in any form."""
    name = ALIASES.get(function.__name__, function.__name__)
    operands, outs = list(args[: function.nin]), list(args[function.nin :])
    out = outs[0] if outs else kwargs.get("out")
    if out is not None and isinstance(out.value, tuple):
        out = Box(out.value[0])
    parameters: dict[str, Any] = {}
    for key, box in kwargs.items():
        if key == "dtype":
            parameters["dtype"] = type_name(box.value)
        elif key == "where" and box.value is not True:
            parameters["where"] = box
        elif key in ("axis", "axes", "keepdims"):
            parameters[key] = plain(box.value)
    if name in ("bitwise_and", "bitwise_or", "invert"):
        name = logical(name, [b.value for b in operands])
    if out is not None and out.value is None:
        out = None
    return Canonical(name, list(operands), parameters, out=out)


def logical(name: str, values: list[Any]) -> str:
    """``&``, ``|`` and ``~`` between truth values are the logical operations."""
    if name not in LOGICAL:
        return name
    truths = all(np.asarray(v).dtype == np.bool_ for v in values)
    return LOGICAL[name] if truths else name


def of_ufunc_method(
    function: np.ufunc, method: str, args: list[Box], kwargs: dict[str, Box]
) -> Canonical | None:
    """``np.add.reduce`` and the like; ``None`` for those that are not known."""
    name = ALIASES.get(function.__name__, function.__name__)
    if method == "__call__":
        return of_ufunc(function, args, kwargs)
    if method == "at":
        return Canonical("add_at" if name == "add" else f"{name}.at", list(args), target=args[0])
    reduced = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}.get(name)
    if method == "reduce" and reduced:
        if len(args) == 1 and "axis" not in kwargs:
            kwargs = {**kwargs, "axis": Box(0)}
        return from_row(reduced, args, kwargs)
    if method not in ("outer", "accumulate", "reduce", "reduceat"):
        return None
    return Canonical(f"{name}.{method}", list(args), dict(kwargs))
