"""Python text with its precedence, so that parentheses stand where they are needed and nowhere else.

In: texts of operands.  Out: `Code`, the text of an expression and how tightly it binds.  Invariant:
the text, parsed by Python, has exactly the operands that it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from fractions import Fraction

from msgspec import Struct

from tracer.calculus.printing.names import is_primary


class Binding(IntEnum):
    """How tightly an expression binds.

    ``@`` is set below ``*``: Python ranks them equal, but readers should not have to know that.
    """

    COMPARISON = 0
    SUM = 1
    MATMUL = 2
    PRODUCT = 3
    UNARY = 4
    POWER = 5
    ATOM = 6


class Code(Struct, frozen=True):
    """The text of a Python expression and how tightly it binds."""

    text: str
    binding: Binding = Binding.ATOM

    def at_least(self, binding: Binding) -> str:
        """The text, in parentheses if it binds more loosely than ``binding``."""
        return self.text if self.binding >= binding else f"({self.text})"


def source(text: str) -> Code:
    """Code given by somebody else: safe as an atom if it is one, otherwise to be put in parentheses."""
    return Code(text, Binding.ATOM if is_primary(text) else Binding.COMPARISON)


def subscript(text: str, indices: Sequence[str]) -> Code:
    """``text[…]``, or the text itself without indices."""
    code = source(text)
    return Code(f"{code.at_least(Binding.ATOM)}[{', '.join(indices)}]") if indices else code


def number(value: Fraction | int) -> Code:
    """A non-negative or negative number, as a decimal where that is exact and short."""
    value = Fraction(value)
    if value.denominator == 1:
        return Code(str(value), Binding.UNARY if value < 0 else Binding.ATOM)
    decimal = short_decimal(value)
    if decimal is not None:
        return Code(decimal, Binding.UNARY if value < 0 else Binding.ATOM)
    return Code(f"{value.numerator} / {value.denominator}", Binding.PRODUCT)


def is_decimal(value: Fraction) -> bool:
    """Whether a fraction is better written as a decimal: 3/2 and 1/100 are, 1/2 and 1/3 are not."""
    return (value.numerator > 1 or value.denominator % 10 == 0) and short_decimal(value) is not None


def short_decimal(value: Fraction) -> str | None:
    """The number as a decimal of at most eight characters, if that is exact."""
    text = repr(float(value))
    return text if len(text) <= 8 and "e" not in text and Fraction(text) == value else None


def compare(left: Code, relation: str, right: Code) -> Code:
    """A comparison, always in parentheses of its own, since it is used as a number."""
    return Code(f"({left.at_least(Binding.SUM)} {relation} {right.at_least(Binding.SUM)})")


def call(function: str, *arguments: str) -> Code:
    return Code(f"{function}({', '.join(arguments)})")


def product(factors: Sequence[Code]) -> Code:
    """``a * b * c``; one for no factors."""
    if not factors:
        return Code("1")
    if len(factors) == 1:
        return factors[0]
    first, *rest = factors
    texts = [first.at_least(Binding.PRODUCT), *(factor.at_least(Binding.POWER) for factor in rest)]
    return Code(" * ".join(texts), Binding.PRODUCT)


def quotient(numerator: Code, denominator: Code) -> Code:
    return Code(
        f"{numerator.at_least(Binding.MATMUL)} / {denominator.at_least(Binding.POWER)}", Binding.PRODUCT
    )


def power(base: Code, exponent: Fraction) -> Code:
    """``base ** exponent`` for a positive exponent; square roots by their name."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return call("np.sqrt", base.text)
    written = number(exponent)
    return Code(f"{base.at_least(Binding.ATOM)}**{written.at_least(Binding.ATOM)}", Binding.POWER)


def negative(code: Code) -> Code:
    return Code(f"-{code.at_least(Binding.MATMUL)}", Binding.SUM)


def total(parts: Sequence[tuple[int, Code]]) -> Code:
    """A sum of parts with their signs; zero for no parts."""
    if not parts:
        return Code("0.0")
    (sign, first), *rest = parts
    if not rest:
        return negative(first) if sign < 0 else first
    text = negative(first).text if sign < 0 else first.at_least(Binding.SUM)
    for sign, part in rest:
        text += f" {'-' if sign < 0 else '+'} {part.at_least(Binding.MATMUL)}"
    return Code(text, Binding.SUM)


def weighted(coefficient: Fraction, numerators: Sequence[Code], denominators: Sequence[Code]) -> Code:
    """``coefficient · Π numerators / Π denominators`` for a positive coefficient."""
    above, below = list(numerators), list(denominators)
    top, bottom = coefficient.numerator, coefficient.denominator
    if bottom > 1 and is_decimal(coefficient):
        above.insert(0, number(coefficient))
    else:
        if top != 1 or not above:
            above.insert(0, Code(str(top)))
        if bottom != 1:
            below.insert(0, Code(str(bottom)))
    upper = product(above)
    return quotient(upper, product(below)) if below else upper
