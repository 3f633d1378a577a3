"""Polynomials by their coefficients, the highest power first: values, sums, products, derivatives, fits.

``<out>.powers`` is the power that a coefficient belongs to.  A fit is stated by its normal equations, as least
squares with the powers V of x as columns and V′ their slopes: ``<out>.pseudo`` is V⁺, ``<out>.steepness`` V′ out,
``<out>.turned`` (Vᵀ V)⁻¹ V′ᵀ and ``<out>.residual`` y − V out.  For the coefficients from roots ``<out>.others`` are those
without one of the roots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus.indexing import shifted
from tracer.ops.axes import Operand
from tracer.ops.reductions import whole
from tracer.ops.signals import convolve
from tracer.ops.stated import array_like, change, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, delta, sum_over, total

#: Powers are written out one by one, up to so many.
_MOST_POWERS = 16


@operation("polyval")
def polyval(p: Operand, x: Operand, *, out: Operand) -> Row:
    """out[i] = Σ_k p[k] x[i]^(n − 1 − k)"""
    array_like(p, "polyval", 1)
    if not isinstance(x, Operand) or p.shape[0] > _MOST_POWERS:
        raise NoFormula("polyval", f"a polynomial of {p.shape[0]} coefficients")
    i = x.indices()
    n = p.shape[0]
    return i, total(_coefficient(p, k) * x[i] ** (n - 1 - k) for k in range(n))


def _coefficient(p: Operand, k: int) -> Form:
    return p.at(k if p.shape[0] > 1 else 0)


@operation("vander")
def vander(x: Operand, N: Any = None, increasing: Any = False, *, out: Operand) -> Row:
    """out[i, k] = x[i]^(n − 1 − k)"""
    array_like(x, "vander", 1)
    i, k = out.indices()
    n = out.shape[1]
    if n > _MOST_POWERS:
        raise NoFormula("vander", f"{n} powers")
    powers = range(n) if increasing else range(n - 1, -1, -1)
    return (i, k), total(delta(k, column) * x[i] ** power for column, power in enumerate(powers))


@operation("polyadd")
def polyadd(p: Any, q: Any, *, out: Operand) -> Row:
    """out[k] = p[k − (n − m)] + q[k], the shorter one set to the end"""
    (k,) = out.indices()
    return (k,), _at_the_end(p, k, out) + _at_the_end(q, k, out)


@operation("polysub")
def polysub(p: Any, q: Any, *, out: Operand) -> Row:
    """out[k] = p[k − (n − m)] − q[k], the shorter one set to the end"""
    (k,) = out.indices()
    return (k,), _at_the_end(p, k, out) - _at_the_end(q, k, out)


def _at_the_end(p: Any, k: Any, out: Operand) -> Form:
    if not isinstance(p, Operand) or p.ndim > 1:
        raise NoFormula("polyadd", "coefficients that are no array")
    if not p.ndim:
        return delta(k, out.shape[0] - 1) * p[()]
    before = out.shape[0] - p.shape[0]
    if not before:
        return p[k]
    i = p.axis(0)
    return sum_over(i, delta(k, shifted(i, before)) * p.at(i))


@operation("polymul")
def polymul(p: Operand, q: Operand, *, out: Operand) -> Row:
    """out[k] = Σ_i Σ_j δ(k, i + j) p[i] q[j]; leading coefficients that are 0 would be dropped"""
    lengths = [array_like(a, "polymul", 1).shape[0] for a in (p, q)]
    if out.shape[0] != sum(lengths) - 1:
        raise NoFormula("polymul", "leading coefficients that are 0")
    return convolve(p, q, out=out)


@operation("polyder")
def polyder(p: Operand, m: Any = 1, *, out: Operand) -> Row:
    """out[k] = (n − 1 − k) p[k]"""
    array_like(p, "polyder", 1)
    if whole(m) != 1 or p.shape[0] < 2:
        raise NoFormula("polyder", f"the derivative of the order {m} of {p.shape[0]} coefficients")
    (k,) = out.indices()
    return (k,), looked(out, "powers", k) * p.at(k)


@operation("polyint")
def polyint(p: Operand, m: Any = 1, k: Any = None, *, out: Operand) -> Row:
    """out[k] = p[k] / (n − k), and the constant of integration, 0, at the end"""
    array_like(p, "polyint", 1)
    if whole(m) != 1 or k is not None:
        raise NoFormula("polyint", "several integrations, or a constant that is given")
    (f,) = out.indices()
    i = p.axis(0)
    return (f,), sum_over(i, delta(f, i) * looked(out, "powers", i) ** -1 * p.at(i))


@looked_up("polyder")
def powers_before(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The powers n − 1, …, 1 of the polynomial that is differentiated."""
    return {f"{output}.powers": np.arange(operands[0].shape[0] - 1, 0, -1.0)}


@looked_up("polyint")
def powers_after(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The powers n, …, 1 of the integral."""
    return {f"{output}.powers": np.arange(operands[0].shape[0], 0, -1.0)}


@operation("poly")
def poly(roots: Operand, *, out: Operand) -> Row:
    """out, the coefficients of Π_k (t − r[k]), so ∂out[j] = −Σ_k o[k, j − 1] ∂r[k], where o are those without r[k]"""
    array_like(roots, "poly", 1)
    (j,) = out.indices()
    k = roots.axis(0)
    return (j,), looked(out, "value", j) - sum_over(k, looked(out, "others", k, j) * change(roots, (k,)))


@looked_up("poly")
def without_one_root(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The coefficients without one of the roots, moved by one place."""
    r = np.asarray(operands[0].value, dtype=float)
    rows = [np.concatenate([[0.0], np.atleast_1d(np.poly(np.delete(r, k)))]) for k in range(len(r))]
    return {f"{output}.others": np.array(rows)}


@operation("polyfit")
def polyfit(x: Operand, y: Operand, deg: Any, *, out: Operand) -> Row:
    """out: Vᵀ (V · out − y) = 0 with V[i, k] = x[i]^(n − k), so ∂out = V⁺ (∂y − ∂V out) + (Vᵀ V)⁻¹ ∂Vᵀ (y − V out)"""
    array_like(x, "polyfit", 1)
    array_like(y, "polyfit", 1)
    (k,) = out.indices()
    (a,) = x.indices()
    moved = change(x, (a,))
    steeper = looked(out, "steepness", a) * moved
    fitted = looked(out, "pseudo", k, a) * (change(y, (a,)) - steeper)
    turned = looked(out, "turned", k, a) * looked(out, "residual", a) * moved
    return (k,), looked(out, "value", k) + sum_over(a, fitted + turned)


@looked_up("polyfit")
def of_the_fit(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """V⁺, the slope of the fitted curve at each place, (Vᵀ V)⁻¹ V′ᵀ with V′ the slopes of the powers, and y − V out."""
    given = by_name("x y deg", operands, arguments)
    x, y = (np.asarray(given[k].value, dtype=float) for k in ("x", "y"))
    degree = whole(given["deg"])
    v = np.vander(x, degree + 1)
    slopes = np.hstack([v[:, 1:] * np.arange(degree, 0, -1.0), np.zeros((len(x), 1))])
    pseudo = np.linalg.pinv(v)
    fit = pseudo @ y
    return {
        f"{output}.pseudo": pseudo,
        f"{output}.steepness": slopes @ fit,
        f"{output}.turned": pseudo @ pseudo.T @ slopes.T,
        f"{output}.residual": y - v @ fit,
    }
