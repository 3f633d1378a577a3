"""Which entry an index selects: ``X[3]``, ``X[:, 1:]``, ``P[range(N), y]``, ``E[words]``, ``d[mask]``.

In come an operand and an index as NumPy takes it; out go the indices of the result and, for each axis of
the operand, the index expression of the entry that is meant.  Invariant: what is selected here is what
NumPy selects, checked by the tests for every form; other forms are refused.

A mask as an index means the places where it is true: they are the entries of the whole number arrays
``<mask>.where0``, ``<mask>.where1``, …, over an axis of their own; `auxiliary` gives their values.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.calculus import affine, fresh
from tracer.calculus.terms import Axes, Axis, Entry, Index, IndexExpr
from tracer.ops.axes import Operand, broadcast
from tracer.ops.lengths import Bound, Length
from tracer.ops.writing import NoFormula

#: What follows the name of the result in the name of places that are written in the index.
PICKED = ".picked"
#: Operations whose whole number result was looked up in data, so that its value is no part of the formula.
LOOKED_UP = frozenset({"getitem", "take", "take_flat", "argmax", "argmin", "item", "int"})


class SelectsNothing(NoFormula):
    """A slice leaves out the only entry of an axis, whatever the sizes of the others: ``b[1:]`` of one row."""


class Selection(Struct, frozen=True):
    """What an index selects.

    Attributes:
        free: the indices of the result.
        at: for each axis of the operand, which entry.
        numpy: the index with the values of operands in it, ``None`` if a value is not known.
        arrays: whether arrays stand in the index, so that an entry may be selected twice.
    """

    free: tuple[Index | int, ...]
    at: tuple[IndexExpr, ...]
    numpy: Any
    arrays: bool


class _Array(Struct, frozen=True):
    """A whole number array in an index: its axes, and the entry of it at given indices."""

    axes: Axes
    entry: Callable[[tuple[Index | int, ...]], IndexExpr]


def select(X: Operand, index: Any, name: str) -> Selection:
    """What ``X[index]`` selects.

    Args:
        X: the array that is indexed.
        index: an integer, a slice, None, Ellipsis, an operand, or a tuple of these.
        name: a prefix for the names of axes that slices make.

    Raises:
        NoFormula: for a form of index that has no formula.
    """
    items = _expand(X, index)
    at: list[IndexExpr | None] = [None] * X.ndim
    basic: list[Index | int] = []
    arrays: list[tuple[int, _Array]] = []
    first: int | None = None
    together, position = True, 0
    for item in items:
        if item is None:
            basic.append(0)
        elif _is_slice(item):
            free, at[position] = _slice(X, position, item, f"{name}.slice{position}")
            basic.append(free)
            position += 1
        else:
            if first is None:
                first = len(basic)
            elif len(basic) != first:
                together = False
            for one in _whole_numbers(X, position, item, name):
                if isinstance(one, _Array):
                    arrays.append((position, one))
                else:
                    at[position] = one
                position += 1
    shared = broadcast(*(a.axes for _, a in arrays), table=X.table)
    for place, one in arrays:
        at[place] = one.entry(shared[len(shared) - len(one.axes) :])
    start = first if first is not None and together else 0
    free_indices = (*basic[:start], *shared, *basic[start:]) if arrays else tuple(basic)
    complete = tuple(i for i in at if i is not None)
    if len(complete) != X.ndim:
        raise NoFormula("getitem", "an index with another number of axes than the array")
    return Selection(free_indices, complete, _values(index), bool(arrays))


def _expand(X: Operand, index: Any) -> list[Any]:
    """The index as a list with an item for every axis, or several at once for a mask, without Ellipsis."""
    items = list(index) if isinstance(index, tuple) else [index]
    used = 0
    for item in items:
        if isinstance(item, Operand) and item.boolean:
            used += item.ndim
        elif item is not None and item is not Ellipsis:
            used += 1
    missing = X.ndim - used
    if missing < 0 or sum(1 for i in items if i is Ellipsis) > 1:
        raise NoFormula("getitem", f"{used} indices for an array of the shape {X.shape}")
    filler = [slice(None)] * missing
    place = next((n for n, item in enumerate(items) if item is Ellipsis), None)
    if place is None:
        return items + filler
    return items[:place] + filler + items[place + 1 :]


def _is_slice(item: Any) -> bool:
    return isinstance(item, slice) or (
        hasattr(item, "start") and hasattr(item, "stop") and hasattr(item, "step")
    )


def known_integer(value: Any) -> int | None:
    """A whole number that is written in an index, or the known value of a scalar; ``None`` for None."""
    if value is None:
        return None
    if isinstance(value, Bound):
        return value.value
    if isinstance(value, Operand):
        if value.ndim or value.value is None:
            raise NoFormula("getitem", f"a slice whose bound {value.name} is not a known whole number")
        value = value.value
    if isinstance(value, Fraction) and value.denominator == 1:
        return int(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu":
        return int(value)
    raise NoFormula("getitem", f"the index {value!r}")


def _slice(X: Operand, position: int, item: Any, name: str) -> tuple[Index | int, IndexExpr]:
    """The index over a slice, and which entry of the axis it means."""
    size, axis = X.shape[position], X.axes[position]
    bounds = slice(*(known_integer(b) for b in (item.start, item.stop, item.step)))
    start, stop, step = bounds.indices(size)
    length = len(range(start, stop, step))
    if axis is None:
        if length == 0:
            raise SelectsNothing("getitem", "a slice of an axis of one entry that leaves it out")
        return 0, 0
    if (start, step, length) == (0, 1, size):
        index = fresh(axis)
        return index, index
    from_end = (bounds.start is not None and bounds.start < 0 and start > 0) or (
        bounds.start is None and step < 0
    )
    sizes: tuple[Axis, ...] = (axis,) if from_end else ()
    constant = start - size if from_end else start
    over = X.table.axis(name, length)
    if step == 1 and not from_end and start == (bounds.start or 0):
        begin = X.table.settled(item.start.length) if isinstance(item.start, Bound) else Length((), start)
        if begin.sizes is not None and begin.constant >= 0:
            sizes, constant = begin.sizes, begin.constant
            if over is not None:
                over = _of_length(over, _end(X, axis, item.stop, stop).plus(begin, -1), X)
    if over is None:
        return 0, affine((), constant, sizes)
    index = fresh(over)
    assert isinstance(index, Index)
    return index, affine(((index, step),), constant, sizes)


def _end(X: Operand, axis: Axis, given: Any, stop: int) -> Length:
    """Where a slice ends, for all sizes where that is known."""
    if given is None:
        return X.table.length(axis)
    if isinstance(given, Bound) and given.value == stop:
        return X.table.settled(given.length)
    return Length((), stop)


def _of_length(over: Axis, length: Length, X: Operand) -> Axis:
    """The axis of a slice; the slice of the size of an axis has that axis, of several added sizes an axis made of them."""
    known = length.axis
    if known is not None and X.table.size(known) == X.table.size(over):
        X.table.unite(known, over)
    elif length.counts and length.sizes is not None:
        X.table.say_length(over, length)
    return X.table.find(over)


def _whole_numbers(X: Operand, position: int, item: Any, name: str) -> list[IndexExpr | _Array]:
    """An index that is no slice: for each axis that it takes, a fixed place or an array of places."""
    axis = X.axes[position] if position < X.ndim else None
    if isinstance(item, list):
        return [_listed(X, position, item, f"{name}{PICKED}{position}")]
    if not isinstance(item, Operand):
        number = known_integer(item)
        if number is None:
            raise NoFormula("getitem", f"the index {item!r}")
        return [_fixed(number, axis)]
    if item.boolean:
        return list(_places(item))
    if not item.integer:
        raise NoFormula("getitem", f"{item.name} of the type {item.dtype} as an index")
    if item.ndim == 0:
        if item.value is None or item.source in LOOKED_UP:
            _check_not_negative(item)
            return [Entry(item.name)]
        return [_fixed(int(item.value), axis)]
    return [_look_up(X, position, item, axis)]


def written_places(item: list[Any], size: int) -> np.ndarray[Any, Any]:
    """The places that a list of whole numbers, or of truth values, in an index means along an axis of a size.

    Raises:
        NoFormula: if it holds something else.
    """
    places = np.asarray(item)
    if places.dtype == bool and places.ndim == 1:
        return np.flatnonzero(places)
    if places.dtype.kind not in "iu":
        raise NoFormula("getitem", f"the index {item!r}")
    return np.where(places < 0, places + size, places)


def _listed(X: Operand, position: int, item: list[Any], name: str) -> _Array:
    """The places that are written in a list: they are the entries of an array of their own."""
    shape = written_places(item, X.shape[position]).shape
    axes = X.table.axes(name, shape)
    if X.shape[position] == 1:
        return _Array(axes, lambda _: 0)

    def of_list(indices: tuple[Index | int, ...]) -> IndexExpr:
        return Entry(name, tuple(0 if own is None else i for own, i in zip(axes, indices, strict=True)))

    return _Array(axes, of_list)


def lists_in(X: Operand, index: Any) -> dict[int, np.ndarray[Any, Any]]:
    """The places that are written in lists in an index, by the axis that they are of."""
    found: dict[int, np.ndarray[Any, Any]] = {}
    position = 0
    for item in _expand(X, index):
        if isinstance(item, list):
            found[position] = written_places(item, X.shape[position])
        if item is not None:
            position += item.ndim if isinstance(item, Operand) and item.boolean else 1
    return found


def _fixed(number: int, axis: Axis | None) -> IndexExpr:
    if axis is None:
        return 0
    return number if number >= 0 else affine((), number, (axis,))


def _look_up(X: Operand, position: int, item: Operand, axis: Axis | None) -> _Array:
    """An array of places; one that is a range stands for the index itself."""
    _check_not_negative(item)
    start = _range_start(item, X.shape[position])
    if start is not None and axis is not None:
        whole_axis = start == 0 and item.shape[0] == X.shape[position]
        if whole_axis and item.axes[0] is not None:
            X.table.unite(axis, item.axes[0])

        def of_range(indices: tuple[Index | int, ...]) -> IndexExpr:
            (index,) = indices
            return affine(((index, 1),), start) if isinstance(index, Index) else start + index

        return _Array(item.axes, of_range)

    def of_array(indices: tuple[Index | int, ...]) -> IndexExpr:
        places = tuple(0 if own is None else i for own, i in zip(item.axes, indices, strict=True))
        return Entry(item.name, places)

    return _Array(item.axes, of_array)


def _range_start(item: Operand, size: int) -> int | None:
    """Where a range starts: known by its source, or because it counts through the whole axis."""
    if item.ndim != 1 or item.value is None:
        return None
    value = np.asarray(item.value)
    start = int(value[0]) if value.size else 0
    if not np.array_equal(value, start + np.arange(value.size)):
        return None
    if item.source in ("range", "arange"):
        return start
    return start if item.source == "" and start == 0 and value.size == size else None


def _check_not_negative(item: Operand) -> None:
    if item.value is not None and np.size(item.value) and np.min(item.value) < 0:
        raise NoFormula("getitem", f"{item.name} counts from the end in some places")


def _places(mask: Operand) -> list[_Array]:
    """The places where a mask is true, one array for each of its axes."""
    if mask.value is None:
        raise NoFormula("getitem", f"the mask {mask.name} has no known value")
    count = int(np.count_nonzero(mask.value))
    axes = (mask.table.axis(f"{mask.name}.where", count),)

    def at(array: str) -> _Array:
        return _Array(axes, lambda indices: Entry(array, indices))

    return [at(f"{mask.name}.where{d}") for d in range(mask.ndim)]


def _values(index: Any) -> Any:
    """The index with operands replaced by their values; ``None`` if one is not known."""
    items = index if isinstance(index, tuple) else (index,)
    result = []
    for item in items:
        if isinstance(item, Operand):
            if item.value is None:
                return None
            result.append(item.value)
        elif _is_slice(item):
            result.append(slice(*(known_integer(b) for b in (item.start, item.stop, item.step))))
        else:
            result.append(int(item) if isinstance(item, Fraction) else item)
    return tuple(result)
