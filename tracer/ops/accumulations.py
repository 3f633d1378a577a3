"""Products, and running sums and products along an axis.

A product has no sum of products as its formula: it is linear in each entry, so that its derivative by an
entry is the product of all the others, the array ``<out>.others`` (``<out>.slopes`` for a running product,
with one more axis).  They are multiplied out without dividing, so that an entry may be zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import axis_at, reduced, rows, split
from tracer.ops.shapes import flat
from tracer.ops.stated import Indices, change, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, condition, form, sum_over

Array = np.ndarray[Any, Any]


@operation("prod")
def prod(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = Π_j X[i, j], linear in each entry: ∂out[i]/∂X[i, j] = Π_l≠j X[i, l]"""
    i, over, free = split(X, axis, keepdims)
    return free, looked(out, "value", *free) + sum_over(over, looked(out, "others", *i) * change(X, i))


@looked_up("prod")
def others(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """For each entry the product of all others that are multiplied with it."""
    x = _numbers(operands[0].value)
    return {f"{output}.others": product_of_others(x, by_name("X axis", operands, arguments).get("axis"))}


def _numbers(value: Any) -> Array:
    """An array of real or complex numbers."""
    given = np.asarray(value)
    return np.asarray(given, dtype=complex if given.dtype.kind == "c" else float)


def product_of_others(x: Array, axis: Any) -> Array:
    """For each entry the product of all others along the axes that are reduced."""
    over = reduced(x.ndim, axis)
    kept = [p for p in range(x.ndim) if p not in over]
    moved = np.transpose(x, (*kept, *over))
    flat = moved.reshape(rows(x.shape, kept, over))
    product = _without_own(flat).reshape(moved.shape)
    return np.transpose(product, np.argsort((*kept, *over)))


def _without_own(flat: Array) -> Array:
    """Along the last axis, the product of all entries but each."""
    ones = np.ones((*flat.shape[:-1], 1))
    before = np.concatenate([ones, np.cumprod(flat, axis=-1)[..., :-1]], axis=-1)
    after = np.concatenate([ones, np.cumprod(flat[..., ::-1], axis=-1)[..., :-1]], axis=-1)[..., ::-1]
    return np.asarray(before * after)


def along(X: Operand, axis: Any, op: str, default: Any = None) -> int:
    """The position of the one axis that an operation runs along."""
    given = default if axis is None else axis
    if given is None and X.ndim != 1:
        raise NoFormula(op, "an array that is flattened")
    return 0 if given is None else axis_at(given, X.ndim)


@operation("cumsum", "cumulative_sum")
def cumsum(X: Operand, axis: Any = None, *, out: Operand) -> Row:
    """out[i] = Σ_j [j ≤ i] X[j]; of all entries, one row after the other: out[k] = Σ_ij [i J + j ≤ k] X[i, j]"""
    if axis is None and X.ndim > 1:
        index = X.indices()
        (k,) = out.indices()
        return (k,), sum_over(index, condition("<=", flat(index, X.table), k) * X[index])
    position = along(X, axis, "cumsum")
    free, inner, reached = up_to(X, position)
    return free, sum_over(inner[position], reached * X[inner])


def up_to(X: Operand, position: int) -> tuple[Indices, Indices, Form]:
    """Indices i of the result, those j of the entries of X along an axis, and [j ≤ i]."""
    free = X.indices()
    j = X.axis(position)
    if not isinstance(j, Index):
        return free, free, form(1)
    return free, (*free[:position], j, *free[position + 1 :]), condition("<=", j, free[position])


@operation("cumprod", "cumulative_prod")
def cumprod(X: Operand, axis: Any = None, *, out: Operand) -> Row:
    """out[i] = Π_j≤i X[j], linear in each entry: ∂out[i]/∂X[j] = [j ≤ i] Π_l≤i, l≠j X[l]"""
    position = along(X, axis, "cumprod")
    free = X.indices()
    j = X.axis(position)
    if not isinstance(j, Index):
        return free, X[free]
    inner = list(free)
    inner[position] = j
    slope = looked(out, "slopes", *free, j)
    return free, looked(out, "value", *free) + sum_over(j, slope * change(X, tuple(inner)))


@looked_up("cumprod", "cumulative_prod")
def slopes(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """[j ≤ i] Π_l≤i, l≠j X[l]; j is the last axis."""
    given = by_name("X axis", operands, arguments)
    x = _numbers(given["X"].value)
    return {f"{output}.slopes": running_slopes(x, along(given["X"], given.get("axis"), "cumprod"))}


def running_slopes(x: Array, position: int) -> Array:
    """[j ≤ i] Π_l≤i, l≠j x[l] along one axis; j is a new last axis."""
    moved = np.moveaxis(x, position, -1)
    n = moved.shape[-1]
    result = np.zeros((*moved.shape, n), dtype=moved.dtype)
    for i in range(n):
        result[..., i, : i + 1] = _without_own(moved[..., : i + 1])
    return np.moveaxis(result, -2, position)
