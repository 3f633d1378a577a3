"""Operations that only move entries: transposing, reshaping, padding.

Where an entry of the result is an entry of the operand at an affine place, that is the formula; where it
is the other way round (flattening), the result is a sum over a delta:
out[f] = Σ_ij δ(f, iJ + j) X[i, j].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus import affine
from tracer.calculus.indexing import shifted
from tracer.calculus.terms import Entry, Index, IndexExpr
from tracer.ops.axes import AxisTable, Operand, broadcast
from tracer.ops.reductions import axis_at, whole
from tracer.ops.stated import looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import NoFormula, condition, delta, form, rational, sum_over


@operation("transpose")
def transpose(X: Operand, axes: Any = None) -> Row:
    """out[j, i] = X[i, j]"""
    i = X.indices()
    order = [axis_at(a, X.ndim) for a in axes] if axes is not None else list(reversed(range(X.ndim)))
    return tuple(i[p] for p in order), X[i]


@operation("swapaxes")
def swapaxes(X: Operand, axis1: Any, axis2: Any) -> Row:
    """out[j, i] = X[i, j]"""
    i = list(X.indices())
    a, b = axis_at(axis1, X.ndim), axis_at(axis2, X.ndim)
    entry = X[tuple(i)]
    i[a], i[b] = i[b], i[a]
    return tuple(i), entry


@operation("moveaxis")
def moveaxis(X: Operand, source: Any, destination: Any) -> Row:
    """out[…, i, …] = X[…, i, …], axes put elsewhere"""
    i = X.indices()
    given, wanted = (a if isinstance(a, (tuple, list)) else (a,) for a in (source, destination))
    places = dict(zip((axis_at(d, X.ndim) for d in wanted), (axis_at(s, X.ndim) for s in given), strict=True))
    others = iter(p for p in range(X.ndim) if p not in places.values())
    order = [places[p] if p in places else next(others) for p in range(X.ndim)]
    return tuple(i[p] for p in order), X[i]


@operation("rollaxis")
def rollaxis(X: Operand, axis: Any, start: Any = 0) -> Row:
    """out[…, i, …] = X[…, i, …], one axis put before another"""
    first, before = axis_at(axis, X.ndim), whole(start)
    before = before + X.ndim if before < 0 else before
    return moveaxis(X, first, before - 1 if first < before else before)


@operation("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(X: Operand) -> Row:
    """out[…, j, i] = X[…, i, j]"""
    return swapaxes(X, -1, -2)


@operation("astype", "int", "asarray", "asarray_chkfinite", "asfortranarray", "require")
def astype(
    X: Any,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "unsafe",
    subok: Any = True,
    copy: Any = True,
    requirements: Any = None,
    *,
    out: Operand,
) -> Row:
    """out[i] = X[i], if no entry is rounded"""
    if not isinstance(X, Operand):
        return (), form(rational(X))
    name = out.dtype if out.dtype else str(dtype)
    if name.startswith(("int", "uint")) and not (X.integer or X.boolean):
        raise NoFormula("astype", "numbers are rounded")
    if name.startswith("bool") and not X.boolean:
        raise NoFormula("astype", "numbers become truth values")
    i = X.indices()
    return i, X[i]


@operation("expand_dims", "squeeze", "reshape", "ravel", "flatten", "atleast_3d", "atleast_2d", "atleast_1d")
def reshape(
    X: Operand, shape: Any = None, order: Any = "C", copy: Any = None, axis: Any = None, *, out: Operand
) -> Row:
    """out[f] = Σ_ij δ(f, iJ + j) X[i, j]; out[i, j] = X[iJ + j]; axes of size one come and go

    With the order F the last axis is the slowest one: out[f] = Σ_ij δ(f, jI + i) X[i, j].
    """
    if order == "F":
        turned = _same_entries(X.shape[::-1], out.shape[::-1])
        groups = [([~p % X.ndim for p in inner], [~p % out.ndim for p in outer]) for inner, outer in turned]
    elif order == "C":
        groups = _same_entries(X.shape, out.shape)
    else:
        raise NoFormula("reshape", f"the order {order} of the entries, which depends on how they lie in memory")
    free: list[Index | int] = [0] * out.ndim
    at: list[IndexExpr] = [0] * X.ndim
    summed: list[Index] = []
    weight = form(1)
    for inner, outer in groups:
        if len(inner) == 1 and len(outer) == 1:
            free[outer[0]] = at[inner[0]] = X.axis(inner[0])
            continue
        if len(inner) == 1:
            for p in outer:
                free[p] = out.axis(p)
            at[inner[0]] = flat([free[p] for p in outer], X.table)
            continue
        for p in inner:
            index = X.axis(p)
            assert isinstance(index, Index)
            at[p] = index
            summed.append(index)
        place = flat([i for p in inner if isinstance(i := at[p], (Index, int))], X.table)
        for p in outer:
            free[p] = out.axis(p)
        if len(outer) == 1:
            weight = weight * delta(free[outer[0]], place)
        else:
            weight = weight * condition("==", flat([free[p] for p in outer], X.table), place)
    return tuple(free), sum_over(summed, weight * X.at(*at))


def _same_entries(before: tuple[int, ...], after: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """Positions of axes longer than one, in groups that hold the same entries before and after."""
    if 0 in before:
        raise NoFormula("reshape", "an array without entries")
    old = [p for p, n in enumerate(before) if n != 1]
    new = [p for p, n in enumerate(after) if n != 1]
    groups = []
    while old or new:
        if not old or not new:
            raise NoFormula("reshape", f"the shape {before} as {after}")
        inner, outer = [old.pop(0)], [new.pop(0)]
        m, n = before[inner[0]], after[outer[0]]
        while m != n:
            if m < n:
                if not old:
                    raise NoFormula("reshape", f"the shape {before} as {after}")
                inner.append(old.pop(0))
                m *= before[inner[-1]]
            else:
                if not new:
                    raise NoFormula("reshape", f"the shape {before} as {after}")
                outer.append(new.pop(0))
                n *= after[outer[-1]]
        groups.append((inner, outer))
    return groups


def flat(indices: Sequence[Index | int], table: AxisTable) -> IndexExpr:
    """The place of an entry when axes are laid out one after the other: (i J + j) K + k."""
    running = [i for i in indices if isinstance(i, Index)]
    if not running:
        return 0
    inner = [[j.axis for j in running[p + 1 :]] for p in range(len(running))]
    return affine((i, table.product(axes) if axes else 1) for i, axes in zip(running, inner, strict=True))


@operation("broadcast_to")
def broadcast_to(X: Operand, shape: Any = None, subok: Any = False, *, out: Operand) -> Row:
    """out[i, j] = X[j]"""
    index = broadcast(out.axes, X.axes, table=out.table)
    return index, X[index]


def _before(pad_width: Any, position: int) -> int:
    """How much is put before an axis: one number for all, one pair for all, or a pair for each."""
    width = pad_width
    if isinstance(width, (tuple, list)) and isinstance(width[0], (tuple, list)):
        width = width[position if len(width) > 1 else 0]
    return whole(width[0] if isinstance(width, (tuple, list)) else width)


#: Ways of padding in which what is put around an array are entries of it.
_MODES = ("edge", "reflect", "symmetric", "wrap")


@operation("pad")
def pad(X: Operand, pad_width: Any = 0, mode: Any = "constant", *, out: Operand, constant_values: Any = 0) -> Row:
    """out[k] = Σ_i δ(k, i + before) X[i] + c[k], with the numbers c around the array, else 0

    With entries of X around it, out[k] = X[p[k]] with places p.
    """
    if mode in _MODES and not constant_values:
        places = tuple(out.indices())
        shorter = [out.shape[p] != X.shape[p] for p in range(X.ndim)]
        own = X.indices()
        free_ = tuple(k if moved else i for k, i, moved in zip(places, own, shorter, strict=True))
        taken = [
            0 if X.shape[p] == 1 else Entry(f"{out.name}.place{p}", (k,)) if shorter[p] else k
            for p, k in enumerate(free_)
        ]
        return free_, X.at(*taken)
    if mode != "constant":
        raise NoFormula("pad", f"the mode {mode!r}")
    if any(isinstance(c, Operand) and not c.integer for c in _flat(constant_values)):
        raise NoFormula("pad", "numbers around an array that the program computes")
    free, at = list(out.indices()), X.indices()
    weight = form(1)
    for p in range(X.ndim):
        before = _before(pad_width, p)
        if out.shape[p] == X.shape[p]:
            free[p] = at[p]
        else:
            weight = weight * delta(free[p], shifted(at[p], before))
    summed = [i for i in at if i not in free]
    inside = sum_over(summed, weight * X[at])
    around = any(not isinstance(c, Fraction | int) or c != 0 for c in _flat(constant_values))
    return tuple(free), inside + looked(out, "around", *free) if around else inside


def _flat(given: Any) -> list[Any]:
    """The numbers in tuples of tuples."""
    return [c for part in given for c in _flat(part)] if isinstance(given, (tuple, list)) else [given]


@looked_up("pad")
def places_around(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """For each entry along an axis the place of the entry that is put there; or the numbers around an array."""
    given = by_name("X pad_width mode", operands, arguments)
    X, mode = given["X"], given.get("mode", "constant")
    if mode == "constant":
        numbers = _values(given.get("constant_values", 0))
        return {f"{output}.around": np.pad(np.zeros(X.shape), _plain(given["pad_width"]), constant_values=numbers)}
    if mode not in _MODES:
        return {}
    widths = np.broadcast_to(np.asarray(_plain(given["pad_width"]), dtype=int), (X.ndim, 2))
    axes = range(X.ndim)
    return {f"{output}.place{p}": np.pad(np.arange(X.shape[p]), tuple(widths[p]), mode) for p in axes}


def _values(given: Any) -> Any:
    """The numbers in tuples of tuples, of operands their values."""
    if isinstance(given, (tuple, list)):
        return tuple(map(_values, given))
    return float(given.value if isinstance(given, Operand) else given)


def _plain(width: Any) -> Any:
    return tuple(map(_plain, width)) if isinstance(width, (tuple, list)) else whole(width)
