"""Entries moved along their axis or repeated: rolling, flipping, turning, tiling, windows, parts.

What leaves an axis at one end comes back at the other by a condition with the size of the axis in it:
out[i] = Σ_j ([i = j + s] + [i + n = j + s]) X[j] for rolling by s.
"""

from __future__ import annotations

from typing import Any

from tracer.calculus import affine, fresh
from tracer.calculus.indexing import shifted
from tracer.calculus.terms import Index, IndexExpr
from tracer.ops.accumulations import along
from tracer.ops.axes import Operand
from tracer.ops.lengths import Bound, length_of
from tracer.ops.reductions import axis_at, reduced, whole
from tracer.ops.selection import select
from tracer.ops.table import Row, operation
from tracer.ops.writing import NoFormula, condition, delta, form, sum_over


@operation("flip")
def flip(X: Operand, axis: Any = None) -> Row:
    """out[i] = X[n − 1 − i]"""
    free = X.indices()
    at: list[IndexExpr] = list(free)
    for position in reduced(X.ndim, axis):
        at[position] = _from_end(free[position])
    return free, X.at(*at)


def _from_end(index: Index | int) -> IndexExpr:
    return affine(((index, -1),), -1, (index.axis,)) if isinstance(index, Index) else index


@operation("rot90")
def rot90(X: Operand, k: Any = 1, axes: Any = (0, 1)) -> Row:
    """out[i, j] = X[j, n − 1 − i] for one turn"""
    turns = whole(k) % 4
    first, second = (axis_at(a, X.ndim) for a in axes)
    index = X.indices()
    at: list[IndexExpr] = list(index)
    if turns in (1, 2):
        at[second] = _from_end(index[second])
    if turns in (2, 3):
        at[first] = _from_end(index[first])
    free = list(index)
    if turns in (1, 3):
        free[first], free[second] = free[second], free[first]
    return tuple(free), X.at(*at)


@operation("roll")
def roll(X: Operand, shift: Any, axis: Any = None) -> Row:
    """out[i] = Σ_j ([i = j + s] + [i + n = j + s]) X[j], for 0 ≤ s < n"""
    if axis is None and isinstance(shift, (tuple, list)):
        raise NoFormula("roll", "several shifts without axes")
    axes = [along(X, None, "roll")] if axis is None else [axis_at(a, X.ndim) for a in _several(axis)]
    shifts = [whole(s) for s in _several(shift)]
    if len(shifts) == 1:
        shifts *= len(axes)
    if len(shifts) != len(axes) or len(set(axes)) != len(axes):
        raise NoFormula("roll", f"the shifts {shift} along the axes {axis}")
    free, at = X.indices(), list(X.indices())
    weight, summed = form(1), []
    for p in range(X.ndim):
        own, index = free[p], at[p]
        s = shifts[axes.index(p)] if p in axes else 0
        if s == 0 or not isinstance(own, Index) or not isinstance(index, Index):
            at[p] = own
            continue
        if abs(s) >= X.shape[p]:
            raise NoFormula("roll", f"a shift of {s} along an axis of the size {X.shape[p]}")
        target, source = shifted(own, max(-s, 0)), shifted(index, max(s, 0))
        around = (own.axis,)
        back = (shifted(target, 0, around), source) if s > 0 else (target, shifted(source, 0, around))
        weight = weight * (condition("==", target, source) + condition("==", *back))
        summed.append(index)
    return free, sum_over(summed, weight * X.at(*at))


@operation("fft.fftshift")
def fftshift(X: Operand, axes: Any = None) -> Row:
    """out[i] = Σ_j ([i = j + s] + [i + n = j + s]) X[j], rolled by half the axis, s = ⌊n / 2⌋"""
    return _half_way(X, axes, 1)


@operation("fft.ifftshift")
def ifftshift(X: Operand, axes: Any = None) -> Row:
    """out[i] = Σ_j ([i = j − s] + [i = j + n − s]) X[j], rolled back by half the axis, s = ⌊n / 2⌋"""
    return _half_way(X, axes, -1)


