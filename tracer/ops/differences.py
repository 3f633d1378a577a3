"""Differences and slopes of neighbours along an axis, and areas under them.

``<out>.before`` and ``<out>.after`` are the places on either side of an entry, at the ends the entry itself, and
``<out>.width`` is how many steps lie between them; ``<out>.slope…`` and ``<out>.move…`` are the weights of unequal steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

import numpy as np

from tracer.calculus import fresh
from tracer.calculus.indexing import shifted
from tracer.calculus.linearised import value_of
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.terms import Entry, IndexExpr
from tracer.ops.accumulations import along
from tracer.ops.axes import Operand
from tracer.ops.reductions import axis_at, whole
from tracer.ops.stated import Indices, array_like, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, form, rational, sum_over, total


@operation("diff")
def diff(X: Operand, n: Any = 1, axis: Any = -1, *, out: Operand) -> Row:
    """out[i] = X[i + 1] − X[i]; of the order n: out[i] = Σ_k (−1)^(n − k) C(n, k) X[i + k]"""
    order = whole(n)
    if not 1 <= order <= 8:
        raise NoFormula("diff", f"differences of the order {n}")
    index, entries = _neighbours(X, f"{out.name}.steps", along(X, axis, "diff"), order)
    return index, total(e * ((-1) ** (order - k) * comb(order, k)) for k, e in enumerate(entries))


@operation("ediff1d")
def ediff1d(X: Operand, *, out: Operand) -> Row:
    """out[i] = X[i + 1] − X[i]"""
    if X.ndim != 1:
        raise NoFormula("ediff1d", "an array that is flattened")
    return diff(X, out=out)


@operation("trapezoid", "trapz")
def trapezoid(y: Operand, x: Any = None, dx: Any = 1, axis: Any = -1, *, out: Operand) -> Row:
    """out = dx · Σ_i ½ (y[i] + y[i + 1]); with places x: out = Σ_i ½ (x[i + 1] − x[i]) (y[i] + y[i + 1])"""
    position = along(y, axis, "trapezoid")
    index, (first, second) = _neighbours(y, f"{out.name}.steps", position, 1)
    if x is None:
        step = dx[()] if isinstance(dx, Operand) and not dx.ndim else form(rational(dx))
    elif isinstance(x, Operand) and (x.shape == y.shape or x.shape == (y.shape[position],)):
        at = list(index) if x.ndim == y.ndim else [index[position]]
        after: list[IndexExpr] = list(at)
        after[position if x.ndim == y.ndim else 0] = shifted(index[position], 1)
        step = x.at(*after) - x.at(*at)
    else:
        raise NoFormula("trapezoid", "places that are no array along the axis")
    kept = tuple(i for p, i in enumerate(index) if p != position)
    return kept, sum_over(index[position], (first + second) * rational(0.5) * step)


def _neighbours(X: Operand, name: str, position: int, reach: int) -> tuple[Indices, list[Form]]:
    """An entry and the next ones along an axis; the index runs over all that have as many behind them."""
    if X.shape[position] <= reach:
        raise NoFormula("diff", f"an axis of the size {X.shape[position]}")
    index = list(X.indices())
    step = fresh(X.table.axis(name, X.shape[position] - reach))
    index[position] = step
    entries = []
    for k in range(reach + 1):
        at: list[IndexExpr] = list(index)
        at[position] = shifted(step, k)
        entries.append(X.at(*at))
    return tuple(index), entries


@operation("gradient")
def gradient(
    X: Operand, *spacing: Any, axis: Any = None, edge_order: Any = 1, part: int = 0, out: Operand
) -> Row:
    """out[i] = (X[h[i]] − X[l[i]]) / (w[i] d), where l[i], h[i] are the neighbours, w[i] steps of the length d apart

    With places x that are not d apart: out[i] = s_l[i] X[l[i]] + s_m[i] X[i] + s_h[i] X[h[i]], the slope in i of the
    parabola through the three.
    """
    axes, step = _axes_and_step(array_like(X, "gradient"), spacing, axis, part)
    if whole(edge_order) != 1:
        raise NoFormula("gradient", "ends of the second order")
    position = axes[part]
    free = X.indices()
    run = free[position]
    low, high = (Entry(f"{out.name}.{what}", (run,)) for what in ("before", "after"))

    def at(place: IndexExpr) -> Form:
        return X.at(*(place if p == position else i for p, i in enumerate(free)))

    if not isinstance(step, Operand) or not step.ndim:
        apart = step[()] if isinstance(step, Operand) else form(rational(step))
        return free, (at(high) - at(low)) * looked(out, "width", run) ** -1 * apart**-1
    places: dict[str, IndexExpr] = {"before": low, "here": run, "after": high}
    slope = total(looked(out, f"slope_{what}", run) * at(place) for what, place in places.items())
    moves = []
    for what, place in places.items():
        now = step.at(place)
        moved = now - Form(rename_arrays(now.expr, {step.name: value_of(step.name)}))
        moves.append(looked(out, f"move_{what}", *free) * moved)
    return free, slope + total(moves)


def _axes_and_step(X: Operand, spacing: Sequence[Any], axis: Any, part: int) -> tuple[list[int], Any]:
    """The axes that slopes are taken along, in order, and the step along one of them."""
    given = range(X.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = [axis_at(a, X.ndim) for a in given]
    step = 1 if not spacing else spacing[part if len(spacing) > 1 else 0]
    return axes, step


@looked_up("gradient")
def neighbours(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The places on either side of each entry and the weights that they count with."""
    return neighbours_of(output, operands, arguments, 0)


