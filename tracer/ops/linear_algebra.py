"""Inverses, determinants and decompositions: each from the equation that defines its result.

The equation is differentiated and solved for the change of the result, as in M. B. Giles, *Collected Matrix
Derivative Results for Forward and Reverse Mode Algorithmic Differentiation* (2008); for an inverse, from
A · out = 1:  ∂A · out + A · ∂out = 0, so ∂out = −out · ∂A · out.

What an equation needs besides the result is an array of its own: ``<A>.inverse``, ``<out>.vectors``, ….
A symmetric matrix is read as NumPy reads it, from its lower triangle; entries above it do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.linearised import inverse_of
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.stated import Indices, array_like, change, inverse, looked
from tracer.ops.table import Row, looked_up, operation
from tracer.ops.writing import Form, NoFormula, condition, delta, form, rational, sum_over

Array = np.ndarray[Any, Any]


def _stack(A: Any, op: str) -> tuple[Operand, Indices]:
    """The operand, with indices over the axes before its last two."""
    matrix = array_like(A, op)
    if matrix.ndim < 2:
        raise NoFormula(op, f"an operand of the shape {matrix.shape}")
    return matrix, matrix.indices()[:-2]


def _one_axis(A: Operand) -> None:
    """Rows and columns of a symmetric matrix run over one axis."""
    rows, columns = A.axes[-2:]
    if rows is not None and columns is not None:
        A.table.unite(rows, columns)


def _values(x: Any) -> Array:
    return np.asarray(x.value, dtype=float)


@operation("linalg.inv")
def inv(A: Operand, *, out: Operand) -> Row:
    """out: Σ_j A[i, j] · out[j, k] = δ(i, k), so ∂out = −out · ∂A · out"""
    A, b = _stack(A, "inv")
    i, j, a, c = A.axis(-1), A.axis(-2), A.axis(-2), A.axis(-1)
    product = _held(out, *b, i, a) * change(A, (*b, a, c)) * _held(out, *b, c, j)
    return (*b, i, j), inverse(A, *b, i, j) - sum_over([a, c], product)


def _held(out: Operand, *indices: Index | int) -> Form:
    return looked(out, "value", *indices)


@operation("linalg.det")
def det(A: Operand, *, out: Operand) -> Row:
    """out = Σ_j A[i, j] C[i, j] for each row i, with cofactors C free of that row, C = out · A⁻ᵀ where out ≠ 0,
    so ∂out = out · Σ_ij A⁻¹[j, i] ∂A[i, j]"""
    A, b = _stack(A, "det")
    a, c = A.axis(-2), A.axis(-1)
    changed = sum_over([a, c], inverse(A, *b, c, a) * change(A, (*b, a, c)))
    return b, _held(out, *b) * (1 + changed)


@operation("linalg.solve")
def solve(A: Operand, B: Operand, *, out: Operand) -> Row:
    """out: Σ_j A[i, j] · out[j, k] = B[i, k], so ∂out = A⁻¹ · (∂B − ∂A · out)"""
    A, b = _stack(A, "solve")
    array_like(B, "solve")
    if B.ndim != 1 and B.shape[:-2] != A.shape[:-2] or B.ndim == 1 and A.ndim > 2:
        raise NoFormula("solve", f"operands of the shapes {A.shape} and {B.shape}")
    k = () if B.ndim == 1 else (B.axis(-1),)
    i, a, c = A.axis(-1), A.axis(-2), A.axis(-1)
    inner = change(A, (*b, a, c)) * _held(out, *b, c, *k)
    return (*b, i, *k), sum_over(a, inverse(A, *b, i, a) * (B[(*b, a, *k)] - sum_over(c, inner)))


def _inverse(a: Array) -> Array:
    """The inverse; not a number where a matrix has none."""
    try:
        return np.asarray(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan)


@looked_up("linalg.inv", "linalg.det", "linalg.solve")
def inverses(_: str, operands: Sequence[Any], __: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of the matrix."""
    return {inverse_of(operands[0].name): _inverse(_values(operands[0]))}


@operation("linalg.pinv")
def pinv(A: Operand, *, out: Operand) -> Row:
    """out: A · out · A = A, out · A · out = out, both products symmetric; of constant rank

    ∂out = −out ∂A out + out outᵀ ∂Aᵀ (1 − A out) + (1 − out A) ∂Aᵀ outᵀ out (Golub and Pereyra, 1973).
    """
    A, b = _stack(A, "pinv")
    if b:
        raise NoFormula("pinv", "several matrices at once")
    i, j = A.axis(-1), A.axis(-2)
    a, c, x, y = A.axis(-2), A.axis(-1), A.axis(-2), A.axis(-1)
    moved = change(A, (a, c))
    inside = _held(out, i, a) * moved * _held(out, c, j)
    rows = _held(out, i, x) * _held(out, c, x) * moved * looked(out, "left", a, j)
    columns = looked(out, "right", i, c) * moved * _held(out, y, a) * _held(out, y, j)
    changed = sum_over([a, c, x], rows) + sum_over([a, c, y], columns) - sum_over([a, c], inside)
    return (i, j), _held(out, i, j) + changed


