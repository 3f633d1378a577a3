"""Operations that reduce axes: sums and what is made of them, largest and smallest entries.

The largest entry is an entry: ``out[i] = X[i, a[i]]``, where ``a`` is the whole number array
``<out>.argmax`` (``<out>.argmin`` for the smallest), with an axis for each axis of ``out``; if several axes
are reduced there is one look-up array for each of them, ``<out>.argmax0`` and so on.  `auxiliary` gives
their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracer.calculus import simplify
from tracer.calculus.terms import Entry, Index, IndexExpr
from tracer.ops.axes import Operand
from tracer.ops.table import Row, operation
from tracer.ops.writing import Form, NoFormula, condition, delta, form, rational, size, sum_over, total


def reduced(ndim: int, axis: Any) -> tuple[int, ...]:
    """The positions of the axes that ``axis`` names: None for all, an integer or a tuple."""
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    positions = []
    for one in given:
        position = whole(one)
        if not -ndim <= position < ndim:
            raise NoFormula("axis", f"there is no axis {position} among {ndim}")
        positions.append(position % ndim)
    return tuple(sorted(positions))


def whole(value: Any) -> int:
    """A whole number, given as one, as a fraction, or as a scalar with a known value."""
    if isinstance(value, Operand):
        if value.value is None or value.ndim:
            raise NoFormula("axis", f"{value.name} is not a known whole number")
        value = value.value
    if int(value) != value:
        raise NoFormula("axis", f"{value} is not a whole number")
    return int(value)


def _split(
    X: Operand, axis: Any, keepdims: Any
) -> tuple[tuple[Index | int, ...], list[Index | int], tuple[Index | int, ...]]:
    """The indices of an entry of X, those that are summed over, and those of the result."""
    index, over = X.indices(), reduced(X.ndim, axis)
    free = (0 if p in over else i for p, i in enumerate(index) if keepdims or p not in over)
    return index, [index[p] for p in over], tuple(free)


@operation("sum")
def sum_(X: Operand, axis: Any = None, keepdims: Any = False) -> Row:
    """out[i] = Σ_j X[i, j]"""
    i, over, free = _split(X, axis, keepdims)
    return free, sum_over(over, X[i])


@operation("mean")
def mean(X: Operand, axis: Any = None, keepdims: Any = False) -> Row:
    """out[i] = J⁻¹ Σ_j X[i, j]"""
    i, over, free = _split(X, axis, keepdims)
    return free, sum_over(over, X[i]) * _count(over) ** -1


def _count(over: Sequence[Index | int]) -> Form:
    product = form(1)
    for index in over:
        product = product * size(index)
    return product


@operation("var")
def var(X: Operand, axis: Any = None, keepdims: Any = False, ddof: Any = 0) -> Row:
    """out[i] = J⁻¹ Σ_j X[i, j]² − J⁻² Σ_j Σ_l X[i, j] · X[i, l]

    The same as the mean of the squared distances from the mean, multiplied out.
    """
    if whole(ddof):
        raise NoFormula("var", "one is subtracted from the number of entries (ddof)")
    i, over, free = _split(X, axis, keepdims)
    count = _count(over)
    sum_of_squares, sum_ = sum_over(over, X[i] ** 2), sum_over(over, X[i])
    return free, Form(simplify((sum_of_squares * count**-1 - sum_ * sum_ * count**-2).expr))


@operation("sum_of_squares")
def sum_of_squares(X: Operand, axis: Any = None, keepdims: Any = False, ord: Any = None) -> Row:
    """out[i] = Σ_j X[i, j]²

    The square of ``np.linalg.norm``, of a vector, of rows or columns, or of all entries.
    """
    over = reduced(X.ndim, axis)
    plain = ord is None or (ord == 2 and len(over) == 1) or (ord == "fro" and len(over) == 2)
    if not plain or (axis is None and X.ndim > 2):
        raise NoFormula("norm", f"a norm of the order {ord}")
    i, summed, free = _split(X, axis, keepdims)
    return free, sum_over(summed, X[i] ** 2)


@operation("max", "amax")
def max_(X: Operand, out: Operand, axis: Any = None, keepdims: Any = False) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the largest entry"""
    return _extreme(X, out, axis, keepdims, "argmax")


@operation("min", "amin")
def min_(X: Operand, out: Operand, axis: Any = None, keepdims: Any = False) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the smallest entry"""
    return _extreme(X, out, axis, keepdims, "argmin")


def _extreme(X: Operand, out: Operand, axis: Any, keepdims: Any, what: str) -> Row:
    i, over, free = _split(X, axis, keepdims)
    running = [j for j in over if isinstance(j, Index)]
    names = (
        [f"{out.name}.{what}"]
        if len(running) == 1
        else [f"{out.name}.{what}{n}" for n in range(len(running))]
    )
    at: list[IndexExpr] = [
        Entry(names[running.index(j)], free) if isinstance(j, Index) and j in running else j for j in i
    ]
    return free, X.at(*at)


@operation("cumsum")
def cumsum(X: Operand, axis: Any = None) -> Row:
    """out[i] = Σ_j [j ≤ i] X[j]"""
    if axis is None and X.ndim != 1:
        raise NoFormula("cumsum", "a running sum over a flattened array")
    position = 0 if axis is None else whole(axis) % X.ndim
    free = X.indices()
    j = X.axis(position)
    if not isinstance(j, Index):
        return free, X[free]
    inner = list(free)
    inner[position] = j
    return free, sum_over(j, condition("<=", j, free[position]) * X[tuple(inner)])


@operation("trace")
def trace(X: Operand) -> Row:
    """out = Σ_i X[i, i]"""
    _square(X, "trace")
    i = X.axis(0)
    return (), sum_over(i, X[i, i])


@operation("diagonal")
def diagonal(X: Operand) -> Row:
    """out[i] = X[i, i]"""
    _square(X, "diagonal")
    i = X.axis(0)
    return (i,), X[i, i]


@operation("diag")
def diag(X: Operand) -> Row:
    """out[i] = X[i, i] of a matrix; out[i, j] = δ(i, j) x[i] of a vector"""
    if X.ndim == 2:
        return diagonal(X)
    i, j = X.axis(0), X.axis(0)
    return (i, j), X[i] * (delta(i, j) if isinstance(i, Index) else form(1))


def _square(X: Operand, op: str) -> None:
    if X.ndim != 2 or X.shape[0] != X.shape[1]:
        raise NoFormula(op, f"an array of the shape {X.shape}")


@operation("sum_of")
def sum_of(summands: tuple[Any, ...]) -> Row:
    """out = a + b + c + …"""
    if any(isinstance(s, Operand) and s.ndim for s in summands):
        raise NoFormula("sum_of", "a sum of arrays")
    return (), total(s[()] if isinstance(s, Operand) else form(rational(s)) for s in summands)
