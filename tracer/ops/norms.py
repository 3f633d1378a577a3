"""Norms of vectors and matrices, and the condition number.

The square of a 2-norm is a sum of squares.  Other norms are stated by their slopes: ``<out>.slopes`` is how much
the norm changes with each entry, from the singular vectors, the signs, or the entry that is the largest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracer.ops.axes import Operand
from tracer.ops.reductions import axis_at, reduced, rows, split
from tracer.ops.stated import array_like, change, looked, root
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import NoFormula, form, mask, sum_over

Array = np.ndarray[Any, Any]


@operation("norm")
def norm(X: Operand, axis: Any = None, keepdims: Any = False, ord: Any = None, *, out: Operand) -> Row:
    """out[i]² = Σ_j X[i, j]², out[i] > 0; of the order 1: out[i] = Σ_j |X[i, j]|; of others by slopes: ∂out = Σ S ∂X

    Where several entries, rows or columns are the largest the first one counts.
    S is sign(X) |X / out|^(p − 1) for the order p of a vector, u vᵀ of the largest singular value for the order 2 of
    a matrix, U Vᵀ for its nuclear norm, and the signs in the row or column that counts for the orders ∞ and 1.
    """
    i, over, free = split(array_like(X, "norm"), axis, keepdims)
    if ord is None or (ord == 2 and len(over) == 1) or (ord == "fro" and len(over) == 2):
        return free, root(out, free, sum_over(over, X[i] ** 2))
    if ord == 1 and len(over) == 1:
        sign = mask(">", X[i], form(0)) - mask(">", form(0), X[i])
        return free, sum_over(over, X[i] * sign)
    if len(over) > 2 or ord == 0 or (isinstance(ord, str) and len(over) == 1):
        raise NoFormula("norm", f"a norm of the order {ord} over {len(over)} axes")
    return free, looked(out, "value", *free) + sum_over(over, looked(out, "slopes", *i) * change(X, i))


@operation("linalg.vector_norm")
def vector_norm(X: Operand, axis: Any = None, keepdims: Any = False, ord: Any = 2, *, out: Operand) -> Row:
    """out[i]² = Σ_j X[i, j]², out[i] > 0; of another order p by slopes: ∂out = Σ sign(X) |X / out|^(p − 1) ∂X"""
    i, over, free = split(array_like(X, "vector_norm"), axis, keepdims)
    if ord == 2:
        return free, root(out, free, sum_over(over, X[i] ** 2))
    if ord == 0:
        raise NoFormula("vector_norm", "the number of entries that are not zero")
    return free, looked(out, "value", *free) + sum_over(over, looked(out, "slopes", *i) * change(X, i))


@operation("linalg.matrix_norm")
def matrix_norm(X: Operand, keepdims: Any = False, ord: Any = "fro", *, out: Operand) -> Row:
    """out² = Σ_ij X[i, j]², out > 0; of other orders by slopes, as `norm`: ∂out = Σ S ∂X"""
    return norm(X, (-2, -1), keepdims, ord, out=out)


@looked_up("norm")
def slopes_of_norms(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """How much the norm changes with each entry; nothing for a norm that needs no slopes."""
    given = by_name("X", operands, arguments)
    return _slopes(output, given["X"], given.get("ord"), given.get("axis"))


@looked_up("linalg.matrix_norm")
def slopes_of_matrix_norms(
    output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The same, of the last two axes."""
    return _slopes(output, operands[0], arguments.get("ord"), (-2, -1))


def _slopes(output: str, X: Operand, order: Any, axis: Any) -> dict[str, Any]:
    if order in (None, "fro"):
        return {}
    x = np.asarray(X.value, dtype=float)
    over = reduced(x.ndim, axis)
    order = order if isinstance(order, str) else float(order)
    if len(over) != 2:
        return {f"{output}.slopes": _of_vectors(x, order, over)}
    places = (0, 1) if axis is None else tuple(axis_at(a, x.ndim) for a in axis)
    slopes = of_matrices(np.moveaxis(x, places, (-2, -1)), order)
    return {f"{output}.slopes": np.moveaxis(slopes, (-2, -1), places)}


