"""Decompositions of matrices: each from the equations that define its parts.

An equation is differentiated and solved for the change of the part, as in M. B. Giles, *Collected Matrix
Derivative Results for Forward and Reverse Mode Algorithmic Differentiation* (2008).  What it needs besides the
result is an array of its own: ``<out>.inverse``, ``<out>.vectors``, ``<out>.gaps``, ….
A symmetric matrix is read as NumPy reads it, from its lower triangle; entries above it do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.linear_systems import held, inverse_or_nan, stack, values
from tracer.ops.stated import Indices, change, inverse, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, condition, delta, form, sum_over


def _one_axis(A: Operand) -> None:
    """Rows and columns of a symmetric matrix run over one axis."""
    rows, columns = A.axes[-2:]
    if rows is not None and columns is not None:
        A.table.unite(rows, columns)


def _lower(A: Operand, b: Indices, weight: Callable[[Index | int, Index | int], Form], triangle: Any = "L") -> Form:
    """Σ weight(p, q) ∂S[p, q] of the symmetric matrix S whose lower, or upper, triangle is that of A."""
    p, q = A.axis(-2), A.axis(-1)
    if str(triangle).upper() == "U":
        upper = weight(p, q) * condition("<=", p, q) + weight(q, p) * condition("<", p, q)
        return sum_over([p, q], upper * change(A, (*b, p, q)))
    twice = weight(p, q) * condition("<=", q, p) + weight(q, p) * condition("<", q, p)
    return sum_over([p, q], twice * change(A, (*b, p, q)))


@operation("linalg.cholesky")
def cholesky(A: Operand, *, out: Operand) -> Row:
    """out: out · outᵀ = A, out lower triangular, so ∂out = out · Φ(out⁻¹ ∂A out⁻ᵀ), Φ the half on and below the diagonal

    Murray, *Differentiation of the Cholesky decomposition* (2016).
    """
    A, b = stack(A, "cholesky")
    _one_axis(A)
    i, j, k = A.axis(-2), A.axis(-2), A.axis(-2)
    half = condition("<", j, k) + (delta(j, k) if isinstance(k, Index) else form(1)) * Fraction(1, 2)

    def weight(p: Index | int, q: Index | int) -> Form:
        return inverse(out, *b, k, p) * inverse(out, *b, j, q)

    return (*b, i, j), held(out, *b, i, j) + sum_over(k, held(out, *b, i, k) * half * _lower(A, b, weight))


@looked_up("linalg.cholesky")
def inverse_factor(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of the triangular factor."""
    return {f"{output}.inverse": inverse_or_nan(np.linalg.cholesky(values(operands[0])))}


@operation("linalg.eigvalsh")
def eigvalsh(A: Operand, UPLO: Any = "L", *, out: Operand) -> Row:
    """out: A v = out v, |v| = 1, A symmetric, so ∂out[k] = v[k]ᵀ ∂A v[k]; eigenvalues all different"""
    A, b = stack(A, "eigvalsh")
    _one_axis(A)
    k = A.axis(-2)

    def weight(p: Index | int, q: Index | int) -> Form:
        return looked(out, "vectors", *b, p, k) * looked(out, "vectors", *b, q, k)

    return (*b, k), held(out, *b, k) + _lower(A, b, weight, UPLO)


