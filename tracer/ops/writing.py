"""How a rule writes its formula: forms that can be added, multiplied, divided and raised to a power.

In come expressions in tensor normal form, out go such expressions; what has no normal form, such as a
division by a sum, is refused with `NoFormula`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from msgspec import Struct

from tracer.calculus import (
    add,
    constant,
    multiply,
    of_factor,
    power,
    scale,
)
from tracer.calculus import sum_over as sum_of_terms
from tracer.calculus.complex_values import is_complex
from tracer.calculus.scalar import apply
from tracer.calculus.terms import IMAGINARY, Axis, Condition, Delta, Entry, Expr, Index, IndexExpr, Mask, Size


class NoFormula(Exception):
    """An operation, or this way of using it, has no index formula here.

    Attributes:
        op: canonical name of the operation.
        reason: what it is that has no formula.
    """

    def __init__(self, op: str, reason: str) -> None:
        super().__init__(f"{op}: {reason}")
        self.op, self.reason = op, reason


class Form(Struct, frozen=True):
    """An expression that is being written; ``boolean`` if its values are only 0 and 1."""

    expr: Expr
    boolean: bool = False

    def __add__(self, other: Writable) -> Form:
        return Form(add(self.expr, form(other).expr))

    def __sub__(self, other: Writable) -> Form:
        return Form(add(self.expr, scale(form(other).expr, -1)))

    def __mul__(self, other: Writable) -> Form:
        return Form(multiply(self.expr, form(other).expr))

    def __truediv__(self, other: Writable) -> Form:
        by = form(other)
        parts = by.parts
        if parts is not None and parts[1]:  # 1 / (a + b i) = (a − b i) / (a² + b²)
            size = parts[0] ** 2 + parts[1] ** 2
            return self * (form(parts[0] / size) - imaginary_unit() * (parts[1] / size))
        return self * by**-1

    def __pow__(self, exponent: Fraction | int) -> Form:
        try:
            return Form(power(self.expr, exponent))
        except ValueError as error:
            raise NoFormula("power", str(error)) from error

    def __neg__(self) -> Form:
        return Form(scale(self.expr, -1))

    def __radd__(self, other: Fraction | int) -> Form:
        return form(other) + self

    def __rsub__(self, other: Fraction | int) -> Form:
        return form(other) - self

    def __rmul__(self, other: Fraction | int) -> Form:
        return form(other) * self

    def __rtruediv__(self, other: Fraction | int) -> Form:
        return form(other) / self

    @property
    def number(self) -> Fraction | None:
        """The number that it is everywhere, if it is one."""
        if not self.expr:
            return Fraction(0)
        if len(self.expr) == 1 and not self.expr[0].factors and not self.expr[0].bound:
            return self.expr[0].coefficient
        return None

    @property
    def parts(self) -> tuple[Fraction, Fraction] | None:
        """a and b of the number a + b i that it is everywhere, if it is one."""
        real, imaginary = Fraction(0), Fraction(0)
        for term in self.expr:
            if term.bound or any(f != IMAGINARY for f, _ in term.factors):
                return None
            if term.factors:
                imaginary += term.coefficient
            else:
                real += term.coefficient
        return real, imaginary

    @property
    def single(self) -> Entry | Fraction:
        """The one entry, or the number, that it is.

        Raises:
            NoFormula: if it is neither.
        """
        if self.number is not None:
            return self.number
        if len(self.expr) == 1 and not self.expr[0].bound and self.expr[0].coefficient == 1:
            factors = self.expr[0].factors
            if len(factors) == 1 and factors[0][1] == 1 and isinstance(factors[0][0], Entry):
                return factors[0][0]
        raise NoFormula("function", "an argument that is neither an entry nor a number")


class Later:
    """An expression that is written when it is asked for: a first pass over all operations asks for axes only."""

    __slots__ = ("_write",)

    def __init__(self, write: Callable[[], Form]) -> None:
        self._write = write

    @property
    def expr(self) -> Expr:
        return self._write().expr


Writable = Form | Fraction | int


def form(value: Writable) -> Form:
    """A number, or a form, as a form."""
    return value if isinstance(value, Form) else Form(constant(value))


def rational(value: Any) -> Fraction:
    """A number as the fraction that its decimal text says: 0.1 is 1/10.

    Raises:
        NoFormula: if it is not a finite real number.
    """
    if isinstance(value, Fraction):
        return value
    try:
        return Fraction(int(value)) if isinstance(value, (bool, int)) else Fraction(str(value))
    except (ValueError, TypeError) as error:
        raise NoFormula("number", f"{value!r} is not a finite real number") from error


def imaginary_unit() -> Form:
    """The number i."""
    return Form(of_factor(IMAGINARY))


def number(value: Any) -> Form:
    """A number as a form; a complex one is a + b i.

    Raises:
        NoFormula: if it is not finite.
    """
    if isinstance(value, complex):
        return form(rational(value.real)) + imaginary_unit() * rational(value.imag)
    return form(rational(value))


def sum_over(index: Index | int | Iterable[Index | int], summand: Form) -> Form:
    """Σ over one or several indices."""
    return Form(sum_of_terms(index, summand.expr))


def total(summands: Iterable[Form]) -> Form:
    """The sum of some forms."""
    return Form(add(*(s.expr for s in summands)))


def function(text: str, *arguments: Form) -> Form:
    """A scalar function, the text of a SymPy expression in x0, x1, …, of entries and numbers."""
    return Form(apply(text, [a.single for a in arguments]))


def mask(relation: str, left: Form, right: Form) -> Form:
    """[left relation right]: one where the relation holds, else zero."""
    sides = left.single, right.single
    if any(isinstance(s, Entry) and is_complex(s.array) for s in sides):
        raise NoFormula("comparison", "complex numbers, which have no order")
    return Form(of_factor(Mask(relation, *sides)), boolean=True)


def delta(over: Index | int, at: IndexExpr) -> Form:
    """δ(over, at); ``at`` lies in the range of ``over``."""
    return Form(of_factor(Delta(over, at)), boolean=True)


def condition(relation: str, left: IndexExpr, right: IndexExpr) -> Form:
    """[left relation right] between two indices."""
    return Form(of_factor(Condition(relation, left, right)), boolean=True)


def size(of: Index | int | Axis | None) -> Form:
    """The number of positions that an index runs over."""
    axis = of.axis if isinstance(of, Index) else of
    return Form(of_factor(Size(axis))) if isinstance(axis, Axis) else form(1)
