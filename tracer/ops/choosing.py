"""Entries picked out: by conditions, by positions that are left out or filled in, as often as a shape has room.

Which entry stands where is found by asking NumPy to do the same with positions: ``<out>.place`` is the position
along an axis, ``<out>.place0``, ``<out>.place1``, … the positions in each axis of a flattened array,
``<out>.inserted0``, … those in the values that are put in, and ``<out>.kept`` is 1 where the old array stands, else 0;
``<out>.chosen`` is the number of the alternative that is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.terms import Entry, Index, IndexExpr
from tracer.ops.axes import Operand, broadcast
from tracer.ops.reductions import axis_at
from tracer.ops.stated import array_like, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.truth_values import truth
from tracer.ops.writing import Form, NoFormula, form, mask, rational, total

Array = np.ndarray[Any, Any]
Indices = tuple[Index | int, ...]

#: More conditions than this are not multiplied out; which one holds is looked up.
_MULTIPLIED_OUT = 3


@operation("choose")
def choose(a: Operand, choices: Any, *, out: Operand) -> Row:
    """out[i] = Σ_k [a[i] = k] c_k[i]"""
    if not isinstance(choices, (tuple, list)):
        raise NoFormula("choose", "alternatives that are one array")
    index = _together([a, *choices], out)
    which = _entry(a, index)
    return index, total(mask("==", which, form(k)) * _entry(c, index) for k, c in enumerate(choices))


@operation("select")
def select(conditions: Any, choices: Any, default: Any = 0, *, out: Operand) -> Row:
    """out[i] = t_1[i] c_1[i] + (1 − t_1[i]) (t_2[i] c_2[i] + (1 − t_2[i]) (…)): the first condition that holds counts"""
    index = _together([*conditions, *choices, default], out)
    values = [_entry(c, index) for c in choices]
    if len(conditions) > _MULTIPLIED_OUT:
        chosen = looked(out, "chosen", *index)
        return index, total(
            mask("==", chosen, form(k)) * c for k, c in enumerate([*values, _entry(default, index)])
        )
    result = _entry(default, index)
    for condition, value in reversed(list(zip(conditions, values, strict=True))):
        holds = truth(_entry(condition, index))
        result = holds * value + (1 - holds) * result
    return index, result


@looked_up("select")
def first_that_holds(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The number of the first condition that holds; how many there are, if none does."""
    conditions = [np.asarray(plain(c), dtype=bool) for c in operands[0]]
    chosen = np.select(np.broadcast_arrays(*conditions), range(len(conditions)), len(conditions))
    return {f"{output}.chosen": chosen}


def _together(items: Sequence[Any], out: Operand) -> Indices:
    """The indices of the result of items that are broadcast against one another."""
    index = broadcast(*(x.axes for x in items if isinstance(x, Operand)), table=out.table)
    return (0,) * (out.ndim - len(index)) + index


def _entry(item: Any, index: Indices) -> Form:
    return item[index] if isinstance(item, Operand) else form(rational(item))


def plain(item: Any) -> Any:
    """An argument as NumPy takes it: arrays by their values, whole numbers as such."""
    if isinstance(item, Operand):
        if item.value is None:
            raise NoFormula("index", f"{item.name} has no known value")
        return np.asarray(item.value)
    if isinstance(item, Fraction):
        return int(item) if item.denominator == 1 else float(item)
    if isinstance(item, (tuple, list)):
        return [plain(i) for i in item]
    return item


def _along(X: Operand, position: int, out: Operand) -> Row:
    """out[i, k] = X[i, p[k]], with the places p along one axis."""
    free = list(X.indices())
    at: list[IndexExpr] = list(free)
    free[position] = out.axis(position)
    if isinstance(at[position], Index):
        at[position] = Entry(f"{out.name}.place", (free[position],))
    return tuple(free), X.at(*at)


def anywhere(X: Operand, free: Indices, name: str) -> Form:
    """X[p0[f], p1[f], …], with a place for each entry of the result."""
    return X.at(*(0 if axis is None else Entry(f"{name}{p}", free) for p, axis in enumerate(X.axes)))


def positions(flat: Any, shape: tuple[int, ...], name: str) -> dict[str, Any]:
    """Positions in a flattened array as those in each of its axes longer than one."""
    places = np.unravel_index(flat, shape) if shape else ()
    return {f"{name}{p}": at for p, at in enumerate(places) if shape[p] != 1}


@operation("compress")
def compress(condition: Any, X: Operand, axis: Any = None, *, out: Operand) -> Row:
    """out[i, k] = X[i, p[k]], where p[k] is the place where the condition holds for the k-th time"""
    if axis is None:
        return extract(condition, X, out=out)
    return _along(array_like(X, "compress"), axis_at(axis, X.ndim), out)


@operation("extract", "trim_zeros")
def extract(condition: Any, X: Any = None, *, out: Operand, trim: Any = "fb", axis: Any = None) -> Row:
    """out[k] = X[p[k]], where p[k] is the place of the k-th entry that is taken"""
    taken = condition if X is None or isinstance(X, str) else X
    if axis is not None or X is None and array_like(taken, "trim_zeros").ndim != 1:
        raise NoFormula("trim_zeros", "an array of several axes")
    return (free := out.indices()), anywhere(array_like(taken, "extract"), free, f"{out.name}.place")


