"""How a row states a differential: what the result is by its value and what its operands add to it.

In come the result, its indices and, for each operand, how an entry of the result changes with an entry of
it; out goes the form  out.value + Σ J (X − X.value), which is true as it stands (see `calculus.linearised`).
A row that is stated names the equation it follows from, such as A · out = 1, in its docstring.
"""

from __future__ import annotations

from fractions import Fraction

from tracer.calculus import entry
from tracer.calculus.complex_values import conjugate
from tracer.calculus.linearised import inverse_of, value_of
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.terms import Index, IndexExpr
from tracer.ops.axes import Operand
from tracer.ops.writing import Form, NoFormula

Indices = tuple[Index | int, ...]


def looked(out: Operand, what: str, *indices: IndexExpr) -> Form:
    """An entry of the array ``<out>.<what>``, which no derivative passes through."""
    return Form(entry(f"{out.name}.{what}", *indices))


def inverse(A: Operand, *indices: IndexExpr) -> Form:
    """An entry of the inverse of a matrix, the array ``<A>.inverse``, which no derivative passes through."""
    return Form(entry(inverse_of(A.name), *indices))


def value(X: Operand, indices: Indices) -> Form:
    """An entry of an array by its value, which no derivative passes through."""
    return Form(rename_arrays(X[indices].expr, {X.name: value_of(X.name)}))


def change(X: Operand, indices: Indices) -> Form:
    """X − X.value at an entry: zero, and with the derivative of the entry."""
    return X[indices] - value(X, indices)


def conjugated(X: Form) -> Form:
    """The conjugate of a form; of real numbers it is the same."""
    return Form(conjugate(X.expr))


def root(out: Operand, free: Indices, radicand: Form) -> Form:
    """The square root of a sum, by one step of Heron's method from the root: ½ out + ½ E / out."""
    half = Form(entry(value_of(out.name), *free))
    return (half + radicand * half**-1) * Fraction(1, 2)


def array_like(X: object, op: str, ndim: int | None = None) -> Operand:
    """The operand, if it is an array.

    Raises:
        NoFormula: if it is a number, or has another number of axes than is needed.
    """
    if not isinstance(X, Operand) or not X.ndim:
        raise NoFormula(op, "an operand that is no array")
    if ndim is not None and X.ndim != ndim:
        raise NoFormula(op, f"an operand of the shape {X.shape}")
    return X
