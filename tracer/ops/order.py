"""Entries by their order: sorted, in the middle, at a quantile.

Which entry comes where is a look-up array: ``<out>.order`` for sorting, ``<out>.low`` and ``<out>.high`` for
the two entries that a quantile lies between, ``<out>.share`` for how far it lies from the first to the second,
``<out>.steps`` for how many entries lie before the quantile 1 (of a percentile: a hundredth of that).
Of equal entries the one that stands first comes first: that is the convention for a tie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from tracer.calculus.linearised import value_of
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.terms import Entry, Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import axis_at, picked, places, reduced, split, whole
from tracer.ops.stated import change, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula


@operation("sort", "sort_in_place")
def sort(X: Operand, axis: Any = -1, kind: Any = None, *, out: Operand) -> Row:
    """out[i, k] = X[i, s[i, k]], where s[i, k] is the place of the entry that comes at k"""
    if axis is None and X.ndim != 1:
        raise NoFormula("sort", "an array that is flattened")
    position = axis_at(0 if axis is None else axis, X.ndim)
    free = X.indices()
    at = [
        Entry(f"{out.name}.order", free) if p == position and isinstance(i, Index) else i
        for p, i in enumerate(free)
    ]
    return free, X.at(*at)


@looked_up("sort", "sort_in_place")
def order(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The place of the entry that comes at each position."""
    given = by_name("X axis", operands, arguments)
    axis = given.get("axis", -1)
    x = np.asarray(operands[0].value)
    return {f"{output}.order": np.argsort(x, axis=whole(axis) if axis is not None else 0, kind="stable")}


@operation("partition", "partitioned")
def partition(X: Operand, kth: Any, axis: Any = -1, *, out: Operand) -> Row:
    """out[i, k] = X[i, s[i, k]], where s[i, k] is the place of the entry that comes at k"""
    return sort(X, axis, out=out)


@looked_up("partition", "partitioned")
def partial_order(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The place of the entry that comes at each position."""
    given = by_name("X kth axis", operands, arguments)
    axis = given.get("axis", -1)
    kth = given["kth"]
    positions = tuple(whole(k) for k in kth) if isinstance(kth, (tuple, list)) else whole(kth)
    x = np.asarray(operands[0].value)
    return {f"{output}.order": np.argpartition(x, positions, axis=whole(axis) if axis is not None else 0)}


@operation("median")
def median(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = ½ X[i, l[i]] + ½ X[i, h[i]], where l[i], h[i] are the places of the entries in the middle"""
    i, over, free = split(X, axis, keepdims)
    low, high = (picked(X, out, i, over, free, what) for what in ("low", "high"))
    return free, (low + high) * Fraction(1, 2)


@operation("quantile", "percentile")
def quantile(
    X: Operand, q: Any, axis: Any = None, keepdims: Any = False, method: Any = "linear", *, out: Operand
) -> Row:
    """out[i] = (1 − t) X[i, l[i]] + t X[i, h[i]], where the quantile lies at t between two entries"""
    if method != "linear":
        raise NoFormula("quantile", f"the method {method!r}")
    portion(q, 1)  # refuses several at once
    i, over, free = split(X, axis, keepdims)
    low, high = (picked(X, out, i, over, free, what) for what in ("low", "high"))
    share = looked(out, "share")
    between = (1 - share) * low + share * high
    if isinstance(q, Operand):
        held = {X.name: value_of(X.name)}
        step = Form(rename_arrays((high - low).expr, held)) * looked(out, "steps")
        between = between + step * change(q, ())
    return free, between


def portion(q: Any, whole_part: int) -> float:
    """Which part of the entries is to be below, a number."""
    if isinstance(q, Operand):
        if q.ndim or (q.value is None and not q.dtype.startswith("float")):
            raise NoFormula("quantile", "several quantiles at once")
        q = 0 if q.value is None else q.value
    if isinstance(q, (tuple, list)):
        raise NoFormula("quantile", "several quantiles at once")
    return float(q) / whole_part


def _between(x: Operand, arguments: Mapping[str, Any], part: float) -> tuple[int, int, float]:
    """The positions, in order, of the two entries that a quantile lies between, and how far."""
    n = int(np.prod([x.shape[p] for p in reduced(x.ndim, arguments.get("axis"))]))
    exact = part * (n - 1)
    low = min(max(floor(exact), 0), n - 1)
    return low, min(low + 1, n - 1), exact - low


def _two(x: Operand, low: int, high: int, output: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    def at(position: int) -> Any:
        return lambda flat: np.argsort(flat, axis=-1, kind="stable")[..., position]

    data = np.asarray(x.value)
    return {
        **places(data, at(low), "low", output, arguments),
        **places(data, at(high), "high", output, arguments),
    }


@looked_up("median")
def middle(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the entries in the middle are; both are the same one if their number is odd."""
    x = operands[0]
    given = by_name("X axis", operands, arguments)
    n = int(np.prod([x.shape[p] for p in reduced(x.ndim, given.get("axis"))]))
    return _two(x, (n - 1) // 2, n // 2, output, given)


def _around(
    whole_part: int, output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    given = by_name("X q axis", operands, arguments)
    x = operands[0]
    low, high, share = _between(x, given, portion(given["q"], whole_part))
    n = np.prod([x.shape[p] for p in reduced(x.ndim, given.get("axis"))])
    steps = np.asarray((n - 1) / whole_part)
    return {
        **_two(x, low, high, output, given),
        f"{output}.share": np.asarray(share),
        f"{output}.steps": steps,
    }


@looked_up("quantile")
def around_quantile(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the two entries around the quantile are, and how far it lies from the first."""
    return _around(1, output, operands, arguments)


@looked_up("percentile")
def around_percentile(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the two entries around the percentile are, and how far it lies from the first."""
    return _around(100, output, operands, arguments)
