"""Calls of functions below ``numpy`` that are no functions of each entry, and draws of random numbers.

In: the function and its boxed arguments.  Out: the `Canonical` call; ``None`` for what is not known to be pure.
"""

from __future__ import annotations

import inspect
import random
from functools import cache
from typing import Any

import numpy as np

from tracer.recording.array_calls import array, reshape
from tracer.recording.box import Box
from tracer.recording.call_rows import TABLE, Canonical, from_row, parameters_given, plain
from tracer.recording.ufunc_calls import ALIASES


def of_numpy(
    function: Any, module: str, name: str, args: list[Box], kwargs: dict[str, Box], result: Any
) -> Canonical | None:
    name = ALIASES.get(name, name)
    if name == "asmatrix" and isinstance(args[0].value, np.ndarray):
        return Canonical("atleast_2d", [args[0]])
    if name in ("array", "asarray", "ascontiguousarray", "asfarray", "matrix", "asmatrix", "copy"):
        return array(name, args, kwargs)
    if name in ("reshape", "ravel"):
        shape = args[1] if len(args) > 1 and name == "reshape" else kwargs.get("shape")
        order = args[1 if name == "ravel" else 2 :]
        return reshape(args[0], result, {"order": order[0]} if order else kwargs, shape)
    if name in ("eye", "identity", "arange", "linspace", "tri"):
        return Canonical(name, list(args), parameters_given(kwargs))
    if name == "einsum":
        return Canonical(
            "einsum",
            list(args),
            parameters_given({k: v for k, v in kwargs.items() if k != "out"}),
            out=kwargs.get("out"),
        )
    if name in ("fliplr", "flipud"):
        return Canonical("flip", list(args), {"axis": int(name == "fliplr")})
    if name == "size" and len(args) == 1 and not kwargs:
        return Canonical("size", [args[0]])
    if name == "size" and len(args) == 2:
        return Canonical("axis_size", [args[0]], {"axis": args[1].value})
    if name == "ndim":
        return Canonical("ndim", [args[0]])
    if any(callable(b.value) and not isinstance(b.value, type) for b in (*args, *kwargs.values())):
        return None
    if name == "nan_to_num" and "copy" in kwargs and not kwargs["copy"].value:
        return None
    if name in (
        "frombuffer",
        "fromstring",
        "fromfile",
        "size",
        "shape",
        "ndim",
        "save",
        "savetxt",
        "load",
        "loadtxt",
        "genfromtxt",
    ):
        return None
    if name in TABLE and (name == "norm") == ("linalg" in module):
        if name == "where" and len(args) == 1:
            return Canonical("where", list(args))
        return from_row(name, args, kwargs)
    path = _path(function, name)
    if path is None:
        return None
    operands, parameters = list(args), dict(kwargs)
    at = _position_of_out(function)
    out = operands.pop(at) if at is not None and at == len(operands) - 1 else parameters.pop("out", None)
    if "overwrite_input" in parameters or (at is not None and at < len(operands)):
        return None
    return Canonical(path, operands, parameters, out=None if out is None or out.value is None else out)


@cache
def _position_of_out(function: Any) -> int | None:
    """The place of a function's parameter ``out``, if it can be given by place."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    return next(
        (k for k, p in enumerate(parameters) if p.name == "out" and p.kind is not p.KEYWORD_ONLY), None
    )


def _path(function: Any, name: str) -> str | None:
    """The name below ``numpy`` by which a function can be found again."""
    if getattr(np, name, None) is function:
        return name
    for below in ("linalg", "fft", "lib.stride_tricks"):
        found: Any = np
        for part in below.split("."):
            found = getattr(found, part)
        if getattr(found, name, None) is function:
            return f"{below}.{name}"
    return None


def of_random(function: Any, bound: Any, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    name = getattr(function, "__name__", "")
    generators = (np.random.RandomState, np.random.Generator, random.Random)
    if name in ("seed", "get_state", "set_state", "getstate", "setstate"):
        return None
    if isinstance(bound, generators) or (getattr(np.random, name, None) is function):
        target = args[0] if name == "shuffle" and args and isinstance(args[0].value, np.ndarray) else None
        parameters = {
            k: b if k == "size" else plain(b.value) for k, b in kwargs.items() if k not in ("dtype", "out")
        }
        out = kwargs.get("out")
        out = None if out is None or out.value is None else out
        return Canonical(f"random.{name}", list(args), parameters, random=True, target=target, out=out)
    return None
