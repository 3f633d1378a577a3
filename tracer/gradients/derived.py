"""A derivation as data: its steps, what they are about, and what it results in.

Plain data: made by `tracer.gradients.derivation`, worded in the explanation.  Invariants: all steps about one
quantity say what that is; each has an expression that can be evaluated, a rule's name, and the arguments from which
the reason is worded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from tracer.calculus.complex_values import conjugate_of
from tracer.calculus.terms import Definition, Expr, Function, Index

Free = tuple[Index | int, ...]


class Known(Struct, frozen=True):
    """A recorded array that holds an adjoint: ``array`` = ``factor`` · ∂root/∂(the key), perhaps transposed or conjugate."""

    array: str
    factor: Expr
    transposed: bool = False
    conjugate: bool = False

    @property
    def adjoint(self) -> str:
        """The array that is the adjoint, up to the factor."""
        return conjugate_of(self.array) if self.conjugate else self.array


class Quantity(Struct, frozen=True):
    """What the steps of a group are about.

    ``value``: an array; ``adjoint``: ∂root/∂array; ``path``: what comes to that through one consumer, which is
    ``wrt``; ``local``: ∂array/∂wrt; ``direct``: ∂array/∂wrt as far as the root holds ``wrt`` itself; ``slope``:
    ∂array/∂wrt entry by entry; ``scaled``: a factor times an adjoint; ``conjugate``: the conjugate of an adjoint.
    """

    kind: Literal["value", "adjoint", "path", "local", "direct", "slope", "scaled", "conjugate"]
    array: str
    wrt: str = ""


class DerivationStep(Struct, frozen=True):
    """``quantity[free]`` = ``shown``; ``expr`` is the same with every symbol replaced by what can be computed.

    ``form`` says how it is written: over indices, or as a matrix expression.
    ``arguments`` are what the reason is worded from.
    """

    quantity: Quantity
    rule: str
    free: Free
    shown: Expr
    expr: Expr
    form: Literal["index", "matrix"] = "index"
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Derived(Struct, frozen=True):
    """A derivation: its steps, its result, and what its names stand for.

    Attributes:
        steps: in the order in which they are read.
        free, result: ∂root/∂wrt (times the scale), in arrays the reader knows.
        computed: array → definition, of arrays that some steps rely on being computed from others
            (values between ``wrt`` and the root, and adjoints of earlier groups), in order.
        held: the adjoints that the result still mentions, each in its shortest form.
    """

    steps: tuple[DerivationStep, ...]
    free: Free
    result: Expr
    computed: Mapping[str, Definition]
    held: Mapping[str, Definition] = field(default_factory=dict)


def adjoint_name(array: str) -> str:
    """The name, in formulas, of the adjoint of an array that the program does not hold."""
    return f"d{array}"


def written_alike(one: Expr, other: Expr) -> bool:
    """Whether two expressions are written alike, up to the order of what commutes."""
    return _parts(one) == _parts(other)


def _parts(expr: Expr) -> list[tuple[str, list[str], list[str]]]:
    return sorted(
        (str(t.coefficient), sorted(map(repr, t.bound)), sorted(map(repr, t.factors))) for t in expr
    )


def functions_in(expr: Expr) -> tuple[str, ...]:
    """The scalar functions that an expression takes."""
    return tuple(dict.fromkeys(f.name for t in expr for f, _ in t.factors if isinstance(f, Function)))
