"""Sequences and curves: convolution, correlation, evenly spaced numbers, interpolation, grids.

Weights that depend on the place of an entry only are arrays of their own: ``<out>.steps`` for evenly spaced
numbers; for interpolation ``<out>.low`` and ``<out>.high``, the known places on either side, ``<out>.share``, how
far the point lies from the first to the second, and ``<out>.slope``, the slope between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus import affine
from tracer.calculus import entry as entry_of
from tracer.calculus.indexing import shifted
from tracer.calculus.linearised import value_of
from tracer.calculus.terms import Entry, Index, IndexExpr
from tracer.ops.axes import Operand
from tracer.ops.reductions import whole
from tracer.ops.stated import array_like, change, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, condition, delta, form, rational, sum_over


@operation("convolve")
def convolve(a: Operand, v: Operand, mode: Any = "full", *, out: Operand) -> Row:
    """out[k] = Σ_i Σ_j [k + offset = i + j] a[i] · v[j]; the offset is 0 in the mode full"""
    array_like(a, "convolve", 1)
    array_like(v, "convolve", 1)
    short = min(a.shape[0], v.shape[0])
    offsets = {"full": 0, "same": (short - 1) // 2, "valid": short - 1}
    if mode not in offsets:
        raise NoFormula("convolve", f"the mode {mode!r}")
    i, j, k = a.axis(0), v.axis(0), out.axis(0)
    place = place_of(i, j)
    weight = delta(k, place) if mode == "full" else condition("==", shifted(k, offsets[mode]), place)
    return (k,), sum_over([i, j], weight * a[i] * v[j])


def place_of(i: Index | int, j: Index | int, sign: int = 1) -> IndexExpr:
    """i + j, or i − j."""
    parts = [(index, c) for index, c in ((i, 1), (j, sign)) if isinstance(index, Index)]
    return affine(parts)


@operation("correlate")
def correlate(a: Operand, v: Operand, mode: Any = "valid", *, out: Operand) -> Row:
    """out[k] = Σ_i Σ_j [k + offset = i − j] a[i] · v[j]; the offset is 0 in the mode valid, a not the shorter"""
    array_like(a, "correlate", 1)
    array_like(v, "correlate", 1)
    m, n = a.shape[0], v.shape[0]
    if m < n:
        raise NoFormula("correlate", "a first operand that is the shorter one")
    offsets = {"full": n - 1, "same": n - 1 - (n - 1) // 2, "valid": 0}
    if mode not in offsets:
        raise NoFormula("correlate", f"the mode {mode!r}")
    i, j, k = a.axis(0), v.axis(0), out.axis(0)
    place = place_of(i, j, -1)
    return (k,), sum_over([i, j], condition("==", k, shifted(place, offsets[mode])) * a[i] * v[j])


@operation("linspace")
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    retstep: Any = False,
    dtype: Any = None,
    axis: Any = 0,
    *,
    out: Operand,
) -> Row:
    """out[i] = start + t[i] (stop − start), where t runs evenly from 0 to 1"""
    if out.ndim != 1:
        raise NoFormula("linspace", "arrays as ends")
    _not_rounded("linspace", out)
    i = out.indices()
    first, last = (x[()] if isinstance(x, Operand) else form(rational(x)) for x in (start, stop))
    return i, first + looked(out, "steps", *i) * (last - first)


def _not_rounded(op: str, out: Operand) -> None:
    if not out.dtype.startswith("float"):
        raise NoFormula(op, f"numbers that are rounded to the type {out.dtype}")


@looked_up("linspace")
def even_steps(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Where each number lies between the ends."""
    given = by_name("start stop num endpoint", operands, arguments)
    return {f"{output}.steps": _steps(given)}


def _steps(given: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    return np.linspace(0.0, 1.0, whole(given.get("num", 50)), endpoint=bool(given.get("endpoint", True)))


@operation("logspace")
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    base: Any = 10,
    dtype: Any = None,
    axis: Any = 0,
    *,
    out: Operand,
) -> Row:
    """out[i] = b^(start + t[i] (stop − start)), so ∂out = log b · out · ((1 − t) ∂start + t ∂stop) + e · out / b · ∂b

    Here t runs from 0 to 1, and e is the exponent.
    """
    return _curved(out, {"first": start, "last": stop, "base": base})


