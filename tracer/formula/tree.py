"""The formula tree: what a formula says, apart from how it is written.

One tree gives LaTeX, MathML, plain text and spoken text.  Nodes are frozen; parentheses are nodes of
their own, put in by `tracer.formula.building`, so that no renderer has to know about precedence.
Invariant: text from a user's program occurs only in `Symbol`, `Text` and `UnderShape`, and every
renderer escapes those.
"""

from __future__ import annotations

from typing import TypeAlias, Union

from msgspec import Struct


class Symbol(Struct, frozen=True):
    """A letter or name.

    Attributes:
        key: the variable of the program that it stands for, ``""`` for an index letter or a size.
        base: the letter (Greek ones as themselves) or the name.
        subscript: digits that were part of the name, as in W₂.
        upright: names of several letters are upright, single letters are italic.
    """

    key: str
    base: str
    subscript: str = ""
    upright: bool = False


class Number(Struct, frozen=True):
    """A number, as its digits; never negative."""

    text: str


class Text(Struct, frozen=True):
    """Words within a formula."""

    text: str


class Operator(Struct, frozen=True):
    """A sign that stands alone in a row, such as a comma."""

    text: str


class Row(Struct, frozen=True):
    items: tuple[Tree, ...]


class Parenthesised(Struct, frozen=True):
    body: Tree


class Plus(Struct, frozen=True):
    """Parts with signs; a single negative part is a negation."""

    parts: tuple[tuple[int, Tree], ...]


class Times(Struct, frozen=True):
    """Factors side by side, or with ``"⊙"`` (entry by entry) or ``"·"`` between them."""

    factors: tuple[Tree, ...]
    operator: str = ""


class Relation(Struct, frozen=True):
    """``left = right`` and the like; ``sign`` is one of = ≠ < ≤ > ≥ ≈ ←."""

    left: Tree
    sign: str
    right: Tree


class Fraction(Struct, frozen=True):
    above: Tree
    below: Tree


class Power(Struct, frozen=True):
    base: Tree
    exponent: Tree


class Root(Struct, frozen=True):
    body: Tree


class Absolute(Struct, frozen=True):
    body: Tree


class Conjugate(Struct, frozen=True):
    """The conjugate of complex numbers."""

    body: Tree


class Subscript(Struct, frozen=True):
    """An entry of an array: its letter with indices."""

    base: Tree
    indices: tuple[Tree, ...]


class Transpose(Struct, frozen=True):
    body: Tree


class Sum(Struct, frozen=True):
    """A sum over bound indices; ``lower`` and ``upper`` limits only if they are to be shown."""

    bound: tuple[Tree, ...]
    body: Tree
    lower: Tree | None = None
    upper: Tree | None = None


class Partial(Struct, frozen=True):
    """A partial derivative ∂of/∂wrt, each with its indices; ``key`` is the variable that holds it, if any."""

    of: Tree
    wrt: Tree
    of_indices: tuple[Tree, ...] = ()
    wrt_indices: tuple[Tree, ...] = ()
    key: str = ""


class Delta(Struct, frozen=True):
    """Kronecker's delta."""

    indices: tuple[Tree, Tree]


class Bracket(Struct, frozen=True):
    """Iverson's bracket: one where the statement holds, else zero."""

    body: Tree


class Apply(Struct, frozen=True):
    """A named function of arguments."""

    function: str
    arguments: tuple[Tree, ...]


class Cases(Struct, frozen=True):
    """A value for each condition; the condition of the last may be absent: otherwise."""

    pieces: tuple[tuple[Tree, Tree | None], ...]


class UnderShape(Struct, frozen=True):
    """A formula with the shape of its value below, such as N × h."""

    body: Tree
    shape: str


Tree: TypeAlias = Union[
    Symbol,
    Number,
    Text,
    Operator,
    Row,
    Parenthesised,
    Plus,
    Times,
    Relation,
    Fraction,
    Power,
    Root,
    Absolute,
    Conjugate,
    Subscript,
    Transpose,
    Sum,
    Partial,
    Delta,
    Bracket,
    Apply,
    Cases,
    UnderShape,
]
