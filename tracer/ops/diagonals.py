"""Diagonals and triangles of matrices: out[i] = X[i, i + k], [j ≤ i + k] X[i, j], δ(i, j) x[i]."""

from __future__ import annotations

from typing import Any

from tracer.calculus import fresh
from tracer.calculus.indexing import shifted
from tracer.calculus.terms import Index, IndexExpr
from tracer.ops.axes import Operand
from tracer.ops.reductions import axis_at, whole
from tracer.ops.table import Row, operation
from tracer.ops.writing import Form, NoFormula, condition, delta, form, rational, sum_over


@operation("tril")
def tril(X: Operand, k: Any = 0) -> Row:
    """out[i, j] = [j ≤ i + k] X[i, j]"""
    free = _matrix(X, "tril").indices()
    return free, X[free] * condition("<=", free[-1], shifted(free[-2], whole(k)))


@operation("triu")
def triu(X: Operand, k: Any = 0) -> Row:
    """out[i, j] = [i + k ≤ j] X[i, j]"""
    free = _matrix(X, "triu").indices()
    return free, X[free] * condition("<=", shifted(free[-2], whole(k)), free[-1])


def _matrix(X: Operand, op: str) -> Operand:
    if X.ndim < 2:
        raise NoFormula(op, f"an array of the shape {X.shape}")
    return X


@operation("diagonal")
def diagonal(X: Operand, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, *, out: Operand) -> Row:
    """out[…, i] = X[…, i, i + k]"""
    return _along(X, offset, axis1, axis2, out)


@operation("linalg.diagonal")
def diagonal_of_last(X: Operand, offset: Any = 0, *, out: Operand) -> Row:
    """out[…, i] = X[…, i, i + k], of the last two axes"""
    return _along(X, offset, -2, -1, out)


def _along(
    X: Operand, offset: Any, axis1: Any, axis2: Any, out: Operand
) -> tuple[tuple[Index | int, ...], Form]:
    """The entries of a diagonal, its own axis last."""
    first, second = (axis_at(a, _matrix(X, "diagonal").ndim) for a in (axis1, axis2))
    k, rows, columns = whole(offset), X.shape[first], X.shape[second]
    length = min(rows + min(k, 0), columns - max(k, 0))
    if length < 1:
        raise NoFormula("diagonal", f"the diagonal {k} of an array of the shape {X.shape}")
    at: list[IndexExpr] = list(X.indices())
    others = tuple(i for p, i in enumerate(at) if p not in (first, second) and isinstance(i, (Index, int)))
    if k == 0 and rows == columns:
        one, other = X.axes[first], X.axes[second]
        if one is not None and other is not None:
            X.table.unite(one, other)
        step = X.axis(first)
    else:
        step = fresh(X.table.axis(f"{out.name}.diagonal", length))
    at[first], at[second] = shifted(step, max(-k, 0)), shifted(step, max(k, 0))
    return (*others, step), X.at(*at)


@operation("linalg.trace")
def trace_of_last(X: Operand, offset: Any = 0, *, out: Operand) -> Row:
    """out = Σ_i X[…, i, i + k], of the last two axes"""
    return trace(X, offset, -2, -1, out=out)


@operation("trace")
def trace(X: Operand, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, *, out: Operand) -> Row:
    """out = Σ_i X[i, i + k]"""
    first, second = (axis_at(a, _matrix(X, "trace").ndim) for a in (axis1, axis2))
    if not -X.shape[first] < whole(offset) < X.shape[second]:
        return out.indices(), form(0)  # a diagonal outside the matrix
    (*others, step), entries = _along(X, offset, axis1, axis2, out)
    return tuple(others), sum_over(step, entries)


@operation("diag")
def diag(X: Operand, k: Any = 0, *, out: Operand) -> Row:
    """out[i] = X[i, i + k] of a matrix; out[i, j] = δ(i, j) x[i] of a vector"""
    if X.ndim == 2:
        return diagonal(X, k, out=out)
    return _from_vector(X, k, out=out)


@operation("diagflat")
def diagflat(X: Operand, k: Any = 0, *, out: Operand) -> Row:
    """out[i, j] = δ(i, j) x[i]"""
    return _from_vector(X, k, out=out)


def _from_vector(X: Operand, k: Any, *, out: Operand) -> Row:
    if X.ndim != 1:
        raise NoFormula("diag", f"an array of the shape {X.shape}")
    if whole(k) == 0:
        i, j = X.axis(0), X.axis(0)
        return (i, j), X[i] * (delta(i, j) if isinstance(i, Index) else form(1))
    step, shift = X.axis(0), whole(k)
    i, j = out.indices()
    placed = delta(i, shifted(step, max(-shift, 0))) * delta(j, shifted(step, max(shift, 0)))
    return (i, j), sum_over(step, placed * X.at(step))


@operation("fill_diagonal")
def fill_diagonal(X: Operand, value: Any, wrap: Any = False) -> Row:
    """out[i, j] = X[i, j] + δ(i, j) (v − X[i, j])"""
    if X.ndim != 2 or X.shape[0] != X.shape[1] or (isinstance(value, Operand) and value.ndim):
        raise NoFormula("fill_diagonal", f"an array of the shape {X.shape}")
    i, j = X.indices()
    v = value[()] if isinstance(value, Operand) else form(rational(value))
    return (i, j), X[i, j] + condition("==", i, j) * (v - X[i, j])


@operation("eye")
def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, order: Any = "C", *, out: Operand) -> Row:
    """out[i, j] = [j = i + k]"""
    shift = whole(k or 0)
    if out.shape[0] == out.shape[1] and shift == 0:
        i, j = out.axis(0), out.axis(0)
        return (i, j), (delta(i, j) if isinstance(i, Index) else form(1))
    i, j = out.indices()
    return (i, j), condition("==", j, shifted(i, shift))


@operation("identity")
def identity(n: Any, dtype: Any = None, *, out: Operand) -> Row:
    """out[i, j] = [i = j]"""
    return eye(n, out=out)


@operation("tri")
def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, *, out: Operand) -> Row:
    """out[i, j] = [j ≤ i + k]"""
    i, j = out.indices()
    return (i, j), Form(condition("<=", j, shifted(i, whole(k))).expr)
