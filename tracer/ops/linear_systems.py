"""Inverses, determinants and solutions of linear equations: each from the equation that defines its result.

The equation is differentiated and solved for the change of the result, as in M. B. Giles, *Collected Matrix
Derivative Results for Forward and Reverse Mode Algorithmic Differentiation* (2008); for an inverse, from
A · out = 1:  ∂A · out + A · ∂out = 0, so ∂out = −out · ∂A · out.

What an equation needs besides the result is an array of its own: ``<A>.inverse``, ``<out>.left``, ….
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.linearised import inverse_of
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import whole
from tracer.ops.stated import Indices, array_like, change, conjugated, inverse, looked
from tracer.ops.table import Row, looked_up, operation, same_for_complex
from tracer.ops.writing import Form, NoFormula, rational, sum_over

Array = np.ndarray[Any, Any]


def stack(A: Any, op: str) -> tuple[Operand, Indices]:
    """The operand, with indices over the axes before its last two."""
    matrix = array_like(A, op)
    if matrix.ndim < 2:
        raise NoFormula(op, f"an operand of the shape {matrix.shape}")
    return matrix, matrix.indices()[:-2]


def values(x: Any) -> Array:
    """The value of an operand, in floating point."""
    found = np.asarray(x.value)
    return found if found.dtype.kind == "c" else np.asarray(found, dtype=float)


def held(out: Operand, *indices: Index | int) -> Form:
    """An entry of the result by its value."""
    return looked(out, "value", *indices)


@operation("linalg.inv")
def inv(A: Operand, *, out: Operand) -> Row:
    """out: Σ_j A[i, j] · out[j, k] = δ(i, k), so ∂out = −out · ∂A · out"""
    A, b = stack(A, "inv")
    i, j, a, c = A.axis(-1), A.axis(-2), A.axis(-2), A.axis(-1)
    product = held(out, *b, i, a) * change(A, (*b, a, c)) * held(out, *b, c, j)
    return (*b, i, j), inverse(A, *b, i, j) - sum_over([a, c], product)


@operation("linalg.det")
def det(A: Operand, *, out: Operand) -> Row:
    """out = Σ_j A[i, j] C[i, j] for each row i, with cofactors C free of that row, C = out · A⁻ᵀ where out ≠ 0,
    so ∂out = out · Σ_ij A⁻¹[j, i] ∂A[i, j]"""
    A, b = stack(A, "det")
    a, c = A.axis(-2), A.axis(-1)
    changed = sum_over([a, c], inverse(A, *b, c, a) * change(A, (*b, a, c)))
    return b, held(out, *b) * (1 + changed)


@operation("linalg.solve")
def solve(A: Operand, B: Operand, *, out: Operand) -> Row:
    """out: Σ_j A[i, j] · out[j, k] = B[i, k], so ∂out = A⁻¹ · (∂B − ∂A · out)"""
    A, b = stack(A, "solve")
    array_like(B, "solve")
    if B.ndim != 1 and B.shape[:-2] != A.shape[:-2] or B.ndim == 1 and A.ndim > 2:
        raise NoFormula("solve", f"operands of the shapes {A.shape} and {B.shape}")
    k = () if B.ndim == 1 else (B.axis(-1),)
    i, a, c = A.axis(-1), A.axis(-2), A.axis(-1)
    inner = change(A, (*b, a, c)) * held(out, *b, c, *k)
    return (*b, i, *k), sum_over(a, inverse(A, *b, i, a) * (B[(*b, a, *k)] - sum_over(c, inner)))


def inverse_or_nan(a: Array) -> Array:
    """The inverse; not a number where a matrix has none."""
    try:
        return np.asarray(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan)


@looked_up("linalg.inv", "linalg.det", "linalg.solve")
def inverses(_: str, operands: Sequence[Any], __: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of the matrix."""
    return {inverse_of(operands[0].name): inverse_or_nan(values(operands[0]))}


@operation("linalg.pinv")
def pinv(A: Operand, *, out: Operand) -> Row:
    """out: A · out · A = A, out · A · out = out, both products symmetric; of constant rank

    ∂out = −out ∂A out + out outᵀ ∂Aᵀ (1 − A out) + (1 − out A) ∂Aᵀ outᵀ out (Golub and Pereyra, 1973); of complex
    matrices each transpose is conjugated.
    """
    A, b = stack(A, "pinv")
    i, j = A.axis(-1), A.axis(-2)
    a, c, x, y = A.axis(-2), A.axis(-1), A.axis(-2), A.axis(-1)
    moved = change(A, (*b, a, c))
    turned = conjugated(moved)
    inside = held(out, *b, i, a) * moved * held(out, *b, c, j)
    rows = held(out, *b, i, x) * conjugated(held(out, *b, c, x)) * turned * looked(out, "left", *b, a, j)
    columns = looked(out, "right", *b, i, c) * turned * conjugated(held(out, *b, y, a)) * held(out, *b, y, j)
    changed = sum_over([a, c, x], rows) + sum_over([a, c, y], columns) - sum_over([a, c], inside)
    return (*b, i, j), held(out, *b, i, j) + changed


