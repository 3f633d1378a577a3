"""Tensor normal form: the data that all of the calculus works on.

An expression is a sum of terms.  A term is a rational number times a sum over bound indices of a
product of factors with rational exponents:

    Expr  = Term + Term + …
    Term  = coefficient · Σ_{bound} factor^exponent · factor^exponent · …

A factor is an entry of an array ``A[i, j]``, the size of an axis, a Kronecker delta, a mask on
values ``[Z[i, j] > 0]``, a condition on indices ``[j <= i]`` or a scalar function of entries.

Everything here is immutable and hashable (a hash is computed once); nothing here computes.
Invariant: an axis of size one is never summed over and never has an `Index`: the entry along it is the integer 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias, Union

from msgspec import Struct


class Axis(Struct, frozen=True, cache_hash=True):
    """A named axis of unknown size.  Two axes are the same one exactly if their names are equal.

    ``parts``: axes whose sizes add up to that of this one, as for the axis of a ``hstack``; empty if there are none.
    ``size``: the number of its positions, where only that one is spoken of.
    ``product``: axes whose sizes multiplied are its size; such an axis stands in index expressions only.
    """

    name: str
    parts: tuple[Axis, ...] = ()
    size: int | None = None
    product: tuple[Axis, ...] = ()


#: The axes of an array, first to last; ``None`` is an axis of size one (it broadcasts).
Axes: TypeAlias = tuple[Axis | None, ...]


class Index(Struct, frozen=True, cache_hash=True):
    """A variable that runs over the positions of an axis.  Its name is unique within a term."""

    name: str
    axis: Axis


class Affine(Struct, frozen=True, cache_hash=True):
    """The index expression ``Σ coefficient · atom + constant``, as in a slice, a stride or a reshape.

    A coefficient, and each of the added sizes, is an integer or the size of an axis.
    """

    parts: tuple[tuple[Union[Index, Entry], int | Axis], ...]
    constant: int = 0
    sizes: tuple[Axis, ...] = ()


class Entry(Struct, frozen=True, cache_hash=True):
    """One entry of an array, ``A[i, j]``; a scalar has no indices.

    Used in the place of an index it is a look-up, as ``y[i]`` in ``P[i, y[i]]``.
    """

    array: str
    indices: tuple[IndexExpr, ...] = ()


IndexExpr: TypeAlias = Union[Index, int, Affine, Entry]


class Size(Struct, frozen=True, cache_hash=True):
    """The number of positions of an axis, as a factor."""

    axis: Axis


class Delta(Struct, frozen=True, cache_hash=True):
    """Kronecker's delta δ(over, at): one where ``over`` equals ``at``, else zero.

    It is directed: ``at`` always lies in the range of the axis of ``over``.  So a sum over ``over``
    may be replaced by ``at`` without any condition.
    """

    over: Index | int
    at: IndexExpr


class Mask(Struct, frozen=True, cache_hash=True):
    """One where the relation holds between two values, else zero; ``relation`` is ``">"``, ``">="`` or ``"=="``."""

    relation: str
    left: Entry | Fraction
    right: Entry | Fraction


class Condition(Struct, frozen=True, cache_hash=True):
    """One where the relation holds between two index expressions, else zero."""

    relation: str
    left: IndexExpr
    right: IndexExpr


class Function(Struct, frozen=True, cache_hash=True):
    """A scalar function of entries.

    ``name`` is the text of a SymPy expression in the symbols ``x0, x1, …``, for example ``"exp(x0)"``;
    ``x0`` stands for the first argument.  A function without arguments is a constant such as ``"pi"``.
    """

    name: str
    arguments: tuple[Entry, ...]


#: The imaginary unit i; i² = −1 wherever a term is made.
IMAGINARY = Function("I", ())

Factor: TypeAlias = Union[Entry, Size, Delta, Mask, Condition, Function]


class Term(Struct, frozen=True, cache_hash=True):
    """``coefficient · Σ_{bound} Π factor^exponent``.  No factor stands twice, no exponent is zero."""

    coefficient: Fraction
    bound: tuple[Index, ...]
    factors: tuple[tuple[Factor, Fraction], ...]


#: A sum of terms; the empty sum is zero.
Expr: TypeAlias = tuple[Term, ...]


class Definition(Struct, frozen=True):
    """What an array is, entry by entry: ``array[free] = expr``.

    ``free`` has one item for each axis of the array: an `Index`, or 0 along an axis of size one.
    """

    array: str
    free: tuple[Index | int, ...]
    expr: Expr