def _half_way(X: Operand, axes: Any, sign: int) -> Row:
    along_axes = reduced(X.ndim, axes)
    return roll(X, tuple(sign * (X.shape[p] // 2) for p in along_axes), along_axes)


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


@operation("repeat")
def repeat(X: Operand, repeats: Any, axis: Any = None, *, out: Operand) -> Row:
    """out[k] = Σ_i Σ_r δ(k, i R + r) X[i]"""
    if not isinstance(X, Operand) or isinstance(repeats, (tuple, list)):
        raise NoFormula("repeat", "a number, or as often as a list says")
    if isinstance(repeats, Operand) and repeats.ndim:
        raise NoFormula("repeat", "as often as an array says")
    position, times = along(X, axis, "repeat"), whole(repeats)
    return _blocks(X, out, [1] * position + [times] + [1] * (X.ndim - position - 1), inside=True)


@operation("tile")
def tile(X: Operand, reps: Any, *, out: Operand) -> Row:
    """out[k] = Σ_r Σ_i δ(k, r I + i) X[i]"""
    if not isinstance(X, Operand):
        raise NoFormula("tile", "a number")
    if isinstance(reps, Operand) and reps.ndim:
        raise NoFormula("tile", "as often as an array says")
    times = [whole(r) for r in _several(reps)]
    return _blocks(X, out, [1] * (X.ndim - len(times)) + times, inside=False)


def _blocks(X: Operand, out: Operand, times: list[int], inside: bool) -> Row:
    """Each axis ``times`` over; leading axes that X does not have are new."""
    if any(t < 1 for t in times):
        raise NoFormula("repeat", "no repetition at all")
    added = len(times) - X.ndim
    free: list[Index | int] = [fresh(out.axes[p]) for p in range(added)]
    at: list[IndexExpr] = []
    summed: list[Index | int] = []
    weight = form(1)
    for p, n in enumerate(times[added:]):
        index = X.axis(p)
        at.append(index)
        if n == 1:
            free.append(index)
            continue
        place = fresh(out.axes[p + added])
        free.append(place)
        if not isinstance(index, Index):
            continue  # one entry, repeated: it is the same at every place
        repetition = fresh(X.table.axis(f"{out.name}.times{p}", n))
        assert isinstance(repetition, Index)
        outer, inner = (index, repetition) if inside else (repetition, index)
        weight = weight * delta(place, affine(((outer, inner.axis), (inner, 1))))
        summed += [index, repetition]
    return tuple(free), sum_over(summed, weight * X.at(*at))


@operation("lib.stride_tricks.sliding_window_view", "sliding_window_view")
def sliding_window_view(X: Operand, window_shape: Any, axis: Any = None, *, out: Operand) -> Row:
    """out[i, w] = X[i + w]"""
    widths = [whole(w) for w in _several(window_shape)]
    axes = list(range(X.ndim)) if axis is None else [axis_at(a, X.ndim) for a in _several(axis)]
    if len(widths) != len(axes) or len(set(axes)) != len(axes):
        raise NoFormula("sliding_window_view", f"windows of the shape {window_shape} over the axes {axis}")
    free = list(X.indices())
    at: list[IndexExpr] = list(free)
    offsets: list[Index | int] = []
    for n, p in enumerate(axes):
        if widths[n] == 1:
            offsets.append(0)
        elif widths[n] == X.shape[p]:
            offsets.append(free[p])
            free[p] = 0
        else:
            place = fresh(X.table.axis(f"{out.name}.places{p}", X.shape[p] - widths[n] + 1))
            offset = fresh(X.table.axis(f"{out.name}.window{p}", widths[n]))
            assert isinstance(place, Index)
            assert isinstance(offset, Index)
            free[p], at[p] = place, affine(((place, 1), (offset, 1)))
            offsets.append(offset)
    return (*free, *offsets), X.at(*at)


@operation("split")
def split(X: Operand, sections: Any, axis: Any = 0, part: Any = 0, *, out: Operand) -> Row:
    """out[i] = X[i + start]"""
    position, number = axis_at(axis, X.ndim), whole(part)
    size = X.shape[position]
    if isinstance(sections, Operand) and sections.ndim == 1:
        if sections.value is None:
            raise NoFormula("split", f"the places in {sections.name} are not known")
        sections = [int(place) for place in sections.value]
    begin: int | Bound
    end: int | Bound
    if isinstance(sections, (tuple, list)):
        bounds = [0, *(slice(None, whole(s)).indices(size)[1] for s in sections), size]
        begin, end = bounds[number], max(bounds[number : number + 2])
    elif size % whole(sections):
        short, longer = divmod(size, whole(sections))
        begin = number * short + min(number, longer)
        end = begin + short + (number < longer)
    else:
        begin, end = _section(X, position, whole(sections), number, f"{out.name}.slice{position}")
    selection = select(X, (*[slice(None)] * position, slice(begin, end)), out.name)
    return selection.free, X.at(*selection.at)


def _section(
    X: Operand, position: int, count: int, number: int, name: str
) -> tuple[int | Bound, int | Bound]:
    """The bounds of one of several parts of equal length, for all sizes."""
    size, axis = X.shape[position] // count, X.axes[position]
    begin, end = number * size, (number + 1) * size
    over = X.table.axis(name, size)
    if axis is None or over is None:
        return begin, end
    section = X.table.length(axis).part(count)
    if section is None:
        section = length_of({over: 1})
        X.table.say_length(axis, section.times(count))
    return Bound(begin, section.times(number)), Bound(end, section.times(number + 1))


@operation("array_split")
def array_split(X: Operand, sections: Any, axis: Any = 0, part: Any = 0, *, out: Operand) -> Row:
    """out[i] = X[i + start]"""
    return split(X, sections, axis, part, out=out)
