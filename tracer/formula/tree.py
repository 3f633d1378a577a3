"""The formula tree: what a formula says, apart from how it is written.

One tree gives LaTeX, MathML, plain text and spoken text.  Nodes are frozen; parentheses are nodes of
their own, put in by `tracer.formula.building`, so that no renderer has to know about precedence.
Invariant: text from a user's program occurs only in `Symbol`, `Text` and `UnderShape`, and every
renderer escapes those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, Union


@dataclass(frozen=True, slots=True)
class Symbol:
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


@dataclass(frozen=True, slots=True)
class Number:
    """A number, as its digits; never negative."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words within a formula."""

    text: str


@dataclass(frozen=True, slots=True)
class Operator:
    """A sign that stands alone in a row, such as a comma."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Parenthesised:
    body: Tree


@dataclass(frozen=True, slots=True)
class Plus:
    """Parts with signs; a single negative part is a negation."""

    parts: tuple[tuple[int, Tree], ...]


@dataclass(frozen=True, slots=True)
class Times:
    """Factors side by side, or with ``"⊙"`` (entry by entry) or ``"·"`` between them."""

    factors: tuple[Tree, ...]
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """``left = right`` and the like; ``sign`` is one of = ≠ < ≤ > ≥ ≈ ←."""

    left: Tree
    sign: str
    right: Tree


@dataclass(frozen=True, slots=True)
class Fraction:
    above: Tree
    below: Tree


@dataclass(frozen=True, slots=True)
class Power:
    base: Tree
    exponent: Tree


@dataclass(frozen=True, slots=True)
class Root:
    body: Tree


@dataclass(frozen=True, slots=True)
class Absolute:
    body: Tree


@dataclass(frozen=True, slots=True)
class Subscript:
    """An entry of an array: its letter with indices."""

    base: Tree
    indices: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Transpose:
    body: Tree


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over bound indices; ``lower`` and ``upper`` limits only if they are to be shown."""

    bound: tuple[Tree, ...]
    body: Tree
    lower: Tree | None = None
    upper: Tree | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """A partial derivative ∂of/∂wrt, each with its indices; ``key`` is the variable that holds it, if any."""

    of: Tree
    wrt: Tree
    of_indices: tuple[Tree, ...] = ()
    wrt_indices: tuple[Tree, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """Kronecker's delta."""

    indices: tuple[Tree, Tree]


@dataclass(frozen=True, slots=True)
class Bracket:
    """Iverson's bracket: one where the statement holds, else zero."""

    body: Tree


@dataclass(frozen=True, slots=True)
class Apply:
    """A named function of arguments."""

    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """A value for each condition; the condition of the last may be absent: otherwise."""

    pieces: tuple[tuple[Tree, Tree | None], ...]


@dataclass(frozen=True, slots=True)
class UnderShape:
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
