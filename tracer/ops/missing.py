"""Entries that are missing: a NaN does not count in a statistic, and has the derivative 0.

``<out>.present`` is 1 where an entry is not NaN, else 0, and ``<out>.count`` is how many are (less ``ddof``);
``<out>.deviations`` are the distances from the mean, 0 at a NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from tracer.ops.accumulations import along, prod, product_of_others, running_slopes, up_to
from tracer.ops.axes import Operand
from tracer.ops.order import portion
from tracer.ops.reductions import picked, places, reduced, split, whole
from tracer.ops.stated import Indices, change, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, sum_over

Array = np.ndarray[Any, Any]


@operation("nansum")
def nansum(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = Σ_j p[i, j] X[i, j], where p is 0 at a NaN, else 1"""
    i, over, free = split(X, axis, keepdims)
    return free, sum_over(over, looked(out, "present", *i) * X[i])


@operation("nanmean")
def nanmean(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = Σ_j p[i, j] X[i, j] / Σ_j p[i, j], where p is 0 at a NaN, else 1"""
    i, over, free = split(X, axis, keepdims)
    return free, sum_over(over, looked(out, "present", *i) * X[i]) * looked(out, "count", *free) ** -1


@operation("nanvar")
def nanvar(X: Operand, axis: Any = None, keepdims: Any = False, ddof: Any = 0, *, out: Operand) -> Row:
    """out[i] = Σ_j d[i, j]² / (N[i] − ddof), so ∂out = 2 Σ_j d ∂X / (N − ddof); d, the distance from the mean, 0 at a NaN"""
    i, over, free = split(X, axis, keepdims)
    return free, looked(out, "value", *free) + _spread(X, out, i, free, over) * 2


@operation("nanstd")
def nanstd(X: Operand, axis: Any = None, keepdims: Any = False, ddof: Any = 0, *, out: Operand) -> Row:
    """out[i]² = Σ_j d[i, j]² / (N[i] − ddof), with d as for the variance: out ∂out = Σ_j d ∂X / (N − ddof)"""
    i, over, free = split(X, axis, keepdims)
    own = looked(out, "value", *free)
    return free, own + _spread(X, out, i, free, over) * own**-1


def _spread(X: Operand, out: Operand, i: Indices, free: Indices, over: Sequence[Any]) -> Form:
    """Σ_j d[i, j] ∂X[i, j] / (N[i] − ddof); the mean moves too, but the distances from it add up to 0."""
    return sum_over(over, looked(out, "deviations", *i) * change(X, i)) * looked(out, "count", *free) ** -1


@looked_up("nansum", "nanmean", "nanvar", "nanstd", "nancumsum")
def present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where entries are not NaN, how many are, and how far from their mean they lie."""
    there, filled = _filled(operands[0], 0.0)
    given = by_name("X axis", operands, arguments)
    over = reduced(there.ndim, given.get("axis"))
    counted = there.sum(axis=over, keepdims=True)
    mean = filled.sum(axis=over, keepdims=True) / np.maximum(counted, 1)
    less = counted - whole(given.get("ddof", 0))
    return {
        f"{output}.present": there,
        f"{output}.count": np.asarray(less if given.get("keepdims") else less.squeeze(over)),
        f"{output}.deviations": there * (filled - mean),
    }


@operation("nanprod")
def nanprod(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = Π_j X[i, j] without the NaN: ∂out[i]/∂X[i, j] = Π_l≠j X[i, l], and 0 at a NaN"""
    return prod(X, axis, keepdims, out=out)


@looked_up("nanprod")
def others_present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """For each entry the product of all others that are there; 0 for one that is not."""
    there, filled = _filled(operands[0], 1.0)
    axis = by_name("X axis", operands, arguments).get("axis")
    return {f"{output}.others": there * product_of_others(filled, axis)}


@operation("nancumsum")
def nancumsum(X: Operand, axis: Any = None, *, out: Operand) -> Row:
    """out[i] = Σ_j≤i X[j] without the NaN, so ∂out[i]/∂X[j] = [j ≤ i] p[j], where p is 0 at a NaN, else 1"""
    position = along(X, axis, "nancumsum")
    free, inner, reached = up_to(X, position)
    return free, sum_over(inner[position], reached * looked(out, "present", *inner) * X[inner])


@operation("nancumprod")
def nancumprod(X: Operand, axis: Any = None, *, out: Operand) -> Row:
    """out[i] = Π_j≤i X[j] without the NaN: ∂out[i]/∂X[j] = [j ≤ i] Π_l≤i, l≠j X[l], and 0 at a NaN"""
    position = along(X, axis, "nancumprod")
    free, inner, _ = up_to(X, position)
    slope = looked(out, "slopes", *free, inner[position])
    return free, looked(out, "value", *free) + sum_over(inner[position], slope * change(X, inner))


@looked_up("nancumprod")
def slopes_present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """[j ≤ i] Π_l≤i, l≠j X[l] over what is there, j the last axis; 0 for a j that is not."""
    there, filled = _filled(operands[0], 1.0)
    position = along(operands[0], by_name("X axis", operands, arguments).get("axis"), "nancumprod")
    counted = np.expand_dims(np.moveaxis(there, position, -1), position)
    return {f"{output}.slopes": counted * running_slopes(filled, position)}


def _filled(X: Operand, value: float) -> tuple[Array, Array]:
    """1 where an entry is not NaN, else 0, and the array with a number instead of NaN."""
    x = np.asarray(X.value, dtype=float)
    there = ~np.isnan(x)
    return there.astype(float), np.where(there, x, value)


@operation("nanmax")
def nanmax(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the largest entry that is not NaN"""
    i, over, free = split(X, axis, keepdims)
    return free, picked(X, out, i, over, free, "argmax")


@operation("nanmin")
def nanmin(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = X[i, a[i]], where a[i] is the place of the smallest entry that is not NaN"""
    i, over, free = split(X, axis, keepdims)
    return free, picked(X, out, i, over, free, "argmin")


@looked_up("nanmax")
def largest_present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the largest entries are."""
    given = by_name("X axis", operands, arguments)
    return places(np.asarray(operands[0].value), partial(np.nanargmax, axis=-1), "argmax", output, given)


@looked_up("nanmin")
def smallest_present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the smallest entries are."""
    given = by_name("X axis", operands, arguments)
    return places(np.asarray(operands[0].value), partial(np.nanargmin, axis=-1), "argmin", output, given)


@operation("nanmedian")
def nanmedian(X: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = ½ X[i, l[i]] + ½ X[i, h[i]], where l[i], h[i] are the places in the middle of those that are no NaN"""
    i, over, free = split(X, axis, keepdims)
    low, high = (picked(X, out, i, over, free, what) for what in ("low", "high"))
    return free, (low + high) * Fraction(1, 2)


@operation("nanquantile", "nanpercentile")
def nanquantile(
    X: Operand, q: Any, axis: Any = None, keepdims: Any = False, method: Any = "linear", *, out: Operand
) -> Row:
    """out[i] = (1 − t[i]) X[i, l[i]] + t[i] X[i, h[i]], where the quantile without the NaN lies at t[i] between two"""
    if method != "linear":
        raise NoFormula("nanquantile", f"the method {method!r}")
    if isinstance(q, Operand):
        raise NoFormula("nanquantile", "a quantile that the program computes")
    portion(q, 1)  # refuses several at once
    i, over, free = split(X, axis, keepdims)
    low, high = (picked(X, out, i, over, free, what) for what in ("low", "high"))
    share = looked(out, "share", *free)
    return free, (1 - share) * low + share * high


def _ranked(
    X: Operand, rank: Callable[[Array], Array], what: str, output: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Where the entries of a rank are, which depends on how many are there; a NaN comes after all numbers."""

    def choose(flat: Array) -> Array:
        last = np.maximum((~np.isnan(flat)).sum(axis=-1) - 1, 0)
        place = np.minimum(rank(last), last).astype(int)
        return np.take_along_axis(np.argsort(flat, axis=-1, kind="stable"), place[..., None], axis=-1)[..., 0]

    return places(np.asarray(X.value, dtype=float), choose, what, output, given)


@looked_up("nanmedian")
def middle_present(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where the entries in the middle of those that are there are; both are the same one if their number is odd."""
    given = by_name("X axis", operands, arguments)
    low = _ranked(given["X"], lambda last: last // 2, "low", output, given)
    return {**low, **_ranked(given["X"], lambda last: (last + 1) // 2, "high", output, given)}


@looked_up("nanquantile")
def around_quantile_present(
    output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Where the two entries around the quantile are, and how far it lies from the first."""
    return _around(1, output, operands, arguments)


@looked_up("nanpercentile")
def around_percentile_present(
    output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Where the two entries around the percentile are, and how far it lies from the first."""
    return _around(100, output, operands, arguments)


def _around(
    whole_part: int, output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    given = by_name("X q axis", operands, arguments)
    X, part = given["X"], portion(given["q"], whole_part)
    there, _ = _filled(X, 0.0)
    over = reduced(X.ndim, given.get("axis"))
    exact = part * np.maximum(there.sum(axis=over, keepdims=bool(given.get("keepdims"))) - 1, 0)
    low = _ranked(X, lambda last: np.floor(part * last), "low", output, given)
    high = _ranked(X, lambda last: np.floor(part * last) + 1, "high", output, given)
    return {**low, **high, f"{output}.share": np.asarray(exact - np.floor(exact))}


@operation("nan_to_num")
def nan_to_num(
    X: Operand, copy: Any = True, nan: Any = 0, posinf: Any = None, neginf: Any = None, *, out: Operand
) -> Row:
    """out[i] = X[i] where X[i] is finite, else a number in its place, so ∂out[i] = p[i] ∂X[i], where p is 0 there, else 1

    Where the program was run with finite entries only, as it is meant to be, p is 1 and out[i] = X[i].
    """
    i = X.indices()
    if X.value is None or np.all(np.isfinite(np.asarray(X.value, dtype=float))):
        return i, X[i]
    if any(isinstance(number, Operand) for number in (nan, posinf, neginf)):
        raise NoFormula("nan_to_num", "a number in place of NaN that the program computes")
    return i, looked(out, "value", *i) + looked(out, "finite", *i) * change(X, i)


@looked_up("nan_to_num")
def finite(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """1 where an entry is finite, else 0."""
    return {f"{output}.finite": np.isfinite(np.asarray(operands[0].value, dtype=float)).astype(float)}
