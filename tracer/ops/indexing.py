"""Reading and writing parts of an array: one description of what an index selects serves both.

    reading   out[s] = X[e(s)]
    writing   out[f] = X[f] + Σ_s δ(f, e(s)) (v[s] − X[f])
    adding    out[f] = X[f] + Σ_s δ(f, e(s)) v[s]

Writing needs that no entry is selected twice; adding (``np.add.at``) does not.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus import simplify
from tracer.calculus.terms import Entry, Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import axis_at
from tracer.ops.selection import Selection, SelectsNothing, select
from tracer.ops.table import LaterRow, Row, operation
from tracer.ops.writing import Form, Later, NoFormula, delta, form, rational, sum_over, total


@operation("getitem")
def getitem(X: Operand, index: Any, out: Operand) -> Row:
    """out[s] = X[e(s)]"""
    selection = select(X, index, out.name)
    return selection.free, X.at(*selection.at)


@operation("float")
def to_float(X: Any, out: Operand) -> Row:
    """out = X, or the only entry of X; out[i] = X[i]"""
    if isinstance(X, Operand) and X.ndim == out.ndim:
        i = X.indices()
        return i, X[i]
    return item(X, out=out)


@operation("item")
def item(X: Any, *index: Any, out: Operand) -> Row:
    """out = X[i], the entry at that place, or the only one"""
    if not isinstance(X, Operand):
        return (), form(rational(X))
    given = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
    at = tuple(int(p) if isinstance(p, Fraction) else p for p in given)
    if len(at) == X.ndim:
        return getitem(X, at, out) if at else ((), X[()])
    if at and not isinstance(at[0], int):
        raise NoFormula("item", "a position in the flattened array that is not a plain number")
    place = np.unravel_index(at[0] % math.prod(X.shape) if at else 0, X.shape)
    return getitem(X, tuple(int(p) for p in place), out)


@operation("take")
def take(X: Operand, indices: Any, axis: Any = None, *, out: Operand) -> Row:
    """out[i, s] = X[i, y[s]]"""
    if axis is None and X.ndim != 1:
        raise NoFormula("take", "an array that is flattened")
    return getitem(X, along(X, indices, axis), out)


def along(X: Operand, indices: Any, axis: Any) -> tuple[Any, ...]:
    """The index that takes the entries at some places along an axis."""
    before = 0 if axis is None else axis_at(axis, X.ndim)
    return (*[slice(None)] * before, list(indices) if isinstance(indices, tuple) else indices)


@operation("take_along_axis")
def take_along_axis(X: Operand, indices: Operand, axis: Any) -> Row:
    """out[i, k] = X[i, y[i, k]]"""
    if axis is None:
        raise NoFormula("take_along_axis", "an array that is flattened")
    if indices.value is not None and np.min(indices.value) < 0:
        raise NoFormula("take_along_axis", f"{indices.name} counts from the end in some places")
    position = axis_at(axis, X.ndim)
    free = indices.indices()
    at = list(free)
    for p, (own, other) in enumerate(zip(X.axes, indices.axes, strict=True)):
        if p == position:
            continue
        if (own is None) != (other is None):
            raise NoFormula("take_along_axis", "axes that are broadcast")
        if own is not None and other is not None:
            X.table.unite(own, other)
    looked_up = Entry(indices.name, free)
    return free, X.at(*(looked_up if p == position else i for p, i in enumerate(at)))


@operation("setitem")
def setitem(X: Operand, index: Any, value: Any, out: Operand) -> Row | LaterRow:
    """out[f] = X[f] + Σ_s δ(f, e(s)) (v[s] − X[f])"""
    f = X.indices()
    if isinstance(index, Operand) and index.boolean and not _has_axes(value):
        chosen = index[f[: index.ndim]]
        return f, Form(simplify((X[f] + chosen * (_value(value, ()) - X[f])).expr))
    try:
        selection = select(X, index, out.name)
    except SelectsNothing:
        return f, X[f]
    _check_once(X, selection)
    before, written = X[f], _value(value, selection.free)

    def formula() -> Form:
        difference = sum_over(selection.free, _where(f, selection) * (written - before))
        return Form(simplify((before + difference).expr))

    return f, Later(formula)


@operation("add_at")
def add_at(X: Operand, index: Any, value: Any, out: Operand) -> Row | LaterRow:
    """out[f] = X[f] + Σ_s δ(f, e(s)) v[s]"""
    f = X.indices()
    try:
        selection = select(X, index, out.name)
    except SelectsNothing:
        return f, X[f]
    before, written = X[f], _value(value, selection.free)

    def formula() -> Form:
        added = sum_over(selection.free, _where(f, selection) * written)
        return Form(simplify((before + added).expr))

    return f, Later(formula)


def _where(f: tuple[Index | int, ...], selection: Selection) -> Form:
    """Π_d δ(f_d, e_d(s))"""
    product = form(1)
    for one, at in zip(f, selection.at, strict=True):
        product = product * delta(one, at)
    return product


def _has_axes(value: Any) -> bool:
    return isinstance(value, Operand) and any(n != 1 for n in value.shape)


def _value(value: Any, at: tuple[Index | int, ...]) -> Form:
    """The value that is written at the selected place; leading axes of size one are dropped as NumPy does."""
    if not isinstance(value, Operand):
        return form(rational(value))
    if value.ndim > len(at):
        extra = value.ndim - len(at)
        if any(n != 1 for n in value.shape[:extra]):
            raise NoFormula("setitem", f"a value of the shape {value.shape}")
        at = (0,) * extra + at
    return value[at]


def _check_once(X: Operand, selection: Selection) -> None:
    """Refuse to write where an entry is selected twice: then the last value counts."""
    if not selection.arrays:
        return
    if selection.numpy is None:
        raise NoFormula("setitem", "the values of the index are not known")
    count = np.zeros(X.shape, dtype=int)
    np.add.at(count, selection.numpy, 1)
    if count.max() > 1:
        raise NoFormula("setitem", "an entry is written twice, and the last value counts")


@operation("bincount")
def bincount(x: Any, weights: Any = None, minlength: Any = 0, *, out: Operand) -> Row:
    """out[k] = Σ_i δ(k, x[i]) w[i], the weights at the places that point to k; the number of them without weights"""
    (k,) = out.indices()
    if isinstance(x, (tuple, list)):
        placed = (
            delta(k, int(at)) * (weights.at(n) if isinstance(weights, Operand) else 1)
            for n, at in enumerate(x)
        )
        return (k,), total(placed)
    i = x.indices()
    w = weights[i] if isinstance(weights, Operand) else form(1)
    return (k,), sum_over(i, delta(k, Entry(x.name, i)) * w)
