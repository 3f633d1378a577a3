"""Sums of products: matrix products of all kinds, and einsum."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

from tracer.calculus import affine, fresh
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand, broadcast
from tracer.ops.reductions import axis_at, whole
from tracer.ops.table import Row, operation
from tracer.ops.writing import Form, NoFormula, delta, form, rational, sum_over, total


@operation("matmul", "linalg.matmul")
def matmul(A: Operand, B: Operand) -> Row:
    """out[i, k] = Σ_j A[i, j] · B[j, k]"""
    j = A.axis(-1)
    i = (A.axis(-2),) if A.ndim > 1 else ()
    k = (B.axis(-1),) if B.ndim > 1 else ()
    batch = broadcast(A.axes[:-2], B.axes[:-2], table=A.table)
    return (*batch, *i, *k), sum_over(j, A[(*batch, *i, j)] * B[(*batch, j, *k)])


@operation("dot")
def dot(A: Any, B: Any) -> Row:
    """out[i, k] = Σ_j A[i, j] · B[j, k]"""
    if not isinstance(A, Operand) or not isinstance(B, Operand) or not A.ndim or not B.ndim:
        return _scaled(A, B)
    left, right = A.indices(), B.indices()
    j, contracted = left[-1], max(B.ndim - 2, 0)
    outer = right[:contracted] + right[contracted + 1 :]
    return (*left[:-1], *outer), sum_over(j, A[left] * B[(*right[:contracted], j, *right[contracted + 1 :])])


def _scaled(A: Any, B: Any) -> Row:
    """The product with a scalar."""
    array = A if isinstance(A, Operand) and A.ndim else B
    if not isinstance(array, Operand):
        array = A
    if not isinstance(array, Operand):
        raise NoFormula("dot", "a product of two numbers")
    scalar = B if array is A else A
    index = array.indices()
    return index, array[index] * (scalar[()] if isinstance(scalar, Operand) else form(rational(scalar)))


@operation("inner")
def inner(A: Operand, B: Operand) -> Row:
    """out[i, k] = Σ_j A[i, j] · B[k, j]"""
    if not isinstance(A, Operand) or not isinstance(B, Operand) or not A.ndim or not B.ndim:
        return _scaled(A, B)
    left, right = A.indices(), B.indices()
    j = left[-1]
    return (*left[:-1], *right[:-1]), sum_over(j, A[left] * B[(*right[:-1], j)])


@operation("vdot")
def vdot(A: Operand, B: Operand, *, first: Callable[[Form], Form] = lambda a: a) -> Row:
    """out = Σ_i A[i] · B[i]"""
    if not isinstance(A, Operand) or not isinstance(B, Operand) or not A.ndim or not B.ndim:
        return _scaled(A, B)
    if A.shape != B.shape:
        raise NoFormula("vdot", f"operands of the shapes {A.shape} and {B.shape}")
    i = A.indices()
    return (), sum_over(i, first(A[i]) * B[i])


@operation("outer", "linalg.outer")
def outer(a: Operand, b: Operand) -> Row:
    """out[i, k] = a[i] · b[k]"""
    (i, left), (k, right) = (_only_axis(x) for x in (a, b))
    return (i, k), left * right


def _only_axis(a: Operand) -> tuple[Index | int, Form]:
    """The index over the one axis of an array that is longer than one, and its entry."""
    indices = a.indices()
    running = [i for i in indices if isinstance(i, Index)]
    if len(running) > 1:
        raise NoFormula("outer", f"an operand of the shape {a.shape}, which would be flattened")
    return (running[0] if running else 0), a[indices]


@operation("vecdot", "linalg.vecdot")
def vecdot(A: Operand, B: Operand, axis: Any = -1, *, first: Callable[[Form], Form] = lambda a: a) -> Row:
    """out[i] = Σ_j A[i, j] · B[i, j]"""
    if whole(axis) != -1:
        raise NoFormula("vecdot", f"along the axis {axis}")
    j = A.axis(-1)
    batch = broadcast(A.axes[:-1], B.axes[:-1], table=A.table)
    return batch, sum_over(j, first(A[(*batch, j)]) * B[(*batch, j)])


@operation("matvec")
def matvec(A: Operand, b: Operand) -> Row:
    """out[i] = Σ_j A[i, j] · b[j]"""
    i, j = A.axis(-2), A.axis(-1)
    batch = broadcast(A.axes[:-2], b.axes[:-1], table=A.table)
    return (*batch, i), sum_over(j, A[(*batch, i, j)] * b[(*batch, j)])


@operation("vecmat")
def vecmat(a: Operand, B: Operand) -> Row:
    """out[k] = Σ_j a[j] · B[j, k]"""
    j, k = B.axis(-2), B.axis(-1)
    batch = broadcast(a.axes[:-1], B.axes[:-2], table=B.table)
    return (*batch, k), sum_over(j, a[(*batch, j)] * B[(*batch, j, k)])


@operation("kron")
def kron(A: Operand, B: Operand, *, out: Operand) -> Row:
    """out[i K + k, j L + l] = A[i, j] · B[k, l]"""
    if not isinstance(A, Operand) or not isinstance(B, Operand):
        raise NoFormula("kron", "a product with a number")
    own, other = A.indices(), B.indices()
    left, right = ((0,) * (out.ndim - len(i)) + i for i in (own, other))
    free: list[Index | int] = []
    weight = form(1)
    summed: list[Index | int] = []
    for p, (i, k) in enumerate(zip(left, right, strict=True)):
        if not isinstance(i, Index) or not isinstance(k, Index):
            free.append(i if isinstance(i, Index) else k)
            continue
        place = out.axis(p)
        free.append(place)
        weight = weight * delta(place, affine(((i, k.axis), (k, 1))))
        summed += [i, k]
    return tuple(free), sum_over(summed, weight * A[own] * B[other])


@operation("cross", "linalg.cross")
def cross(
    A: Operand, B: Operand, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None, *, out: Operand
) -> Row:
    """out[0] = A[1] · B[2] − A[2] · B[1], and so on in a circle"""
    along = {
        name: axis_at(own if axis is None else axis, X.ndim)
        for name, own, X in (("A", axisa, A), ("B", axisb, B), ("out", axisc, out))
        if X.ndim
    }
    if len(along) < 3 or A.shape[along["A"]] != 3 or B.shape[along["B"]] != 3:
        raise NoFormula("cross", f"operands of the shapes {A.shape} and {B.shape}")
    others = (X.axes[:p] + X.axes[p + 1 :] for X, p in ((A, along["A"]), (B, along["B"])))
    batch = broadcast(*others, table=A.table)
    place = out.axis(along["out"])

    def at(X: Operand, n: int) -> Form:
        own, position = batch[len(batch) + 1 - X.ndim :], along["A" if X is A else "B"]
        return X[(*own[:position], n % 3, *own[position:])]

    def entry(n: int) -> Form:
        return at(A, n + 1) * at(B, n + 2) - at(A, n + 2) * at(B, n + 1)

    free = (*batch[: along["out"]], place, *batch[along["out"] :])
    return free, total(delta(place, n) * entry(n) for n in range(3))


@operation("linalg.multi_dot")
def multi_dot(matrices: Any) -> Row:
    """out[i, l] = Σ_j Σ_k A[i, j] · B[j, k] · C[k, l]"""
    factors = list(matrices)
    if len(factors) < 2 or any(not isinstance(m, Operand) for m in factors):
        raise NoFormula("multi_dot", f"{len(factors)} factors")
    index = list(factors[0].indices())
    product, summed = factors[0][tuple(index)], list[Index | int]()
    for factor in factors[1:]:
        own = (index[-1], *factor.indices()[1:])
        summed.append(index[-1])
        product = product * factor[own]
        index = [*index[:-1], *own[1:]]
    return tuple(index), sum_over(summed, product)


@operation("linalg.matrix_power")
def matrix_power(X: Operand, n: Any) -> Row:
    """out[i, k] = Σ_j X[i, j] · X[j, k] for n = 2, and so on"""
    times = whole(n)
    if X.ndim != 2 or not 1 <= times <= 6:
        raise NoFormula("matrix_power", f"the power {times}")
    index: list[Index | int] = [X.axis(-2), X.axis(-1)]
    product, summed = X[tuple(index)], list[Index | int]()
    for _ in range(times - 1):
        column = X.axis(-1)
        summed.append(index[-1])
        product = product * X[index[-1], column]
        index = [index[0], column]
    return tuple(index), sum_over(summed, product)


@operation("tensordot", "linalg.tensordot")
def tensordot(A: Operand, B: Operand, axes: Any = 2) -> Row:
    """out[i, k] = Σ_j A[i, j] · B[j, k], over several axes at once"""
    if isinstance(axes, (tuple, list)):
        one, other = ([x] if not isinstance(x, (tuple, list)) else list(x) for x in axes)
        first, second = [axis_at(x, A.ndim) for x in one], [axis_at(x, B.ndim) for x in other]
    else:
        n = int(axes)
        first, second = list(range(A.ndim - n, A.ndim)), list(range(n))
    left, right = list(A.indices()), list(B.indices())
    for p, q in zip(first, second, strict=True):
        right[q] = left[p]
    free = [i for p, i in enumerate(left) if p not in first] + [
        i for q, i in enumerate(right) if q not in second
    ]
    return tuple(free), sum_over([left[p] for p in first], A[tuple(left)] * B[tuple(right)])


def _in_letters(given: tuple[Any, ...]) -> tuple[str, tuple[Operand, ...]]:
    """``einsum(A, [0, 1], B, [1, 2], [0, 2])`` in letters: ``"ab,bc->ac"``, A, B."""

    def letters(axes: Any) -> str:
        if not isinstance(axes, (tuple, list)):
            raise NoFormula("einsum", "subscripts of another form")
        return "".join("..." if a is Ellipsis else string.ascii_letters[whole(a)] for a in axes)

    operands, axes = given[0::2], given[1::2]
    result = f"->{letters(operands[-1])}" if len(given) % 2 else ""
    operands = operands[: len(axes)]
    return ",".join(map(letters, axes)) + result, operands


def _spelled_out(text: str, operands: tuple[Operand, ...]) -> str:
    """The subscripts with letters of their own for the axes under an ellipsis, aligned at the right."""
    if "." not in text:
        return text
    inputs, arrow, result = text.partition("->")
    parts = inputs.split(",")
    if text.replace("...", "").count(".") or len(parts) != len(operands):
        raise NoFormula("einsum", f"the subscripts {text!r}")
    unused = [c for c in string.ascii_letters if c not in text]
    hidden = [o.ndim - len(p) + 3 if "..." in p else 0 for p, o in zip(parts, operands, strict=True)]
    if max(hidden) > len(unused) or min(hidden) < 0:
        raise NoFormula("einsum", f"the subscripts {text!r}")
    shared = "".join(unused[: max(hidden)])
    spelled = [p.replace("...", shared[len(shared) - n :]) for p, n in zip(parts, hidden, strict=True)]
    if not arrow:
        seen = inputs.replace(".", "").replace(",", "")
        result = "..." + "".join(c for c in sorted(set(seen)) if seen.count(c) == 1)
    return ",".join(spelled) + "->" + result.replace("...", shared)


@operation("einsum")
def einsum(subscripts: Any, *operands: Any) -> Row:
    """out[…] = Σ of the product of the operands, by the letters of their axes"""
    if not isinstance(subscripts, str):
        subscripts, operands = _in_letters((subscripts, *operands))
    if any(not isinstance(o, Operand) for o in operands):
        raise NoFormula("einsum", "operands that are no arrays")
    text = _spelled_out(subscripts.replace(" ", ""), operands)
    inputs, arrow, result = text.partition("->")
    parts = inputs.split(",")
    if len(parts) != len(operands):
        raise NoFormula("einsum", f"{len(parts)} subscripts for {len(operands)} operands")
    if not arrow:
        result = "".join(c for c in sorted(set(inputs) - {","}) if inputs.count(c) == 1)
    index: dict[str, Index | int] = {}
    for letters, operand in zip(parts, operands, strict=True):
        if len(letters) != operand.ndim or not set(letters) <= set(string.ascii_letters):
            raise NoFormula("einsum", f"the subscripts {letters!r} for the shape {operand.shape}")
        for letter, axis in zip(letters, operand.axes, strict=True):
            if not isinstance(index.get(letter), Index):
                index[letter] = fresh(axis)
    product = form(1)
    for letters, operand in zip(parts, operands, strict=True):
        product = product * operand[tuple(index[c] for c in letters)]
    return tuple(index[c] for c in result), sum_over(
        [i for c, i in index.items() if c not in result], product
    )
