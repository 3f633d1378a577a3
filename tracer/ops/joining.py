"""Arrays put together: one after the other along an axis, or along a new one.

The result is a sum over deltas: out[k] = Σ_i δ(k, i) A[i] + Σ_j δ(k, j + I) B[j], with I the size of A's axis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tracer.calculus.indexing import shifted
from tracer.calculus.terms import Axis, Index
from tracer.ops.axes import Operand
from tracer.ops.lengths import length_of
from tracer.ops.reductions import axis_at
from tracer.ops.stated import Indices
from tracer.ops.table import Row, operation
from tracer.ops.writing import Form, NoFormula, delta, form, rational, sum_over, total


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
    along = free[axis]
    if isinstance(along, Index):
        out.table.say_length(along.axis, length_of(Counter(sizes), constant))
    return tuple(free), total(summands)


def _pieces(arrays: Any, op: str) -> list[Any]:
    pieces = list(arrays)
    if not pieces or len(pieces) > 64:
        raise NoFormula(op, f"{len(pieces)} pieces")
    return pieces


@operation("concatenate")
def concatenate(arrays: Any, axis: Any = 0, *, out: Operand) -> Row:
    """out[k] = Σ_i δ(k, i) A[i] + Σ_j δ(k, j + I) B[j] + …"""
    if axis is None or any(not isinstance(a, Operand) for a in arrays):
        raise NoFormula("concatenate", "flattened arrays or plain numbers")
    return join([(a, -1) for a in _pieces(arrays, "concatenate")], axis_at(axis, out.ndim), out)


@operation("vstack", "row_stack")
def vstack(arrays: Any, *, out: Operand) -> Row:
    """out[k, l] = Σ_i δ(k, i) A[i, l] + Σ_j δ(k, j + I) B[j, l] + …"""
    return join(
        [(a, -1 if isinstance(a, Operand) and a.ndim > 1 else 0) for a in _pieces(arrays, "vstack")], 0, out
    )


@operation("hstack")
def hstack(arrays: Any, *, out: Operand) -> Row:
    """out[l, k] = Σ_i δ(k, i) A[l, i] + Σ_j δ(k, j + I) B[l, j] + …"""
    return concatenate(arrays, 0 if out.ndim == 1 else 1, out=out)


@operation("c_")
def c_(*arrays: Any, out: Operand) -> Row:
    """out[l, k] = δ(k, 0) a[l] + δ(k, 1) b[l] + …"""
    pieces = _between_brackets(arrays)
    if any(not isinstance(a, Operand) or not 0 < a.ndim < 3 for a in pieces):
        raise NoFormula("c_", "what stands in it is no vector and no matrix")
    return column_stack(pieces, out=out)


def _between_brackets(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """What stands between the brackets of np.c_ or np.r_, one by one or as a tuple."""
    return items[0] if len(items) == 1 and isinstance(items[0], tuple) else items


@operation("column_stack")
def column_stack(arrays: Any, *, out: Operand) -> Row:
    """out[l, k] = δ(k, 0) a[l] + δ(k, 1) b[l] + …"""
    pieces = _pieces(arrays, "column_stack")
    return join([(a, -1 if isinstance(a, Operand) and a.ndim > 1 else 1) for a in pieces], 1, out)


@operation("r_")
def r_(*items: Any, out: Operand) -> Row:
    """out[k] = Σ_i δ(k, i) A[i] + Σ_j δ(k, j + I) B[j] + …"""
    arrays = _between_brackets(items)
    if any(isinstance(a, (str, slice)) for a in arrays):
        raise NoFormula("r_", "a range, or a text that says along which axis")
    return join([(a, -1 if isinstance(a, Operand) and a.ndim else 0) for a in _pieces(arrays, "r_")], 0, out)


@operation("stack")
def stack(arrays: Any, axis: Any = 0, *, out: Operand) -> Row:
    """out[k, l] = δ(k, 0) A[l] + δ(k, 1) B[l] + …"""
    return join([(a, 0) for a in _pieces(arrays, "stack")], axis_at(axis, out.ndim), out)


@operation("array")
def array(rows: Any, *, out: Operand) -> Row:
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


@operation("dstack")
def dstack(arrays: Any, *, out: Operand) -> Row:
    """out[i, l, k] = δ(k, 0) A[i, l] + δ(k, 1) B[i, l] + …"""
    pieces = _pieces(arrays, "dstack")
    return join([(a, -1 if isinstance(a, Operand) and a.ndim > 2 else 2) for a in pieces], 2, out)


@operation("append")
def append(X: Any, values: Any, axis: Any = None, *, out: Operand) -> Row:
    """out[k] = Σ_i δ(k, i) X[i] + Σ_j δ(k, j + I) values[j]"""
    if axis is not None:
        return concatenate((X, values), axis, out=out)
    pieces = [part for a in (X, values) for part in (a if isinstance(a, (tuple, list)) else (a,))]
    if any(isinstance(a, (tuple, list)) or (isinstance(a, Operand) and a.ndim > 1) for a in pieces):
        raise NoFormula("append", "arrays that are flattened")
    return r_(tuple(pieces), out=out)


@operation("block")
def block(blocks: Any, *, out: Operand) -> Row:
    """out[k, l] = Σ_i Σ_j δ(k, i + r) δ(l, j + c) A[i, j] + …, each block moved to where it starts"""
    free = out.indices()
    placed: list[Form] = []
    _place(blocks, _depth(blocks), (0,) * out.ndim, free, out, placed)
    return free, total(placed)


def _depth(blocks: Any) -> int:
    return 1 + _depth(blocks[0]) if isinstance(blocks, (tuple, list)) else 0


def _place(
    item: Any, depth: int, start: tuple[int, ...], free: Indices, out: Operand, placed: list[Form]
) -> tuple[int, ...]:
    """Enter the blocks of a nested list, the first of which starts at a place; gives the shape that they fill."""
    if isinstance(item, (tuple, list)):
        axis = out.ndim - depth
        length, filled = 0, (1,) * out.ndim
        for piece in item:
            at = (*start[:axis], start[axis] + length, *start[axis + 1 :])
            filled = _place(piece, depth - 1, at, free, out, placed)
            length += filled[axis]
        return (*filled[:axis], length, *filled[axis + 1 :])
    shape = item.shape if isinstance(item, Operand) else ()
    own = item.indices() if isinstance(item, Operand) else ()
    inner = (0,) * (out.ndim - len(shape)) + own
    weight = form(1)
    for one, i, begin, size in zip(free, inner, start, out.shape, strict=True):
        if size != 1:
            weight = weight * delta(one, shifted(i, begin))
    value = item.at(*own) if isinstance(item, Operand) else form(rational(item))
    placed.append(sum_over([i for i in own if isinstance(i, Index)], weight * value))
    return (1,) * (out.ndim - len(shape)) + tuple(shape)