@looked_up("linalg.vector_norm")
def slopes_of_vector_norms(
    output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The same, of all entries along the axes as one vector."""
    X, order = operands[0], float(arguments.get("ord", 2))
    if order == 2:
        return {}
    x = np.asarray(X.value, dtype=float)
    return {f"{output}.slopes": _of_vectors(x, order, reduced(x.ndim, arguments.get("axis")))}


def _of_vectors(x: Array, order: Any, over: tuple[int, ...]) -> Array:
    size = np.abs(x)
    if np.isinf(order):
        return np.sign(x) * _first_extreme(size, over, order > 0)
    total = (size**order).sum(axis=over, keepdims=True) ** (1 / order)
    return np.asarray(np.sign(x) * (size / total) ** (order - 1))


def _first_extreme(sizes: Array, over: tuple[int, ...], largest: bool) -> Array:
    """1 at the largest, or smallest, along some axes, the first of equal ones; 0 elsewhere."""
    kept = [p for p in range(sizes.ndim) if p not in over]
    moved = np.transpose(sizes, (*kept, *over))
    flat = moved.reshape(rows(sizes.shape, kept, over))
    first = flat.argmax(axis=-1) if largest else flat.argmin(axis=-1)
    chosen = (np.arange(flat.shape[-1]) == first[..., None]).astype(float).reshape(moved.shape)
    return np.transpose(chosen, np.argsort((*kept, *over)))


def of_matrices(x: Array, order: Any) -> Array:
    """How much a norm of the last two axes changes with each entry."""
    if order in (1, -1, np.inf, -np.inf):
        sums = np.abs(x).sum(axis=-2 if abs(order) == 1 else -1, keepdims=True)
        return np.sign(x) * _first_extreme(sums, (x.ndim - 2, x.ndim - 1), order > 0)
    if order == "fro":
        return np.asarray(x / np.sqrt((x**2).sum(axis=(-2, -1), keepdims=True)))
    u, _, v = np.linalg.svd(x, full_matrices=False)
    if order in (2, -2):
        k = 0 if order > 0 else -1
        return np.asarray(u[..., :, k, None] * v[..., k, None, :])
    return np.asarray(u @ v)


@operation("linalg.cond")
def cond(X: Operand, p: Any = None, *, out: Operand) -> Row:
    """out = ‖X‖ ‖X⁻¹‖; of the order 2 the largest singular value by the smallest; by slopes: ∂out = Σ S ∂X

    With S₁, S₂ the slopes of the norms of X and X⁻¹, from ∂X⁻¹ = −X⁻¹ ∂X X⁻¹:  S = ‖X⁻¹‖ S₁ − ‖X‖ X⁻ᵀ S₂ X⁻ᵀ.
    """
    if array_like(X, "cond").ndim < 2:
        raise NoFormula("cond", f"an operand of the shape {X.shape}")
    i = X.indices()
    slopes = looked(out, "slopes", *i) * change(X, i)
    return i[:-2], looked(out, "value", *i[:-2]) + sum_over(i[-2:], slopes)


@looked_up("linalg.cond")
def slopes_of_condition(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """How much the condition number changes with each entry."""
    given = by_name("X p", operands, arguments)
    x = np.asarray(given["X"].value, dtype=float)
    order: Any = given.get("p")
    if order in (None, 2, -2):
        u, w, v = np.linalg.svd(x, full_matrices=False)
        first, last = (u[..., :, k, None] * v[..., k, None, :] for k in (0, -1))
        high, low = w[..., 0, None, None], w[..., -1, None, None]
        slopes = first / low - last * high / low**2 if order != -2 else last / high - first * low / high**2
        return {f"{output}.slopes": slopes}
    order = order if isinstance(order, str) else float(order)
    y = np.linalg.inv(x)
    back = np.swapaxes(y, -1, -2)
    one, other = (np.linalg.norm(m, ord=order, axis=(-2, -1), keepdims=True) for m in (x, y))
    return {f"{output}.slopes": other * of_matrices(x, order) - one * (back @ of_matrices(y, order) @ back)}