def neighbours_of(
    output: str, operands: Sequence[Any], arguments: Mapping[str, Any], part: int
) -> dict[str, Any]:
    """The same for one of several axes.

    With d₁, d₂ the steps on either side and s₁, s₂ the slopes there, the result is (d₂ s₁ + d₁ s₂) / (d₁ + d₂).
    """
    X, *spacing = operands
    axes, step = _axes_and_step(X, spacing, arguments.get("axis"), part)
    position = axes[part]
    n = X.shape[position]
    here = np.arange(n)
    low, high = np.maximum(here - 1, 0), np.minimum(here + 1, n - 1)
    found: dict[str, Any] = {"before": low, "after": high, "width": (high - low).astype(float)}
    if isinstance(step, Operand) and step.ndim:
        x = np.asarray(step.value, dtype=float)
        left, right = x - x[low], x[high] - x
        inside = (left > 0) & (right > 0) | (left < 0) & (right < 0)
        left, right = np.where(low == here, right, left), np.where(high == here, left, right)
        both = left + right
        found["slope_before"] = np.where(
            inside, -right / (left * both), np.where(high == here, -1 / left, 0.0)
        )
        found["slope_after"] = np.where(inside, left / (right * both), np.where(low == here, 1 / right, 0.0))
        found["slope_here"] = -found["slope_before"] - found["slope_after"]
        found |= _moves(np.asarray(X.value, dtype=float), position, left, right, low, high, inside)
    return {f"{output}.{what}": v for what, v in found.items()}


def _moves(f: Any, position: int, left: Any, right: Any, low: Any, high: Any, inside: Any) -> dict[str, Any]:
    """How much each slope changes with the places that it is taken from."""
    values = np.moveaxis(f, position, -1)
    one, other = (values - values[..., low]) / left, (values[..., high] - values) / right
    both = left + right
    slope = (right * one + left * other) / both
    by_left = np.where(inside, (other - right * one / left - slope) / both, 0.0)
    by_right = np.where(inside, (one - left * other / right - slope) / both, 0.0)
    ends = np.arange(len(low))
    by_left = np.where(high == ends, -one / left, by_left)
    by_right = np.where(low == ends, -other / right, by_right)
    moves = {"before": -by_left, "here": by_left - by_right, "after": by_right}
    return {f"move_{what}": np.moveaxis(v, -1, position) for what, v in moves.items()}


@operation("unwrap")
def unwrap(X: Operand, discont: Any = None, axis: Any = -1, *, out: Operand, period: Any = None) -> Row:
    """out[i] = X[i] + t[i], where t[i] are the whole turns that are added, which only jump"""
    i = array_like(X, "unwrap").indices()
    return i, X[i] + looked(out, "turns", *i)


@looked_up("unwrap")
def turns(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The turns that are added to each entry."""
    given = by_name("X discont axis", operands, arguments)
    x = np.asarray(given["X"].value, dtype=float)
    period, discont = (None if (v := given.get(k)) is None else float(v) for k in ("period", "discont"))
    axis = whole(given.get("axis", -1))
    return {f"{output}.turns": np.unwrap(x, discont, axis, period=period or 2 * np.pi) - x}
