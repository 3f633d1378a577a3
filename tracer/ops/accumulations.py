"""Running sums, products and differences, along one axis or over several.

A product has no sum of products as its formula: it is linear in each entry, so that its derivative by an
entry is the product of all the others, the array ``<out>.others`` (``<out>.slopes`` for a running product,
with one more axis).  They are multiplied out without dividing, so that an entry may be zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus import fresh
from tracer.calculus.indexing import shifted
from tracer.calculus.terms import Index, IndexExpr
from tracer.ops.axes import Operand
from tracer.ops.reductions import axis_at, reduced, split, whole
from tracer.ops.stated import change, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, condition, form, rational, sum_over


@operation("prod")
def prod(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = Π_j X[i, j], linear in each entry: ∂out[i]/∂X[i, j] = Π_l≠j X[i, l]"""
    i, over, free = split(X, axis, keepdims)
    return free, looked(out, "value", *free) + sum_over(over, looked(out, "others", *i) * change(X, i))


@looked_up("prod")
def others(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """For each entry the product of all others that are multiplied with it."""
    x = np.asarray(operands[0].value, dtype=float)
    over = reduced(x.ndim, by_name("X axis", operands, arguments).get("axis"))
    kept = [p for p in range(x.ndim) if p not in over]
    moved = np.transpose(x, (*kept, *over))
    flat = moved.reshape((*[x.shape[p] for p in kept], -1))
    product = _without_own(flat).reshape(moved.shape)
    return {f"{output}.others": np.transpose(product, np.argsort((*kept, *over)))}


def _without_own(flat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
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
def cumsum(X: Operand, axis: Any = None) -> Row:
    """out[i] = Σ_j [j ≤ i] X[j]"""
    position = along(X, axis, "cumsum")
    free = X.indices()
    j = X.axis(position)
    if not isinstance(j, Index):
        return free, X[free]
    inner = list(free)
    inner[position] = j
    return free, sum_over(j, condition("<=", j, free[position]) * X[tuple(inner)])


@operation("cumprod")
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


@looked_up("cumprod")
def slopes(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """[j ≤ i] Π_l≤i, l≠j X[l]; j is the last axis."""
    given = by_name("X axis", operands, arguments)
    x = np.asarray(given["X"].value, dtype=float)
    position = along(given["X"], given.get("axis"), "cumprod")
    moved = np.moveaxis(x, position, -1)
    n = moved.shape[-1]
    result = np.zeros((*moved.shape, n))
    for i in range(n):
        result[..., i, : i + 1] = _without_own(moved[..., : i + 1])
    return {f"{output}.slopes": np.moveaxis(result, -2, position)}


@operation("diff")
def diff(X: Operand, n: Any = 1, axis: Any = -1, *, out: Operand) -> Row:
    """out[i] = X[i + 1] − X[i]"""
    if whole(n) != 1:
        raise NoFormula("diff", f"differences of the order {n}")
    index, (first, second) = _both(X, f"{out.name}.steps", along(X, axis, "diff"))
    return index, second - first


@operation("trapezoid", "trapz")
def trapezoid(y: Operand, *more: Any, out: Operand, dx: Any = 1, axis: Any = -1) -> Row:
    """out = dx · Σ_i ½ (y[i] + y[i + 1])"""
    if more:
        raise NoFormula("trapezoid", "places that are given one by one")
    position = along(y, axis, "trapezoid")
    step = dx[()] if isinstance(dx, Operand) and not dx.ndim else form(rational(dx))
    index, (first, second) = _both(y, f"{out.name}.steps", position)
    kept = tuple(i for p, i in enumerate(index) if p != position)
    return kept, sum_over(index[position], (first + second) * rational(0.5)) * step


def _both(X: Operand, name: str, position: int) -> tuple[tuple[Index | int, ...], tuple[Form, Form]]:
    """An entry and the next one along an axis; the index runs over all but the last."""
    if X.shape[position] < 2:
        raise NoFormula("diff", f"an axis of the size {X.shape[position]}")
    index = list(X.indices())
    step = fresh(X.table.axis(name, X.shape[position] - 1))
    index[position] = step
    after: list[IndexExpr] = list(index)
    after[position] = shifted(step, 1)
    return tuple(index), (X.at(*index), X.at(*after))
