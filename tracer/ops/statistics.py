"""Spread and size of entries: variance, standard deviation, norms, weighted means, means without NaN.

What is divided by and is no product of sizes is an array of its own: ``<out>.count`` is the number of entries
less ``ddof``, or of those that are not NaN; ``<out>.total`` is the sum of the weights; ``<out>.present`` is 1
where an entry is not NaN, else 0.  `looked_up` functions give their values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tracer.calculus import simplify
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import count, mean, picked, places, reduced, split, whole
from tracer.ops.stated import change, looked, root, value
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, mask, sum_over
from tracer.ops.writing import form as number

Indices = tuple[Index | int, ...]


@operation("var")
def var(X: Operand, axis: Any = None, keepdims: Any = False, ddof: Any = 0, *, out: Operand) -> Row:
    """out[i] = (Σ_j X[i, j]² − J⁻¹ Σ_j Σ_l X[i, j] · X[i, l]) / (J − ddof)

    The same as the squared distances from the mean, added up, multiplied out.
    """
    i, over, free = split(X, axis, keepdims)
    return free, _variance(X, out, i, over, ddof)


def _variance(X: Operand, out: Operand, i: Indices, over: Sequence[Index | int], ddof: Any) -> Form:
    squares, total = sum_over(over, X[i] ** 2), sum_over(over, X[i])
    divisor = looked(out, "count") if whole(ddof) else count(over)
    return Form(simplify(((squares - total * total * count(over) ** -1) * divisor**-1).expr))


@operation("std")
def std(X: Operand, axis: Any = None, keepdims: Any = False, ddof: Any = 0, *, out: Operand) -> Row:
    """out[i]² = (Σ_j X[i, j]² − J⁻¹ Σ_j Σ_l X[i, j] · X[i, l]) / (J − ddof), out[i] > 0"""
    i, over, free = split(X, axis, keepdims)
    return free, root(out, free, _variance(X, out, i, over, ddof))


@looked_up("var", "std")
def degrees_of_freedom(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The number of entries less ``ddof``."""
    x, ddof = operands[0], whole(arguments.get("ddof", 0))
    if not ddof:
        return {}
    over = reduced(x.ndim, arguments.get("axis"))
    return {f"{output}.count": np.asarray(float(np.prod([x.shape[p] for p in over]) - ddof))}


@operation("norm")
def norm(X: Operand, axis: Any = None, keepdims: Any = False, ord: Any = None, *, out: Operand) -> Row:
    """out[i]² = Σ_j X[i, j]², out[i] > 0; of the order 1: out[i] = Σ_j |X[i, j]|

    Of a vector, of rows or columns, or of all entries.
    """
    i, over, free = split(X, axis, keepdims)
    plain = ord is None or (ord == 2 and len(over) == 1) or (ord == "fro" and len(over) == 2)
    if plain:
        return free, root(out, free, sum_over(over, X[i] ** 2))
    if ord == 1 and len(over) == 1:
        sign = mask(">", X[i], number(0)) - mask(">", number(0), X[i])
        return free, sum_over(over, X[i] * sign)
    raise NoFormula("norm", f"a norm of the order {ord} over {len(over)} axes")


@operation("average")
def average(
    X: Operand,
    axis: Any = None,
    weights: Any = None,
    keepdims: Any = False,
    returned: Any = False,
    *,
    out: Operand,
) -> Row:
    """out[i] = Σ_j w[i, j] X[i, j] / Σ_j w[i, j], from out[i] · Σ_j w[i, j] = Σ_j w[i, j] X[i, j]"""
    if returned:
        raise NoFormula("average", "the weights are returned too")
    if weights is None:
        return mean(X, axis, keepdims)
    if not isinstance(weights, Operand):
        raise NoFormula("average", "weights that are no array")
    i, over, free = split(X, axis, keepdims)
    alike = weights.shape == X.shape
    if not alike and (axis is None or weights.ndim != 1 or len(over) != 1):
        raise NoFormula("average", f"weights of the shape {weights.shape}")
    w = i if alike else tuple(over)
    total = looked(out, "total", *free) ** -1
    by_x = value(weights, w) * change(X, i)
    by_w = change(weights, w) * (value(X, i) - _held(out, free))
    return free, _held(out, free) + sum_over(over, by_x) * total + sum_over(over, by_w) * total


def _held(out: Operand, free: Indices) -> Form:
    return looked(out, "value", *free)


@looked_up("average")
def sum_of_weights(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The sums of the weights that entries are divided by."""
    given = by_name("X axis weights", operands, arguments)
    x, weights = given["X"], given.get("weights")
    if weights is None:
        return {}
    over = reduced(x.ndim, given.get("axis"))
    w = np.asarray(weights.value, dtype=float)
    if weights.shape != x.shape:
        w = np.broadcast_to(w.reshape([x.shape[p] if p in over else 1 for p in range(x.ndim)]), x.shape)
    return {f"{output}.total": np.sum(w, axis=over, keepdims=bool(given.get("keepdims")))}


@operation("nansum")
def nansum(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = Σ_j p[i, j] X[i, j], where p is 0 at a NaN, else 1"""
    i, over, free = split(X, axis, keepdims)
    return free, sum_over(over, looked(out, "present", *i) * X[i])


@operation("nanmean")
def nanmean(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = Σ_j p[i, j] X[i, j] / Σ_j p[i, j], where p is 0 at a NaN, else 1"""
    i, over, free = split(X, axis, keepdims)
    return free, sum_over(over, looked(out, "present", *i) * X[i]) * looked(out, "count", *free) ** -1


@looked_up("nansum", "nanmean")
def present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where entries are not NaN, and how many are."""
    there = ~np.isnan(np.asarray(operands[0].value, dtype=float))
    given = by_name("X axis", operands, arguments)
    over = reduced(there.ndim, given.get("axis"))
    counted = there.sum(axis=over, keepdims=bool(given.get("keepdims")))
    return {f"{output}.present": there.astype(float), f"{output}.count": np.asarray(counted, dtype=float)}


@operation("nanmax")
def nanmax(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the largest entry that is not NaN"""
    i, over, free = split(X, axis, keepdims)
    return free, picked(X, out, i, over, free, "argmax")


@operation("nanmin")
def nanmin(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the smallest entry that is not NaN"""
    i, over, free = split(X, axis, keepdims)
    return free, picked(X, out, i, over, free, "argmin")


@looked_up("nanmax")
def largest_present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the largest entries are."""
    given = by_name("X axis", operands, arguments)
    return places(np.asarray(operands[0].value), partial(np.nanargmax, axis=-1), "argmax", output, given)


@looked_up("nanmin")
def smallest_present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the smallest entries are."""
    given = by_name("X axis", operands, arguments)
    return places(np.asarray(operands[0].value), partial(np.nanargmin, axis=-1), "argmin", output, given)
