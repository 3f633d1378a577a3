"""Operations that only move entries: transposing, reshaping, joining, padding.

Where an entry of the result is an entry of the operand at an affine place, that is the formula; where it
is the other way round (flattening, joining), the result is a sum over a delta:
out[f] = Σ_ij δ(f, iJ + j) X[i, j].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracer.calculus import affine
from tracer.calculus.indexing import shifted
from tracer.calculus.terms import Axis, Index, IndexExpr
from tracer.ops.axes import Operand, broadcast
from tracer.ops.reductions import whole
from tracer.ops.table import Row, operation
from tracer.ops.writing import Form, NoFormula, condition, delta, form, rational, sum_over, total


@operation("transpose")
def transpose(X: Operand, axes: Any = None) -> Row:
    """out[j, i] = X[i, j]"""
    i = X.indices()
    order = [whole(a) % X.ndim for a in axes] if axes is not None else list(reversed(range(X.ndim)))
    return tuple(i[p] for p in order), X[i]


@operation("swapaxes")
def swapaxes(X: Operand, axis1: Any, axis2: Any) -> Row:
    """out[j, i] = X[i, j]"""
    i = list(X.indices())
    a, b = whole(axis1) % X.ndim, whole(axis2) % X.ndim
    entry = X[tuple(i)]
    i[a], i[b] = i[b], i[a]
    return tuple(i), entry


@operation("moveaxis")
def moveaxis(X: Operand, source: Any, destination: Any) -> Row:
    """out[…, i, …] = X[…, i, …], one axis put elsewhere"""
    i = list(X.indices())
    entry = X[tuple(i)]
    moved = i.pop(whole(source) % X.ndim)
    i.insert(whole(destination) % X.ndim, moved)
    return tuple(i), entry


@operation("astype", "int", "asarray")
def astype(X: Any, out: Operand, dtype: Any = None) -> Row:
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


@operation("expand_dims", "squeeze", "reshape", "ravel", "flatten", "atleast_2d", "atleast_1d")
def reshape(X: Operand, out: Operand, **_: Any) -> Row:
    """out[f] = Σ_ij δ(f, iJ + j) X[i, j]; out[i, j] = X[iJ + j]; axes of size one come and go"""
    groups = _same_entries(X.shape, out.shape)
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
            at[inner[0]] = _flat([free[p] for p in outer])
            continue
        for p in inner:
            index = X.axis(p)
            assert isinstance(index, Index)
            at[p] = index
            summed.append(index)
        place = _flat([i for p in inner if isinstance(i := at[p], (Index, int))])
        for p in outer:
            free[p] = out.axis(p)
        if len(outer) == 1:
            weight = weight * delta(free[outer[0]], place)
        else:
            weight = weight * condition("==", _flat([free[p] for p in outer]), place)
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


def _flat(indices: Sequence[Index | int]) -> IndexExpr:
    """The place of an entry when two axes are laid out one after the other; three have no normal form."""
    running = [i for i in indices if isinstance(i, Index)]
    if len(running) > 2:
        raise NoFormula("reshape", "more than two axes are joined or split at once")
    if len(running) < 2:
        return running[0] if running else 0
    return affine(((running[0], running[1].axis), (running[1], 1)))


@operation("broadcast_to")
def broadcast_to(X: Operand, out: Operand, **_: Any) -> Row:
    """out[i, j] = X[j]"""
    index = broadcast(out.axes, X.axes, table=out.table)
    return index, X[index]


@operation("flip")
def flip(X: Operand, axis: Any = None) -> Row:
    """out[i] = X[n − 1 − i]"""
    if axis is None and X.ndim != 1:
        raise NoFormula("flip", "all axes at once")
    position = 0 if axis is None else whole(axis) % X.ndim
    free = X.indices()
    at: list[IndexExpr] = list(free)
    index = free[position]
    if isinstance(index, Index):
        at[position] = affine(((index, -1),), -1, (index.axis,))
    return free, X.at(*at)


@operation("tril")
def tril(X: Operand, k: Any = 0) -> Row:
    """out[i, j] = [j ≤ i + k] X[i, j]"""
    free = X.indices()
    return free, X[free] * condition("<=", free[-1], shifted(free[-2], whole(k)))


@operation("triu")
def triu(X: Operand, k: Any = 0) -> Row:
    """out[i, j] = [i + k ≤ j] X[i, j]"""
    free = X.indices()
    return free, X[free] * condition("<=", shifted(free[-2], whole(k)), free[-1])


@operation("pad")
def pad(X: Operand, out: Operand, pad_width: Any = 0, mode: Any = "constant", **more: Any) -> Row:
    """out[k] = Σ_i δ(k, i + before) X[i]"""
    if mode != "constant" or any(more.values()):
        raise NoFormula("pad", "only zeros can be put around an array")
    free, at = list(out.indices()), X.indices()
    weight = form(1)
    for p in range(X.ndim):
        before = (out.shape[p] - X.shape[p]) // 2
        if isinstance(pad_width, (tuple, list)):
            width = pad_width[p] if isinstance(pad_width[0], (tuple, list)) else pad_width
            before = whole(width[0])
        if out.shape[p] == X.shape[p]:
            free[p] = at[p]
        else:
            weight = weight * delta(free[p], shifted(at[p], before))
    summed = [i for i in at if i not in free]
    return tuple(free), sum_over(summed, weight * X[at])


def join(pieces: Sequence[tuple[Any, int]], axis: int, out: Operand) -> Row:
    """Pieces one after the other along an axis; each with the position it has before axes were added."""
    free = list(out.indices())
    constant, sizes = 0, list[Axis]()
    summands = []
    for piece, added in pieces:
        if not isinstance(piece, Operand):
            shape: tuple[int, ...] = ()
            value = form(rational(piece))
            length = 1
        else:
            shape = piece.shape
            length = shape[axis] if added < 0 else 1
        own = list(free)
        index: Index | int = 0
        if isinstance(piece, Operand):
            if added < 0:
                index = piece.axis(axis)
                own[axis] = index
            else:
                del own[axis]
            value = piece[tuple(own)]
        place = shifted(index, constant, tuple(sizes))
        summands.append(sum_over(index, delta(free[axis], place) * value))
        if length == 1:
            constant += 1
        elif isinstance(index, Index):
            sizes.append(index.axis)
    return tuple(free), total(summands)


def _pieces(arrays: Any, op: str) -> list[Any]:
    pieces = list(arrays)
    if not pieces or len(pieces) > 64:
        raise NoFormula(op, f"{len(pieces)} pieces")
    return pieces


@operation("concatenate")
def concatenate(arrays: Any, out: Operand, axis: Any = 0) -> Row:
    """out[k] = Σ_i δ(k, i) A[i] + Σ_j δ(k, j + I) B[j] + …"""
    if axis is None or any(not isinstance(a, Operand) for a in arrays):
        raise NoFormula("concatenate", "flattened arrays or plain numbers")
    return join([(a, -1) for a in _pieces(arrays, "concatenate")], whole(axis) % out.ndim, out)


@operation("vstack", "row_stack")
def vstack(arrays: Any, out: Operand) -> Row:
    """out[k, l] = Σ_i δ(k, i) A[i, l] + Σ_j δ(k, j + I) B[j, l] + …"""
    return join(
        [(a, -1 if isinstance(a, Operand) and a.ndim > 1 else 0) for a in _pieces(arrays, "vstack")], 0, out
    )


@operation("hstack")
def hstack(arrays: Any, out: Operand) -> Row:
    """out[l, k] = Σ_i δ(k, i) A[l, i] + Σ_j δ(k, j + I) B[l, j] + …"""
    return concatenate(arrays, out, axis=0 if out.ndim == 1 else 1)


@operation("column_stack", "c_")
def column_stack(arrays: Any, out: Operand) -> Row:
    """out[l, k] = δ(k, 0) a[l] + δ(k, 1) b[l] + …"""
    pieces = _pieces(arrays, "column_stack")
    return join([(a, -1 if isinstance(a, Operand) and a.ndim > 1 else 1) for a in pieces], 1, out)


@operation("r_")
def r_(arrays: Any, out: Operand) -> Row:
    """out[k] = Σ_i δ(k, i) A[i] + Σ_j δ(k, j + I) B[j] + …"""
    return join([(a, -1 if isinstance(a, Operand) and a.ndim else 0) for a in _pieces(arrays, "r_")], 0, out)


@operation("stack")
def stack(arrays: Any, out: Operand, axis: Any = 0) -> Row:
    """out[k, l] = δ(k, 0) A[l] + δ(k, 1) B[l] + …"""
    return join([(a, 0) for a in _pieces(arrays, "stack")], whole(axis) % out.ndim, out)


@operation("array")
def array(rows: Any, out: Operand) -> Row:
    """out[k, l] = δ(k, 0) a[l] + δ(k, 1) b[l] + …"""
    free = out.indices()
    return free, Form(_nested(rows, free).expr)


def _nested(item: Any, free: tuple[Index | int, ...]) -> Form:
    if isinstance(item, Operand):
        if item.ndim != len(free):
            raise NoFormula("array", "arrays of different numbers of axes side by side")
        return item[free]
    if not isinstance(item, (tuple, list)):
        return form(rational(item))
    if not free or not item or len(item) > 64:
        raise NoFormula("array", f"{len(item)} pieces")
    return total(delta(free[0], n) * _nested(piece, free[1:]) for n, piece in enumerate(item))
