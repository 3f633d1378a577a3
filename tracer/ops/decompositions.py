"""Decompositions of matrices, real or complex: each from the equations that define its parts.

An equation is differentiated and solved for the change of the part, as in M. B. Giles, *Collected Matrix
Derivative Results for Forward and Reverse Mode Algorithmic Differentiation* (2008), and for complex ones in S.-Q. Wan
and S.-X. Zhang, *Automatic Differentiation for Complex Valued SVD* (2019).  What it needs besides the result is an array of
its own: ``<out>.inverse``, ``<out>.left``, ``<out>.gaps``, ….  In a formula of real matrices x̄ is x.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.complex_values import marked
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.eigenvalues import eigenvectors, of_triangle, one_axis, vectors
from tracer.ops.linear_systems import Array, held, inverse_or_nan, stack, values
from tracer.ops.stated import change, conjugated, inverse, looked
from tracer.ops.table import Row, looked_up, operation, same_for_complex
from tracer.ops.writing import Form, NoFormula, condition, delta, form, sum_over


@operation("linalg.cholesky")
def cholesky(A: Operand, *, out: Operand) -> Row:
    """out: out · outᵀ = A, out lower triangular, so ∂out = out · Φ(out⁻¹ ∂A out⁻ᵀ), Φ the half on and below the diagonal

    Of a Hermitian A the second factor is conjugated.  Murray, *Differentiation of the Cholesky decomposition* (2016).
    """
    A, b = stack(A, "cholesky")
    one_axis(A)
    i, j, k = A.axis(-2), A.axis(-2), A.axis(-2)
    half = condition("<", j, k) + (delta(j, k) if isinstance(k, Index) else form(1)) * Fraction(1, 2)

    def weight(p: Index | int, q: Index | int) -> Form:
        return inverse(out, *b, k, p) * conjugated(inverse(out, *b, j, q))

    return (*b, i, j), held(out, *b, i, j) + sum_over(k, held(out, *b, i, k) * half * of_triangle(A, b, weight))


@looked_up("linalg.cholesky")
def inverse_factor(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of the triangular factor."""
    return {f"{output}.inverse": inverse_or_nan(np.linalg.cholesky(values(operands[0])))}


@operation("linalg.svdvals")
def svdvals(A: Operand, *, out: Operand) -> Row:
    """out: A v[k] = out[k] u[k], |u| = |v| = 1, so ∂out[k] = Re ū[k]ᵀ ∂A v[k]; singular values all different"""
    A, b = stack(A, "svd")
    k, a, c = out.axis(-1), A.axis(-2), A.axis(-1)
    left, right = _sides(A, out)
    product = conjugated(looked(out, left, *b, a, k)) * change(A, (*b, a, c)) * conjugated(looked(out, right, *b, k, c))
    moved = sum_over([a, c], product)
    return (*b, k), held(out, *b, k) + ((moved + conjugated(moved)) * Fraction(1, 2) if A.complex else moved)


def _sides(A: Operand, out: Operand) -> tuple[str, str]:
    """The names of the singular vectors, which are complex if the matrix is, also where the singular values are not."""
    return marked("left", A.complex), marked("right", A.complex)


@operation("linalg.svd")
def svd_values(A: Operand, full_matrices: Any = True, compute_uv: Any = True, *, out: Operand) -> Row:
    """out: A v[k] = out[k] u[k], |u| = |v| = 1, so ∂out[k] = Re ū[k]ᵀ ∂A v[k]; singular values all different"""
    if compute_uv:
        raise NoFormula("svd", "three arrays at once")
    return svdvals(A, out=out)


@looked_up("linalg.svdvals", "linalg.svd")
def singular_vectors(output: str, operands: Sequence[Any], __: Mapping[str, Any]) -> dict[str, Any]:
    """The singular vectors on either side."""
    u, _, v = np.linalg.svd(values(operands[0]), full_matrices=False)
    more = marked("", operands[0].complex)
    return {f"{output}.left{more}": u, f"{output}.right{more}": v}