@looked_up("linalg.pinv")
def projections(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """1 − A A⁺ and 1 − A⁺ A."""
    a = values(operands[0])
    p = np.linalg.pinv(a)
    return {f"{output}.left": np.eye(a.shape[-2]) - a @ p, f"{output}.right": np.eye(a.shape[-1]) - p @ a}


def slogdet(A: Operand, *, part: int, out: Operand) -> Row:
    """out = log |det A|, so ∂out = Re Σ_ij A⁻¹[j, i] ∂A[i, j]; the sign only jumps

    Of a complex A the sign is det A / |det A|, so ∂sign = i sign Im Σ_ij A⁻¹[j, i] ∂A[i, j].
    """
    A, b = stack(A, "slogdet")
    if part == 0 and not A.complex:
        return b, held(out, *b)
    a, c = A.axis(-2), A.axis(-1)
    moved = sum_over([a, c], inverse(A, *b, c, a) * change(A, (*b, a, c)))
    if part == 0:
        return b, held(out, *b) * (1 + (moved - conjugated(moved)) * Fraction(1, 2))
    return b, held(out, *b) + ((moved + conjugated(moved)) * Fraction(1, 2) if A.complex else moved)


def lstsq(A: Operand, B: Operand, rcond: Any = None, *, part: int, out: Operand) -> Row:
    """out: Aᵀ (A · out − B) = 0, A of full column rank, so ∂out = A⁺ (∂B − ∂A out) + (Aᵀ A)⁻¹ ∂Aᵀ (B − A out)

    Of complex matrices each transpose is conjugated.
    """
    A, b = stack(A, "lstsq")
    array_like(B, "lstsq")
    if rcond not in (None, "warn") and rational(rcond) > 0:
        raise NoFormula("lstsq", "small singular values are taken for zero (rcond)")
    if part != 0 or b or B.ndim > 2 or A.shape[0] < A.shape[1]:
        raise NoFormula("lstsq", f"the part {part} for operands of the shapes {A.shape} and {B.shape}")
    k = () if B.ndim == 1 else (B.axis(1),)
    i, a, c = A.axis(1), A.axis(0), A.axis(1)
    moved = change(A, (a, c))
    fitted = looked(out, "pseudo", i, a) * (change(B, (a, *k)) - sum_over(c, moved * held(out, c, *k)))
    turned = looked(out, "gram", i, c) * conjugated(moved) * looked(out, "residual", a, *k)
    return (i, *k), held(out, i, *k) + sum_over(a, fitted) + sum_over([a, c], turned)


@operation("linalg.tensorinv")
def tensorinv(A: Operand, ind: Any = 2, *, out: Operand) -> Row:
    """out: Σ_J A[I, J] · out[J, K] = δ(I, K), so ∂out = −out · ∂A · out; the first axes of A taken together are I"""
    first = whole(ind)
    a = A.indices()
    rows, columns = a[:first], a[first:]
    j, k = A.indices()[first:], A.indices()[:first]
    product = held(out, *j, *rows) * change(A, a) * held(out, *columns, *k)
    return (*j, *k), held(out, *j, *k) - sum_over(a, product)


@operation("linalg.tensorsolve")
def tensorsolve(A: Operand, B: Operand, axes: Any = None, *, out: Operand) -> Row:
    """out: Σ_J A[I, J] · out[J] = B[I], so ∂out = A⁻¹ · (∂B − ∂A · out)"""
    if axes is not None:
        raise NoFormula("tensorsolve", "axes put elsewhere first")
    a, j = A.indices(), A.indices()[B.ndim :]
    rows, columns = a[: B.ndim], a[B.ndim :]
    moved = change(B, rows) - sum_over(columns, change(A, a) * held(out, *columns))
    return j, held(out, *j) + sum_over(rows, looked(out, "inverse", *j, *rows) * moved)


@looked_up("linalg.tensorsolve")
def inverse_of_tensor(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of the tensor as a matrix."""
    a, b = values(operands[0]), operands[1]
    flat = a.reshape(int(np.prod(b.shape)), -1)
    return {f"{output}.inverse": inverse_or_nan(flat).reshape(*a.shape[b.ndim :], *b.shape)}


def normal_equations(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """A⁺, (Aᵀ A)⁻¹ and B − A out."""
    a, b = values(operands[0]), values(operands[1])
    p = np.linalg.pinv(a)
    found = {"pseudo": p, "gram": inverse_or_nan(a.conj().T @ a), "residual": b - a @ (p @ b)}
    return {f"{output}.{what}": array for what, array in found.items()}


same_for_complex("linalg.inv", "linalg.det", "linalg.solve", "linalg.pinv", "linalg.tensorinv", "linalg.tensorsolve")