@operation("delete")
def delete(X: Operand, obj: Any, axis: Any = None, *, out: Operand) -> Row:
    """out[i, k] = X[i, p[k]], where p[k] is the k-th place that is left"""
    if axis is None:
        return (free := out.indices()), anywhere(array_like(X, "delete"), free, f"{out.name}.place")
    return _along(array_like(X, "delete"), axis_at(axis, X.ndim), out)


@operation("resize")
def resize(X: Operand, new_shape: Any, *, out: Operand) -> Row:
    """out[f] = X[p[f]]: the entries one after the other, and from the first again when all are used up"""
    return (free := out.indices()), anywhere(array_like(X, "resize"), free, f"{out.name}.place")


@operation("resized")
def resized(X: Operand, new_shape: Any, *, out: Operand) -> Row:
    """out[f] = t[f] X[p[f]]: the entries one after the other, and 0 where there are none left, where t is 0"""
    free = out.indices()
    return free, looked(out, "kept", *free) * anywhere(X, free, f"{out.name}.place")


@operation("insert")
def insert(X: Operand, obj: Any, values: Any, axis: Any = None, *, out: Operand) -> Row:
    """out[f] = t[f] X[p[f]] + (1 − t[f]) v[q[f]], where t is 1 where an entry of X stands, else 0"""
    free = out.indices()
    kept = looked(out, "kept", *free)
    old = anywhere(array_like(X, "insert"), free, f"{out.name}.place")
    if isinstance(values, (tuple, list)):
        raise NoFormula("insert", "a list of values, which is no array")
    new = (
        anywhere(values, free, f"{out.name}.inserted")
        if isinstance(values, Operand)
        else form(rational(values))
    )
    return free, kept * old + (1 - kept) * new


@looked_up("compress")
def places_where_true(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the condition holds."""
    given = by_name("condition X axis", operands, arguments)
    axis = given.get("axis")
    return _moved(lambda x: np.compress(plain(given["condition"]), x, axis), given["X"], axis, output)


@looked_up("extract")
def places_taken(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the condition holds."""
    return _moved(lambda x: np.extract(plain(operands[0]), x), operands[1], None, output)


@looked_up("trim_zeros")
def places_between_zeros(
    output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """From the first entry that is not zero to the last."""
    X, trim = operands[0], by_name("X trim", operands, arguments).get("trim", "fb")
    there = np.flatnonzero(np.asarray(X.value))
    first = int(there[0]) if "f" in trim.lower() and there.size else 0
    last = int(there[-1]) + 1 if "b" in trim.lower() and there.size else X.shape[0]
    return {f"{output}.place0": np.arange(first, last)}


@looked_up("delete")
def places_left(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Which entries are left."""
    given = by_name("X obj axis", operands, arguments)
    axis = given.get("axis")
    return _moved(lambda x: np.delete(x, plain(given["obj"]), axis), given["X"], axis, output)


@looked_up("resize")
def places_again(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The positions one after the other, from the first again when all are used up."""
    given = by_name("X new_shape", operands, arguments)
    return _moved(lambda x: np.resize(x, plain(given["new_shape"])), given["X"], None, output)


@looked_up("resized")
def places_and_zeros(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The positions one after the other, and where there are entries left."""
    X, shape = operands[0], tuple(plain(operands[1]))
    count = np.arange(int(np.prod(shape))).reshape(shape)
    size = int(np.prod(X.shape))
    there = positions(np.minimum(count, size - 1), X.shape, f"{output}.place")
    return {f"{output}.kept": (count < size).astype(float), **there}


def _moved(move: Callable[[Array], Array], X: Operand, axis: Any, output: str) -> dict[str, Any]:
    """Where each entry came from: the operation is applied to positions, along one axis or of all entries."""
    if axis is None:
        numbered = np.arange(int(np.prod(X.shape))).reshape(X.shape)
        return positions(move(numbered), X.shape, f"{output}.place")
    position = axis_at(axis, X.ndim)
    along = np.arange(X.shape[position]).reshape([-1 if p == position else 1 for p in range(X.ndim)])
    return {f"{output}.place": move(along).reshape(-1)}


@looked_up("insert")
def places_of_inserted(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Positions in the old array count from 1 upwards, those in the values from −1 downwards."""
    given = by_name("X obj values axis", operands, arguments)
    X, values = given["X"], given["values"]
    shape = values.shape if isinstance(values, Operand) else ()
    old = np.arange(1, int(np.prod(X.shape)) + 1).reshape(X.shape)
    new = -np.arange(1, int(np.prod(shape)) + 1).reshape(shape)
    mixed = np.insert(old, plain(given["obj"]), new, given.get("axis"))
    return {
        f"{output}.kept": (mixed > 0).astype(float),
        **positions(np.where(mixed > 0, mixed - 1, 0), X.shape, f"{output}.place"),
        **positions(np.where(mixed < 0, -1 - mixed, 0), shape, f"{output}.inserted"),
    }