def svd(A: Operand, full_matrices: Any = True, compute_uv: Any = True, *, part: int, out: Operand) -> Row:
    """out: U diag(s) V̄ᵀ = A, Ūᵀ U = V̄ᵀ V = 1; singular values all different

    With P = Ūᵀ ∂A V:  ∂s[k] = Re P[k, k], and ∂u[k] = Σ_m≠k u[m] (P[m, k] s[k] + P̄[k, m] s[m]) / (s[k]² − s[m]²)
    + i u[k] Im P[k, k] / s[k] + (1 − U Ūᵀ) ∂A v[k] / s[k]; ∂v is the same of Āᵀ without the term in i, which is the choice
    of a factor of size 1 that both have (Townsend, *Differentiating the Singular Value Decomposition*, 2016).
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
        """ū[p]ᵀ ∂A v[q], before the sum over the entries of A."""
        return conjugated(looked(out, "left", *b, a, p)) * conjugated(looked(out, "right", *b, q, c)) * moved

    own, other = looked(out, "singular", *b, k), looked(out, "singular", *b, m)
    gap = looked(out, "gaps", *b, m, k)
    if part == 0:
        i = A.axis(-2)
        turn = gap * (between(m, k) * own + conjugated(between(k, m)) * other)
        outside = looked(out, "rest", *b, i, a) * conjugated(looked(out, "right", *b, k, c)) * moved * own**-1
        changed = sum_over([a, c, m], looked(out, "left", *b, i, m) * turn) + sum_over([a, c], outside)
        if A.complex:
            phase = (between(k, k) - conjugated(between(k, k))) * Fraction(1, 2) * own**-1
            changed = changed + sum_over([a, c], looked(out, "left", *b, i, k) * phase)
        return (*b, i, k), held(out, *b, i, k) + changed
    i = A.axis(-1)  # of V̄ᵀ, of which the rows are the conjugates of v
    turn = gap * (between(k, m) * own + conjugated(between(m, k)) * other)
    outside = conjugated(looked(out, "rest", *b, i, c) * looked(out, "left", *b, a, k)) * moved * own**-1
    changed = sum_over([a, c, m], looked(out, "right", *b, m, i) * turn) + sum_over([a, c], outside)
    return (*b, k, i), held(out, *b, k, i) + changed


def qr(A: Operand, mode: Any = "reduced", *, part: int, out: Operand) -> Row:
    """out: Q · R = A, Q̄ᵀ Q = 1, R upper triangular with a real diagonal; with C = Q̄ᵀ ∂A R⁻¹
    and X = tril(C, −1) − (tril(C, −1))̄ᵀ + i Im diag(C):  ∂Q = Q X + (1 − Q Q̄ᵀ) ∂A R⁻¹ and ∂R = (C − X) R"""
    A, b = stack(A, "qr")
    if A.shape[-2] < A.shape[-1]:
        raise NoFormula("qr", f"an operand of the shape {A.shape}")
    if mode not in ("reduced", "complete") or (mode == "complete" and A.shape[-2] != A.shape[-1]):
        raise NoFormula("qr", f"the mode {mode!r}")
    a, c = A.axis(-2), A.axis(-1)
    moved = change(A, (*b, a, c))

    def product(k: Index | int, l: Index | int) -> Form:
        """C[k, l], before the sum over the entries of A."""
        return conjugated(looked(out, "q", *b, a, k)) * looked(out, "solved", *b, c, l) * moved

    half = Fraction(1, 2)
    if part == 0:
        i, j, k = A.axis(-2), A.axis(-1), A.axis(-1)
        turn = product(k, j) * condition("<", j, k) - conjugated(product(j, k)) * condition("<", k, j)
        if A.complex:
            turn = turn + (product(k, j) - conjugated(product(j, k))) * condition("==", k, j) * half
        outside = looked(out, "rest", *b, i, a) * looked(out, "solved", *b, c, j) * moved
        changed = sum_over([a, c, k], held(out, *b, i, k) * turn) + sum_over([a, c], outside)
        return (*b, i, j), held(out, *b, i, j) + changed
    i, j, k = A.axis(-1), A.axis(-1), A.axis(-1)
    above = condition("<", i, k) + condition("==", i, k) * half
    upper = above * (product(i, k) + conjugated(product(k, i)))
    return (*b, i, j), held(out, *b, i, j) + sum_over([a, c, k], upper * held(out, *b, k, j))


def decomposed(
    output: str, name: str, operands: Sequence[Any], arguments: Mapping[str, Any], part: int
) -> dict[str, Any]:
    """The arrays that the parts of decompositions mention."""
    if name == "linalg.eigh":
        return vectors(output, operands, arguments)
    if name == "linalg.eig":
        return eigenvectors(output, operands, arguments)
    a = values(operands[0])
    if name == "linalg.qr":
        q, r = np.linalg.qr(a)
        found = {"q": q, "solved": inverse_or_nan(r), "rest": _rest(q)}
    elif part == 1:
        return singular_vectors(output, operands, arguments)
    else:
        u, s, v = np.linalg.svd(a, full_matrices=False)
        apart = s[..., None, :] ** 2 - s[..., :, None] ** 2
        gaps = np.where(apart == 0, 0.0, 1.0 / np.where(apart == 0, 1.0, apart))
        rest = _rest(u if part == 0 else _turned(v))
        found = {"left": u, "right": v, "singular": s, "gaps": gaps, "rest": rest}
    return {f"{output}.{what}": array for what, array in found.items()}


def _turned(a: Array) -> Array:
    return np.swapaxes(a.conj(), -1, -2)


def _rest(q: Array) -> Array:
    """1 − Q Q̄ᵀ."""
    return np.asarray(np.eye(q.shape[-2]) - q @ _turned(q))


same_for_complex("linalg.cholesky", "linalg.svdvals", "linalg.svd")
