"""Calls that make an array from one: its methods, ``reshape`` and ``array``.

In: the array's box, the boxed arguments and the result.  Out: the `Canonical` call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.box import Box
from tracer.recording.call_rows import Canonical, from_row, type_name

#: Methods whose arguments are those of the function of that name, after the array.
_METHODS = frozenset(
    "sum prod mean max min var std any all argmax argmin cumsum cumprod dot transpose squeeze swapaxes repeat diagonal "
    "trace take clip argsort round".split()
)


def of_method(name: str, owner: Box, args: list[Box], kwargs: dict[str, Box], result: Any) -> Canonical | None:
    """A method of an array, which stands first among the operands; ``None`` if no row says what it is."""
    if name in ("copy", "__copy__", "__deepcopy__"):
        return Canonical("copy", [owner])
    if name == "astype":
        return Canonical("astype", [owner], {"dtype": type_name((args[0] if args else kwargs["dtype"]).value)})
    if name in ("reshape", "ravel", "flatten"):
        shape = Box(None, items=None)
        if name == "reshape":
            shape = args[0] if len(args) == 1 else Box(tuple(b.value for b in args), items=list(args))
            if not args:
                shape = kwargs["shape"]
        elif args:
            kwargs = {"order": args[0]}
        return reshape(owner, result, kwargs, shape)
    if name == "view":
        dtypes = [b.value for b in (*args, *kwargs.values()) if not _is_array_type(b.value)]
        return None if any(np.dtype(d) != owner.value.dtype for d in dtypes) else Canonical("view", [owner])
    if name == "transpose" and args:
        axes = (
            args[0].value
            if len(args) == 1 and not isinstance(args[0].value, int)
            else tuple(b.value for b in args)
        )
        return Canonical(
            "transpose", [owner], {"axes": None if axes is None else tuple(int(k) for k in axes)}
        )
    if name == "item":
        return Canonical("item", [owner, *args])
    if name == "fill":
        return Canonical("fill", [owner, *args], target=owner)
    if name == "sort":
        given = {**dict(zip(("axis", "kind"), args, strict=False)), **kwargs}
        return Canonical("sort_in_place", [owner], {k: b.value for k, b in given.items()}, target=owner)
    if name == "partition":
        return Canonical("partitioned", [owner, *args], dict(kwargs), target=owner)
    if name == "resize":
        return Canonical("resized", [owner], {"shape": _sizes(args)}, target=owner)
    if name == "put":
        return Canonical("put", [owner, *args], dict(kwargs), target=owner)
    if name in _METHODS:
        return from_row(name, [owner, *args], kwargs)
    if name in ("nonzero", "searchsorted", "ptp", "conj", "conjugate"):
        return Canonical(name, [owner, *args], dict(kwargs))
    return None


def _sizes(args: list[Box]) -> tuple[int, ...]:
    given = args[0].value if len(args) == 1 else tuple(b.value for b in args)
    return tuple(int(n) for n in given) if isinstance(given, (tuple, list)) else (int(given),)


def _is_array_type(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, np.ndarray)


def reshape(x: Box, result: Any, kwargs: dict[str, Box], shape: Box | None = None) -> Canonical:
    """``-1`` becomes the real number; sizes that have a node keep their reference."""
    sizes: tuple[Any, ...] = tuple(np.shape(result))
    items = shape.items if shape is not None and shape.items is not None else None
    if items is not None and len(items) == len(sizes):
        sizes = tuple(item if item.value == size else size for item, size in zip(items, sizes, strict=True))
    elif shape is not None and shape.node is not None and shape.value == sizes[:1] == sizes:
        sizes = (shape,)
    order = _order(x.value, kwargs["order"].value if "order" in kwargs else "C")
    extra = {} if order == "C" else {"order": order}
    return Canonical("reshape", [x], {"shape": sizes, **extra})


def _order(value: Any, asked: str | None) -> str:
    """In which order entries are taken: C or F, also where that is how they lie in memory; else as it was asked for."""
    order = (asked or "C").upper()
    flags = np.asarray(value).flags
    if order in ("A", "K") and (flags.c_contiguous or flags.f_contiguous or order == "A"):
        return "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    return order


def array(name: str, args: list[Box], kwargs: dict[str, Box]) -> Canonical | None:
    """``np.array`` and the like: a copy or a cast of an array, or a new one of numbers and rows.

    With ``ndmin`` there are axes of length 1 before the others: a row of what is given; so there are in a matrix.
    """
    if not args:
        return None
    x = args[0]
    least = 2 if name == "matrix" else int(kwargs["ndmin"].value) if "ndmin" in kwargs else 0
    more = least - np.ndim(x.value)
    if more > 0 and isinstance(x.value, np.ndarray) and len(args) == 1 and "dtype" not in kwargs:
        return Canonical("reshape", [x], {"shape": (1,) * more + x.value.shape})
    dtype = args[1] if len(args) > 1 else kwargs.get("dtype")
    if isinstance(x.value, (np.ndarray, np.generic)) and more <= 0:
        if isinstance(x.value, np.ndarray) and dtype is not None and dtype.value is not None:
            return Canonical("astype", [x], {"dtype": type_name(dtype.value)})
        if isinstance(x.value, np.ndarray):
            return Canonical("copy", [x])
    extra: dict[str, Any] = {"dtype": type_name(dtype.value)} if dtype is not None and dtype.value is not None else {}
    return Canonical("array", [x], extra, rows_of=max(more, 0))