@looked_up("linalg.pinv")
def projections(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """1 − A A⁺ and 1 − A⁺ A."""
    a = _values(operands[0])
    p = np.linalg.pinv(a)
    return {f"{output}.left": np.eye(len(a)) - a @ p, f"{output}.right": np.eye(a.shape[1]) - p @ a}


def _lower(A: Operand, b: Indices, weight: Callable[[Index | int, Index | int], Form]) -> Form:
    """Σ weight(p, q) ∂S[p, q] of the symmetric matrix S whose lower triangle is that of A."""
    p, q = A.axis(-2), A.axis(-1)
    twice = weight(p, q) * condition("<=", q, p) + weight(q, p) * condition("<", q, p)
    return sum_over([p, q], twice * change(A, (*b, p, q)))


@operation("linalg.cholesky")
def cholesky(A: Operand, *, out: Operand) -> Row:
    """out: out · outᵀ = A, out lower triangular, so ∂out = out · Φ(out⁻¹ ∂A out⁻ᵀ), Φ the half on and below the diagonal

    Murray, *Differentiation of the Cholesky decomposition* (2016).
    """
    A, b = _stack(A, "cholesky")
    _one_axis(A)
    i, j, k = A.axis(-2), A.axis(-2), A.axis(-2)
    half = condition("<", j, k) + (delta(j, k) if isinstance(k, Index) else form(1)) * Fraction(1, 2)

    def weight(p: Index | int, q: Index | int) -> Form:
        return inverse(out, *b, k, p) * inverse(out, *b, j, q)

    return (*b, i, j), _held(out, *b, i, j) + sum_over(k, _held(out, *b, i, k) * half * _lower(A, b, weight))


@looked_up("linalg.cholesky")
def inverse_factor(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of the triangular factor."""
    return {f"{output}.inverse": _inverse(np.linalg.cholesky(_values(operands[0])))}


@operation("linalg.eigvalsh")
def eigvalsh(A: Operand, *, out: Operand) -> Row:
    """out: A v = out v, |v| = 1, A symmetric, so ∂out[k] = v[k]ᵀ ∂A v[k]; eigenvalues all different"""
    A, b = _stack(A, "eigvalsh")
    _one_axis(A)
    k = A.axis(-2)

    def weight(p: Index | int, q: Index | int) -> Form:
        return looked(out, "vectors", *b, p, k) * looked(out, "vectors", *b, q, k)

    return (*b, k), _held(out, *b, k) + _lower(A, b, weight)


@looked_up("linalg.eigvalsh")
def vectors(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The eigenvectors, and between two eigenvalues one over their distance."""
    w, v = np.linalg.eigh(_values(operands[0]))
    apart = w[..., None, :] - w[..., :, None]
    same = np.eye(w.shape[-1], dtype=bool)
    gaps = np.where(same, 0.0, 1.0 / np.where(same | (apart == 0), 1.0, apart))
    return {f"{output}.vectors": v, f"{output}.gaps": np.where(apart == 0, 0.0, gaps)}


def eigh(A: Operand, *, part: int, out: Operand) -> Row:
    """out: A v = w v, |v| = 1, A symmetric, so ∂v[k] = Σ_m v[m] (v[m]ᵀ ∂A v[k]) / (w[k] − w[m])"""
    if part == 0:
        return eigvalsh(A, out=out)
    A, b = _stack(A, "eigh")
    _one_axis(A)
    i, k, m = A.axis(-2), A.axis(-2), A.axis(-2)

    def weight(p: Index | int, q: Index | int) -> Form:
        return looked(out, "vectors", *b, p, m) * looked(out, "vectors", *b, q, k)

    turned = _held(out, *b, i, m) * looked(out, "gaps", *b, m, k) * _lower(A, b, weight)
    return (*b, i, k), _held(out, *b, i, k) + sum_over(m, turned)


def slogdet(A: Operand, *, part: int, out: Operand) -> Row:
    """out = log |det A|, so ∂out = Σ_ij A⁻¹[j, i] ∂A[i, j]; the sign only jumps"""
    A, b = _stack(A, "slogdet")
    if part == 0:
        return b, _held(out, *b)
    a, c = A.axis(-2), A.axis(-1)
    return b, _held(out, *b) + sum_over([a, c], inverse(A, *b, c, a) * change(A, (*b, a, c)))


@operation("linalg.svdvals")
def svdvals(A: Operand, *, out: Operand) -> Row:
    """out: A v[k] = out[k] u[k], |u| = |v| = 1, so ∂out[k] = u[k]ᵀ ∂A v[k]; singular values all different"""
    A, b = _stack(A, "svd")
    k, a, c = out.axis(-1), A.axis(-2), A.axis(-1)
    product = looked(out, "left", *b, a, k) * change(A, (*b, a, c)) * looked(out, "right", *b, k, c)
    return (*b, k), _held(out, *b, k) + sum_over([a, c], product)


@operation("linalg.svd")
def svd_values(A: Operand, full_matrices: Any = True, compute_uv: Any = True, *, out: Operand) -> Row:
    """out: A v[k] = out[k] u[k], |u| = |v| = 1, so ∂out[k] = u[k]ᵀ ∂A v[k]; singular values all different"""
    if compute_uv:
        raise NoFormula("svd", "three arrays at once")
    return svdvals(A, out=out)


@looked_up("linalg.svdvals", "linalg.svd")
def singular_vectors(output: str, operands: Sequence[Any], __: Mapping[str, Any]) -> dict[str, Any]:
    """The singular vectors on either side."""
    u, _, v = np.linalg.svd(_values(operands[0]), full_matrices=False)
    return {f"{output}.left": u, f"{output}.right": v}


def svd(A: Operand, *_: Any, part: int, out: Operand, **__: Any) -> Row:
    """out: A v[k] = out[k] u[k], |u| = |v| = 1, so ∂out[k] = u[k]ᵀ ∂A v[k]; singular values all different"""
    if part != 1:
        raise NoFormula("svd", "the singular vectors; the singular values have a formula")
    return svdvals(A, out=out)


def qr(A: Operand, *, part: int, out: Operand) -> Row:
    """out: Q · R = A, Qᵀ Q = 1, R upper triangular; with C = Qᵀ ∂A R⁻¹ and X = tril(C, −1) − tril(C, −1)ᵀ
    ∂Q = Q X + (1 − Q Qᵀ) ∂A R⁻¹ and ∂R = (C − X) R"""
    A, b = _stack(A, "qr")
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
        changed = sum_over([a, c, k], _held(out, i, k) * turn) + sum_over([a, c], outside)
        return (i, j), _held(out, i, j) + changed
    i, j, k = A.axis(1), A.axis(1), A.axis(1)
    upper = product(i, k) * condition("<=", i, k) + product(k, i) * condition("<", i, k)
    return (i, j), _held(out, i, j) + sum_over([a, c, k], upper * _held(out, k, j))


def lstsq(A: Operand, B: Operand, rcond: Any = None, *, part: int, out: Operand) -> Row:
    """out: Aᵀ (A · out − B) = 0, A of full column rank, so ∂out = A⁺ (∂B − ∂A out) + (Aᵀ A)⁻¹ ∂Aᵀ (B − A out)"""
    A, b = _stack(A, "lstsq")
    array_like(B, "lstsq")
    if rcond not in (None, "warn") and rational(rcond) > 0:
        raise NoFormula("lstsq", "small singular values are taken for zero (rcond)")
    if part != 0 or b or B.ndim > 2 or A.shape[0] < A.shape[1]:
        raise NoFormula("lstsq", f"the part {part} for operands of the shapes {A.shape} and {B.shape}")
    k = () if B.ndim == 1 else (B.axis(1),)
    i, a, c = A.axis(1), A.axis(0), A.axis(1)
    moved = change(A, (a, c))
    fitted = looked(out, "pseudo", i, a) * (change(B, (a, *k)) - sum_over(c, moved * _held(out, c, *k)))
    turned = looked(out, "gram", i, c) * moved * looked(out, "residual", a, *k)
    return (i, *k), _held(out, i, *k) + sum_over(a, fitted) + sum_over([a, c], turned)


def parts_looked_up(output: str, name: str, operands: Sequence[Any]) -> dict[str, Any]:
    """The arrays that the parts of decompositions mention."""
    a = _values(operands[0])
    found: dict[str, Any]
    match name:
        case "linalg.eigh":
            return vectors(output, operands, {})
        case "linalg.slogdet":
            return inverses(output, operands, {})
        case "linalg.svd":
            return singular_vectors(output, operands, {})
        case "linalg.qr":
            q, r = np.linalg.qr(a)
            found = {"q": q, "solved": _inverse(r), "rest": np.eye(len(a)) - q @ q.T}
        case "linalg.lstsq":
            b = _values(operands[1])
            p = np.linalg.pinv(a)
            found = {"pseudo": p, "gram": _inverse(a.T @ a), "residual": b - a @ (p @ b)}
        case _:
            return {}
    return {f"{output}.{what}": v for what, v in found.items()}