@operation("geomspace")
def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, dtype: Any = None, axis: Any = 0, *, out: Operand
) -> Row:
    """out[i] = start^(1 − t[i]) stop^t[i], so ∂out = out · ((1 − t) ∂start / start + t ∂stop / stop); t runs from 0 to 1"""
    return _curved(out, {"first": start, "last": stop})


def _curved(out: Operand, ends: Mapping[str, Any]) -> Row:
    """out by its value, and what each of the given numbers adds to it: ``<out>.first``, ``<out>.last``, ``<out>.base``."""
    if out.ndim != 1 or any(isinstance(x, Operand) and x.ndim for x in ends.values()):
        raise NoFormula("logspace", "arrays as ends")
    _not_rounded("logspace", out)
    i = out.indices()
    result = looked(out, "value", *i)
    for what, end in ends.items():
        if isinstance(end, Operand):
            result = result + looked(out, what, *i) * change(end, ())
    return i, result


@looked_up("logspace")
def slopes_by_exponents(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """How much each number changes with the exponents at the ends, and with the base."""
    given = by_name("start stop num endpoint base", operands, arguments)
    t, (start, stop), base = _steps(given), _ends(given), _number(given.get("base", 10))
    exponent = start + t * (stop - start)
    slope = np.log(base) * base**exponent
    by_base = exponent * base ** (exponent - 1)
    return {f"{output}.first": (1 - t) * slope, f"{output}.last": t * slope, f"{output}.base": by_base}


@looked_up("geomspace")
def slopes_by_ends(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """How much each number changes with the ends."""
    given = by_name("start stop num endpoint", operands, arguments)
    t, (start, stop) = _steps(given), _ends(given)
    value = start * (stop / start) ** t
    return {f"{output}.first": (1 - t) * value / start, f"{output}.last": t * value / stop}


def _ends(given: Mapping[str, Any]) -> list[float]:
    return [_number(x) for x in (given["start"], given["stop"])]


def _number(given: Any) -> float:
    return float(given.value if isinstance(given, Operand) else given)


@operation("interp")
def interp(x: Operand, xp: Operand, fp: Operand, *, out: Operand) -> Row:
    """out[i] = (1 − t[i]) fp[l[i]] + t[i] fp[h[i]], where x[i] lies at t[i] between xp[l[i]] and xp[h[i]]

    By the places too: x[i] = (1 − t[i]) xp[l[i]] + t[i] xp[h[i]] holds while x[i] moves between them.
    """
    array_like(xp, "interp", 1)
    array_like(fp, "interp", 1)
    if not isinstance(x, Operand):
        raise NoFormula("interp", "a point that is a number")
    i = x.indices()
    low, high = (Entry(f"{out.name}.{what}", i) for what in ("low", "high"))
    share, slope = looked(out, "share", *i), looked(out, "slope", *i)

    def moved(at: Entry) -> Form:
        return xp.at(at) - Form(entry_of(value_of(xp.name), at))

    between = (1 - share) * fp.at(low) + share * fp.at(high)
    return i, between + slope * (change(x, i) - (1 - share) * moved(low) - share * moved(high))


@looked_up("interp")
def around(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The known places on either side of each point; beyond the ends the last one, where the curve is flat."""
    x, xp, fp = (np.asarray(o.value, dtype=float) for o in operands[:3])
    low = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 1)
    high = np.minimum(low + 1, len(xp) - 1)
    inside = (x >= xp[0]) & (x <= xp[-1]) & (high > low)
    width = np.where(inside, xp[high] - xp[low], 1.0)
    share = np.where(inside, (x - xp[low]) / width, 0.0)
    slope = np.where(inside, (fp[high] - fp[low]) / width, 0.0)
    found = {"low": low, "high": high, "share": share, "slope": slope}
    return {f"{output}.{what}": v for what, v in found.items()}


def one_of(*arrays: Operand, part: int, out: Operand, indexing: Any = "xy", copy: Any = True) -> Row:
    """out[…, i, …] = x[i], one grid of ``np.meshgrid``"""
    if any(a.ndim != 1 for a in arrays) or indexing not in ("xy", "ij"):
        raise NoFormula("meshgrid", "arrays that are no lists of places")
    index = [a.axis(0) for a in arrays]
    own = arrays[part][index[part]]
    if indexing == "xy" and len(index) > 1:
        index[0], index[1] = index[1], index[0]
    return tuple(index), own