@looked_up("linalg.eigvalsh")
def vectors(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The eigenvectors, and between two eigenvalues one over their distance."""
    triangle = by_name("A UPLO", operands, arguments).get("UPLO", "L")
    w, v = np.linalg.eigh(values(operands[0]), triangle)
    apart = w[..., None, :] - w[..., :, None]
    same = np.eye(w.shape[-1], dtype=bool)
    gaps = np.where(same, 0.0, 1.0 / np.where(same | (apart == 0), 1.0, apart))
    return {f"{output}.vectors": v, f"{output}.gaps": np.where(apart == 0, 0.0, gaps)}


def eigh(A: Operand, UPLO: Any = "L", *, part: int, out: Operand) -> Row:
    """out: A v = w v, |v| = 1, A symmetric, so ∂v[k] = Σ_m v[m] (v[m]ᵀ ∂A v[k]) / (w[k] − w[m])"""
    if part == 0:
        return eigvalsh(A, UPLO, out=out)
    A, b = stack(A, "eigh")
    _one_axis(A)
    i, k, m = A.axis(-2), A.axis(-2), A.axis(-2)

    def weight(p: Index | int, q: Index | int) -> Form:
        return looked(out, "vectors", *b, p, m) * looked(out, "vectors", *b, q, k)

    turned = held(out, *b, i, m) * looked(out, "gaps", *b, m, k) * _lower(A, b, weight, UPLO)
    return (*b, i, k), held(out, *b, i, k) + sum_over(m, turned)


@operation("linalg.svdvals")
def svdvals(A: Operand, *, out: Operand) -> Row:
    """out: A v[k] = out[k] u[k], |u| = |v| = 1, so ∂out[k] = u[k]ᵀ ∂A v[k]; singular values all different"""
    A, b = stack(A, "svd")
    k, a, c = out.axis(-1), A.axis(-2), A.axis(-1)
    product = looked(out, "left", *b, a, k) * change(A, (*b, a, c)) * looked(out, "right", *b, k, c)
    return (*b, k), held(out, *b, k) + sum_over([a, c], product)


@operation("linalg.svd")
def svd_values(A: Operand, full_matrices: Any = True, compute_uv: Any = True, *, out: Operand) -> Row:
    """out: A v[k] = out[k] u[k], |u| = |v| = 1, so ∂out[k] = u[k]ᵀ ∂A v[k]; singular values all different"""
    if compute_uv:
        raise NoFormula("svd", "three arrays at once")
    return svdvals(A, out=out)


@looked_up("linalg.svdvals", "linalg.svd")
def singular_vectors(output: str, operands: Sequence[Any], __: Mapping[str, Any]) -> dict[str, Any]:
    """The singular vectors on either side."""
    u, _, v = np.linalg.svd(values(operands[0]), full_matrices=False)
    return {f"{output}.left": u, f"{output}.right": v}


def svd(A: Operand, full_matrices: Any = True, *_: Any, part: int, out: Operand, **__: Any) -> Row:
    """out: U diag(s) Vᵀ = A, Uᵀ U = Vᵀ V = 1; singular values all different

    ∂s[k] = u[k]ᵀ ∂A v[k], and ∂u[k] = Σ_m u[m] (u[m]ᵀ ∂A v[k] s[k] + v[m]ᵀ ∂Aᵀ u[k] s[m]) / (s[k]² − s[m]²)
    + (1 − U Uᵀ) ∂A v[k] / s[k]; ∂v is the same of Aᵀ (Townsend, *Differentiating the Singular Value Decomposition*, 2016).
    """
    if part == 1:
        return svdvals(A, out=out)
    A, b = stack(A, "svd")
    if full_matrices and A.shape[-1] != A.shape[-2]:
        raise NoFormula("svd", "singular vectors of nothing, which full_matrices=True adds")
    k, m = out.axis(-1 if part == 0 else -2), out.axis(-1 if part == 0 else -2)
    a, c = A.axis(-2), A.axis(-1)
    moved = change(A, (*b, a, c))

    def between(p: Index | int, q: Index | int) -> Form:
        """u[p]ᵀ ∂A v[q], before the sum over the entries of A."""
        return looked(out, "left", *b, a, p) * looked(out, "right", *b, q, c) * moved

    one, other = (between(m, k), between(k, m)) if part == 0 else (between(k, m), between(m, k))
    s = looked(out, "singular", *b, k), looked(out, "singular", *b, m)
    turn = looked(out, "gaps", *b, m, k) * (one * s[0] + other * s[1])
    if part == 0:
        i = A.axis(-2)
        outside = looked(out, "rest", *b, i, a) * looked(out, "right", *b, k, c) * moved * s[0] ** -1
        changed = sum_over([a, c, m], looked(out, "left", *b, i, m) * turn) + sum_over([a, c], outside)
        return (*b, i, k), held(out, *b, i, k) + changed
    i = A.axis(-1)
    outside = looked(out, "rest", *b, i, c) * looked(out, "left", *b, a, k) * moved * s[0] ** -1
    changed = sum_over([a, c, m], looked(out, "right", *b, m, i) * turn) + sum_over([a, c], outside)
    return (*b, k, i), held(out, *b, k, i) + changed


def qr(A: Operand, *, part: int, out: Operand) -> Row:
    """out: Q · R = A, Qᵀ Q = 1, R upper triangular; with C = Qᵀ ∂A R⁻¹ and X = tril(C, −1) − tril(C, −1)ᵀ
    ∂Q = Q X + (1 − Q Qᵀ) ∂A R⁻¹ and ∂R = (C − X) R"""
    A, b = stack(A, "qr")
    if b or A.shape[0] < A.shape[1]:
        raise NoFormula("qr", f"an operand of the shape {A.shape}")
    a, c = A.axis(0), A.axis(1)
    moved = change(A, (a, c))

    def product(k: Index | int, l: Index | int) -> Form:
        """C[k, l], before the sum over the entries of A."""
        return looked(out, "q", a, k) * looked(out, "solved", c, l) * moved

    if part == 0:
        i, j, k = A.axis(0), A.axis(1), A.axis(1)
        turn = product(k, j) * condition("<", j, k) - product(j, k) * condition("<", k, j)
        outside = looked(out, "rest", i, a) * looked(out, "solved", c, j) * moved
        changed = sum_over([a, c, k], held(out, i, k) * turn) + sum_over([a, c], outside)
        return (i, j), held(out, i, j) + changed
    i, j, k = A.axis(1), A.axis(1), A.axis(1)
    upper = product(i, k) * condition("<=", i, k) + product(k, i) * condition("<", i, k)
    return (i, j), held(out, i, j) + sum_over([a, c, k], upper * held(out, k, j))


def decomposed(
    output: str, name: str, operands: Sequence[Any], arguments: Mapping[str, Any], part: int
) -> dict[str, Any]:
    """The arrays that the parts of decompositions mention."""
    if name == "linalg.eigh":
        return vectors(output, operands, arguments)
    a = values(operands[0])
    if name == "linalg.qr":
        q, r = np.linalg.qr(a)
        found = {"q": q, "solved": inverse_or_nan(r), "rest": np.eye(len(a)) - q @ q.T}
    else:
        u, s, v = np.linalg.svd(a, full_matrices=False)
        apart = s[..., None, :] ** 2 - s[..., :, None] ** 2
        gaps = np.where(apart == 0, 0.0, 1.0 / np.where(apart == 0, 1.0, apart))
        outside = (
            np.eye(a.shape[-2]) - u @ np.swapaxes(u, -1, -2)
            if part == 0
            else np.eye(a.shape[-1]) - np.swapaxes(v, -1, -2) @ v
        )
        found = {"left": u, "right": v, "singular": s, "gaps": gaps, "rest": outside}
    return {f"{output}.{what}": array for what, array in found.items()}
