"""Operations that reduce axes: sums and means, largest and smallest entries.

The largest entry is an entry: ``out[i] = X[i, a[i]]``, where ``a`` is the whole number array
``<out>.argmax`` (``<out>.argmin`` for the smallest), with an axis for each axis of ``out``; if several axes
are reduced there is one look-up array for each of them, ``<out>.argmax0`` and so on.  Of equal entries the
first one counts: that is the convention for a tie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tracer.calculus.terms import Entry, Index, IndexExpr
from tracer.ops.axes import Operand
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, form, size, sum_over


def reduced(ndim: int, axis: Any) -> tuple[int, ...]:
    """The positions of the axes that ``axis`` names: None for all, an integer or a tuple."""
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    positions = []
    for one in given:
        positions.append(axis_at(one, ndim))
    return tuple(sorted(positions))


def axis_at(axis: Any, ndim: int) -> int:
    """The position, counted from the first, of an axis among so many.

    Raises:
        NoFormula: if there is no such axis.
    """
    position = whole(axis)
    if not -ndim <= position < ndim:
        raise NoFormula("axis", f"there is no axis {position} among {ndim}")
    return position % ndim


def whole(value: Any) -> int:
    """A whole number, given as one, as a fraction, or as a scalar with a known value."""
    if isinstance(value, Operand):
        if value.value is None or value.ndim:
            raise NoFormula("axis", f"{value.name} is not a known whole number")
        value = value.value
    if int(value) != value:
        raise NoFormula("axis", f"{value} is not a whole number")
    return int(value)


def split(
    X: Operand, axis: Any, keepdims: Any
) -> tuple[tuple[Index | int, ...], list[Index | int], tuple[Index | int, ...]]:
    """The indices of an entry of X, those that are summed over, and those of the result."""
    index, over = X.indices(), reduced(X.ndim, axis)
    free = (0 if p in over else i for p, i in enumerate(index) if keepdims or p not in over)
    return index, [index[p] for p in over], tuple(free)


@operation("sum")
def sum_(X: Operand, axis: Any = None, keepdims: Any = False) -> Row:
    """out[i] = Σ_j X[i, j]"""
    i, over, free = split(X, axis, keepdims)
    return free, sum_over(over, X[i])


@operation("mean")
def mean(X: Operand, axis: Any = None, keepdims: Any = False) -> Row:
    """out[i] = J⁻¹ Σ_j X[i, j]"""
    i, over, free = split(X, axis, keepdims)
    return free, sum_over(over, X[i]) * count(over) ** -1


def count(over: Sequence[Index | int]) -> Form:
    """How many entries are reduced to one."""
    product = form(1)
    for index in over:
        product = product * size(index)
    return product


@operation("max", "amax")
def max_(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the largest entry"""
    return _extreme(X, axis, keepdims, "argmax", out=out)


@operation("min", "amin")
def min_(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the smallest entry"""
    return _extreme(X, axis, keepdims, "argmin", out=out)


def _extreme(X: Operand, axis: Any, keepdims: Any, what: str, *, out: Operand) -> Row:
    i, over, free = split(X, axis, keepdims)
    return free, picked(X, out, i, over, free, what)


def picked(
    X: Operand,
    out: Operand,
    index: tuple[Index | int, ...],
    over: Sequence[Index | int],
    free: tuple[Index | int, ...],
    what: str,
) -> Form:
    """The one entry of X, among those that differ along the axes ``over``, at the places ``<out>.<what>``."""
    running = [j for j in over if isinstance(j, Index)]
    names = [f"{out.name}.{what}{'' if len(running) == 1 else n}" for n in range(len(running))]
    at: list[IndexExpr] = [Entry(names[running.index(j)], free) if j in running else j for j in index]
    return X.at(*at)


def rows(shape: Sequence[int], kept: Sequence[int], over: Sequence[int]) -> tuple[int, ...]:
    """The shape in which all entries that are reduced together stand along the last axis; a size may be 0."""
    return (*[shape[p] for p in kept], int(np.prod([shape[p] for p in over])))


def places(
    x: np.ndarray[Any, Any],
    choose: Callable[[np.ndarray[Any, Any]], Any],
    what: str,
    output: str,
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    """The look-up arrays of `picked`: ``choose`` takes entries along the last axis and gives one place each."""
    over = reduced(x.ndim, arguments.get("axis"))
    kept = [p for p in range(x.ndim) if p not in over]
    moved = np.transpose(x, (*kept, *over)).reshape(rows(x.shape, kept, over))
    chosen = choose(moved.real if moved.dtype.kind == "c" else moved)
    found = list(np.unravel_index(np.asarray(chosen), [x.shape[p] for p in over]))
    if arguments.get("keepdims"):
        found = [np.expand_dims(p, over) for p in found]
    running = [p for p, position in zip(found, over, strict=True) if x.shape[position] != 1]
    if len(running) == 1:
        return {f"{output}.{what}": running[0]}
    return {f"{output}.{what}{n}": p for n, p in enumerate(running)}


@looked_up("max", "amax")
def largest(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the largest entries are, the first of equal ones."""
    return places(np.asarray(operands[0].value), partial(np.argmax, axis=-1), "argmax", output, arguments)


@looked_up("min", "amin")
def smallest(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the smallest entries are, the first of equal ones."""
    return places(np.asarray(operands[0].value), partial(np.argmin, axis=-1), "argmin", output, arguments)


@operation("ptp")
def ptp(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = X[i, a[i]] − X[i, b[i]], where a[i], b[i] are the places of the largest and smallest entries"""
    i, over, free = split(X, axis, keepdims)
    return free, picked(X, out, i, over, free, "argmax") - picked(X, out, i, over, free, "argmin")


@looked_up("ptp")
def both_extremes(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the largest and the smallest entries are."""
    given = by_name("X axis", operands, arguments)
    return {**largest(output, operands, given), **smallest(output, operands, given)}
