"""Eigenvalues and eigenvectors, real or complex: each from the equation A v = w v that defines them.

The equation is differentiated and solved for the change of the part, as in M. B. Giles, *Collected Matrix
Derivative Results for Forward and Reverse Mode Algorithmic Differentiation* (2008), and for eigenvectors of any matrix in
S.-Q. Wan and S.-X. Zhang, *Automatic Differentiation for Complex Valued SVD* (2019).  What it needs besides the
result is an array of its own: ``<out>.vectors``, ``<out>.gaps``, ….

A symmetric, or Hermitian, matrix is read as NumPy reads it, from its lower triangle; entries above it do not count.
An eigenvector has the length 1; a complex one is fixed up to a factor of size 1 all the same, so that only what does not
depend on that factor has a derivative: the change of a vector is taken at right angles to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.complex_values import marked
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.linear_systems import held, inverse_or_nan, stack, values
from tracer.ops.stated import Indices, change, conjugated, looked
from tracer.ops.table import Row, by_name, looked_up, operation, same_for_complex
from tracer.ops.writing import Form, condition, sum_over

Array = np.ndarray[Any, Any]


def one_axis(A: Operand) -> None:
    """Say that rows and columns of a square matrix run over one axis."""
    rows, columns = A.axes[-2:]
    if rows is not None and columns is not None:
        A.table.unite(rows, columns)


def of_triangle(A: Operand, b: Indices, weight: Callable[[Index | int, Index | int], Form], triangle: Any = "L") -> Form:
    """Σ weight(p, q) ∂S[p, q] of the Hermitian matrix S whose lower, or upper, triangle is that of A."""
    p, q = A.axis(-2), A.axis(-1)
    inside = condition("<", p, q) if str(triangle).upper() == "U" else condition("<", q, p)
    once = inside + condition("==", p, q) * Fraction(1, 2)
    moved = change(A, (*b, p, q))
    return sum_over([p, q], once * (weight(p, q) * moved + weight(q, p) * conjugated(moved)))


@operation("linalg.eigvalsh")
def eigvalsh(A: Operand, UPLO: Any = "L", *, out: Operand) -> Row:
    """out: A v = out v, |v| = 1, A symmetric, so ∂out[k] = v[k]ᵀ ∂A v[k]; eigenvalues all different

    Of a Hermitian A it is v̄[k]ᵀ ∂A v[k].
    """
    A, b = stack(A, "eigvalsh")
    one_axis(A)
    k = A.axis(-2)
    v = _vectors(A)

    def weight(p: Index | int, q: Index | int) -> Form:
        return conjugated(looked(out, v, *b, p, k)) * looked(out, v, *b, q, k)

    return (*b, k), held(out, *b, k) + of_triangle(A, b, weight, UPLO)


def _vectors(A: Operand) -> str:
    """The name of the vectors, which are complex if the matrix is, also where the eigenvalues are not."""
    return marked("vectors", A.complex)


@looked_up("linalg.eigvalsh")
def vectors(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The eigenvectors, and between two eigenvalues one over their distance."""
    triangle = by_name("A UPLO", operands, arguments).get("UPLO", "L")
    w, v = np.linalg.eigh(values(operands[0]), triangle)
    return {f"{output}.{_vectors(operands[0])}": v, f"{output}.gaps": _gaps(w)}


def _gaps(w: Array) -> Array:
    """1 / (w[k] − w[m]) at [m, k]; 0 where they are equal."""
    apart = w[..., None, :] - w[..., :, None]
    return np.where(apart == 0, 0.0, 1.0 / np.where(apart == 0, 1.0, apart))


def eigh(A: Operand, UPLO: Any = "L", *, part: int, out: Operand) -> Row:
    """out: A v = w v, |v| = 1, A symmetric, so ∂v[k] = Σ_m v[m] (v[m]ᵀ ∂A v[k]) / (w[k] − w[m])

    Of a Hermitian A it is v̄[m]ᵀ ∂A v[k].
    """
    if part == 0:
        return eigvalsh(A, UPLO, out=out)
    A, b = stack(A, "eigh")
    one_axis(A)
    i, k, m = A.axis(-2), A.axis(-2), A.axis(-2)
    v = _vectors(A)

    def weight(p: Index | int, q: Index | int) -> Form:
        return conjugated(looked(out, v, *b, p, m)) * looked(out, v, *b, q, k)

    turned = held(out, *b, i, m) * looked(out, "gaps", *b, m, k) * of_triangle(A, b, weight, UPLO)
    return (*b, i, k), held(out, *b, i, k) + sum_over(m, turned)


@operation("linalg.eigvals")
def eigvals(A: Operand, *, out: Operand) -> Row:
    """out: A v = out v, so ∂out[k] = Σ_ij v⁻¹[k, i] ∂A[i, j] v[j, k]; eigenvalues all different"""
    A, b = stack(A, "eigvals")
    one_axis(A)
    k, p, q = A.axis(-2), A.axis(-2), A.axis(-1)
    product = looked(out, "left", *b, k, p) * change(A, (*b, p, q)) * looked(out, "vectors", *b, q, k)
    return (*b, k), held(out, *b, k) + sum_over([p, q], product)


def eig(A: Operand, *, part: int, out: Operand) -> Row:
    """out: A v = w v, |v| = 1, so ∂v[k] = Σ_m (v[m] − v[k] (v̄[k]ᵀ v[m])) (v⁻¹ ∂A v)[m, k] / (w[k] − w[m])"""
    if part == 0:
        return eigvals(A, out=out)
    A, b = stack(A, "eig")
    one_axis(A)
    i, k, m, p, q = A.axis(-2), A.axis(-2), A.axis(-2), A.axis(-2), A.axis(-1)
    inner = looked(out, "left", *b, m, p) * change(A, (*b, p, q)) * looked(out, "vectors", *b, q, k)
    return (*b, i, k), held(out, *b, i, k) + sum_over([m, p, q], looked(out, "turns", *b, i, m, k) * inner)


@looked_up("linalg.eigvals")
def eigenvectors(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The eigenvectors, their inverse, and how far each of them turns towards the others."""
    w, v = np.linalg.eig(values(operands[0]))
    along = np.swapaxes(v.conj(), -1, -2) @ v  # v̄[k]ᵀ v[m]
    outside = v[..., :, :, None] - v[..., :, None, :] * np.swapaxes(along, -1, -2)[..., None, :, :]
    turns = outside * _gaps(w)[..., None, :, :]
    return {f"{output}.vectors": v, f"{output}.left": inverse_or_nan(v), f"{output}.turns": turns}


same_for_complex("linalg.eigvalsh", "linalg.eigvals")
