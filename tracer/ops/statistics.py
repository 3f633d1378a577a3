"""Spread of entries and how they vary together: variance, deviation, weighted mean, covariance, correlation.

What is divided by and is no product of sizes is an array of its own: ``<out>.count`` is the number of entries
less ``ddof``, ``<out>.total`` the sum of the weights.  ``<out>.slopes`` says how much each correlation changes with
each observation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus import simplify
from tracer.calculus.linearised import value_of
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import count, mean, reduced, split, whole
from tracer.ops.stated import array_like, change, looked, root, value
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, delta, form, sum_over

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


@operation("cov")
def cov(
    X: Operand, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None, *, out: Operand
) -> Row:
    """out[i, j] = (Σ_n X[i, n] X[j, n] − N⁻¹ Σ_n Σ_m X[i, n] X[j, m]) / (N − ddof), ddof 1 if nothing else is asked for"""
    variables, observation = _variables(X, y, rowvar, out)
    i, j = _pair(out)
    n, m = observation(), observation()
    products = sum_over(n, variables(i, n) * variables(j, n))
    of_means = sum_over([n, m], variables(i, n) * variables(j, m)) * count([n]) ** -1
    divisor = count([n]) if _degrees(bias, ddof) == 0 else looked(out, "count")
    return (i, j)[: out.ndim], Form(simplify(((products - of_means) * divisor**-1).expr))


def _pair(out: Operand) -> tuple[Index | int, Index | int]:
    """Two indices over the variables."""
    if not out.ndim:
        return 0, 0
    one, other = out.axes
    if one is not None and other is not None:
        out.table.unite(one, other)
    return out.axis(0), out.axis(0)


def _degrees(bias: Any, ddof: Any) -> int:
    return whole(ddof) if ddof is not None else int(not bias)


def _variables(
    X: Operand, y: Any, rowvar: Any, out: Operand
) -> tuple[Callable[[Index | int, Index | int], Form], Callable[[], Index | int]]:
    """The n-th observation of the variable k, and a new index over the observations."""
    array_like(X, "cov")
    if y is not None:
        if not isinstance(y, Operand) or X.ndim != 1 or y.shape != X.shape:
            raise NoFormula("cov", "two arrays that are not two variables")
        return (lambda k, n: delta(k, 0) * X[n] + delta(k, 1) * y[n]), lambda: X.axis(0)
    if X.ndim == 1:
        return (lambda _, n: X[n]), lambda: X.axis(0)
    if rowvar:
        return (lambda k, n: X[k, n]), lambda: X.axis(1)
    return (lambda k, n: X[n, k]), lambda: X.axis(0)


@looked_up("cov")
def observations(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The number of observations less ``ddof``."""
    given = by_name("X y rowvar bias ddof", operands, arguments)
    length = given["X"].shape[-1 if given.get("rowvar", True) else 0]
    return {
        f"{output}.count": np.asarray(float(length - _degrees(given.get("bias", False), given.get("ddof"))))
    }


@operation("corrcoef")
def corrcoef(X: Operand, y: Any = None, rowvar: Any = True, *, out: Operand) -> Row:
    """out[i, j] = Σ_n z[i, n] z[j, n], where z are the variables less their means, divided by their lengths s

    z[i] has the length 1 and the sum 0, so ∂out[i, j] = Σ_n S[i, j, n] ∂X[i, n] + Σ_n S[j, i, n] ∂X[j, n], with
    S[i, j, n] = (z[j, n] − out[i, j] z[i, n]) / s[i].
    """
    variables, observation = _variables(X, y, rowvar, out)
    if not out.ndim:
        return (), form(1)
    i, j = _pair(out)
    n = observation()
    arrays = [x for x in (X, y) if isinstance(x, Operand)]

    def moved(k: Index | int) -> Form:
        """∂X[k, n]"""
        now = variables(k, n)
        return now - Form(rename_arrays(now.expr, {x.name: value_of(x.name) for x in arrays}))

    by_both = looked(out, "slopes", i, j, n) * moved(i) + looked(out, "slopes", j, i, n) * moved(j)
    return (i, j), looked(out, "value", i, j) + sum_over(n, by_both)


@looked_up("corrcoef")
def slopes_of_correlation(
    output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """How much a correlation changes with each observation of its first variable."""
    given = by_name("X y rowvar", operands, arguments)
    rows = np.atleast_2d(np.asarray(given["X"].value, dtype=float))
    if given.get("y") is not None:
        rows = np.vstack([rows, np.asarray(given["y"].value, dtype=float)])
    elif not given.get("rowvar", True) and len(rows) > 1:
        rows = rows.T
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    z = rows / length
    return {f"{output}.slopes": (z[None] - (z @ z.T)[..., None] * z[:, None]) / length[:, None]}
