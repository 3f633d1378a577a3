"""The factor between a recorded value and a gradient, in the program's own names.

A hand-written backward pass often holds N·∂loss/∂scores half-way, or the gradient of a loss that was
never divided.  The factor is measured on every replay; here it is named: 1, −1, a hyper-parameter, a
product or quotient of two, a count that the loss divides by, or a plain number.  Integers do not change
between replays, so an integer variable may name a factor only if it takes part in the computation
(a vocabulary of 5 is not every 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, product

from msgspec import Struct

_RELATIVE = 1e-7
#: With more scalars than these, a product of two would be found by chance.
_MOST_FOR_PAIRS = 16


class Scale(Struct, frozen=True):
    """``coefficient`` · Π ``symbol^exponent``; symbols are the keys of the `Scalar`s it was named from."""

    coefficient: Fraction = Fraction(1)
    symbols: tuple[tuple[str, int], ...] = ()


class Scalar(Struct, frozen=True):
    """A scalar of the program: its key, how the program writes it, its value on each replay."""

    key: str
    text: str
    values: tuple[float, ...]
    integer: bool


class NamedScale(Struct, frozen=True):
    """A scale with its text and how far-fetched it is: 0 for one, 9 for a number that nothing names."""

    scale: Scale
    text: str
    rank: int


ONE = NamedScale(Scale(Fraction(1)), "1", 0)


def _close(measured: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(abs(m - w) <= _RELATIVE * abs(m) for m, w in zip(measured, wanted, strict=True))


def _text(coefficient: Fraction, numerator: Iterable[str], denominator: Iterable[str]) -> str:
    above = [str(abs(coefficient.numerator))] if abs(coefficient.numerator) != 1 else []
    below = [str(coefficient.denominator)] if coefficient.denominator != 1 else []
    above += list(numerator)
    below += list(denominator)
    sign = "-" if coefficient < 0 else ""
    text = " * ".join(above) or "1"
    if not below:
        return sign + text
    bottom = below[0] if len(below) == 1 else "(" + " * ".join(below) + ")"
    return f"{sign}{text} / {bottom}"


def _decimal(coefficient: Fraction) -> str:
    decimal = repr(float(coefficient))
    exact = Fraction(decimal) == coefficient and coefficient.denominator != 1 and len(decimal) <= 8
    return decimal if exact else _text(coefficient, (), ())


def _rational(number: float) -> Fraction:
    """A number of the source text as a fraction, also a very small one: 1e-9 is not 0."""
    short = Fraction(number).limit_denominator(10**7)
    return short if _close([number], [float(short)]) else Fraction(repr(number))


def name_scale(
    measured: Sequence[float], scalars: Sequence[Scalar], literals: frozenset[float] = frozenset()
) -> NamedScale | None:
    """Name a factor that was measured on every replay; None if nothing constant or named fits.

    Arguments:
        scalars: what may name it.
        literals: the numbers written in the expression: 0.1 is 0.1 and not 1 / N because N happens to be 10.
    """
    found = [float(m) for m in measured]
    ones = [1.0] * len(found)
    for sign in (1, -1):
        if _close(found, [sign * one for one in ones]):
            return NamedScale(Scale(Fraction(sign)), str(sign), 0 if sign == 1 else 1)
    constant = max(found) - min(found) <= _RELATIVE * abs(found[0])
    if constant and any(abs(abs(found[0]) - abs(w)) <= _RELATIVE * abs(w) for w in literals if w):
        number = _rational(found[0])
        return NamedScale(Scale(number), _decimal(number), 2)
    usable = [s for s in scalars if not any(abs(abs(v) - 1) < 1e-12 or v == 0 for v in s.values)]
    size = abs(found[0])
    coefficients = dict.fromkeys([Fraction(1), Fraction(2), Fraction(1, 2), *(_rational(w) for w in sorted(literals) if w)])
    for coefficient in coefficients:
        factor = float(coefficient)
        if factor != 1 and constant and abs(found[0]) in (2.0, 0.5):
            break  # two is two, and not N / 2 because N happens to be 4
        for scalar in usable:
            for exponent in (1, -1):
                if abs(size - factor * abs(scalar.values[0]) ** exponent) > _RELATIVE * size:
                    continue
                for sign in (1, -1):
                    if _close(found, [sign * factor * v**exponent for v in scalar.values]):
                        return _named(coefficient * sign, [(scalar, exponent)], 2)
    simple = constant and abs(found[0]) in (2.0, 0.5)
    few = len(usable) <= _MOST_FOR_PAIRS
    pairs = [*combinations_with_replacement(usable if few and not simple else (), 2)]
    for coefficient, (one, two) in product(coefficients, pairs):
        for first, second in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            if one is two and first != second:
                continue
            expected = float(coefficient) * abs(one.values[0] ** first * two.values[0] ** second)
            if abs(size - expected) > _RELATIVE * size:
                continue
            for sign in (1, -1):
                factor = sign * float(coefficient)
                wanted = [factor * a**first * b**second for a, b in zip(one.values, two.values, strict=True)]
                if _close(found, wanted):
                    return _named(coefficient * sign, [(one, first), (two, second)], 3)
    return plain_number(found)


def plain_number(measured: Sequence[float]) -> NamedScale | None:
    """A factor as a plain number, if it was the same on every replay."""
    first = float(measured[0])
    if not _close(measured, [first] * len(measured)):
        return None
    number = Fraction(first).limit_denominator(10000)
    if not number or not _close(measured, [float(number)] * len(measured)):
        return None
    return NamedScale(Scale(number), _decimal(number), 2 if abs(number) in (2, Fraction(1, 2)) else 6)


def _named(coefficient: Fraction, parts: list[tuple[Scalar, int]], rank: int) -> NamedScale:
    exponents: dict[str, int] = {}
    texts = {scalar.key: scalar.text for scalar, _ in parts}
    for scalar, exponent in parts:
        exponents[scalar.key] = exponents.get(scalar.key, 0) + exponent
    above = [texts[k] for k, e in exponents.items() for _ in range(e)]
    below = [texts[k] for k, e in exponents.items() for _ in range(-e)]
    kept = tuple((k, e) for k, e in exponents.items() if e)
    return NamedScale(Scale(coefficient, kept), _text(coefficient, above, below), rank)
