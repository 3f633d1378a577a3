"""Complex values: the convention for their gradients, conjugates of expressions, real parts.

An array of complex numbers is known by the mark in its name, and its conjugate is an array of its own, ``<z>.conj``, so
that in one product both may stand.  The imaginary unit is the constant `UNIT`.

The gradient of a real L by z = x + i y is  g = ∂L/∂x − i ∂L/∂y, so that  dL = Re(g dz).  With it

    w = f(z), f holomorphic:      dL = Re(g_w f′(z) dz)           so g_z = f′(z) g_w, the rule of real numbers, plainly
    w = a z + b z̄:                dL = Re(g_w a dz + g_w b dz̄)    so g_z = a g_w + conj(b g_w), because Re(u) = Re(ū)
    w of a real x:                dL = Re(g_w w′) dx              so g_x = Re(g_w w′)

(autograd and JAX have the same convention; PyTorch's gradient, and the direction in which L rises most, is its conjugate.)
In and out go expressions in normal form.  Invariant: what is written here is true for all complex values; that a fractional
power or a function commutes with conjugation holds away from the branch cut, the negative real numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

from tracer.calculus.algebra import add, arrays_in, make_term, scale
from tracer.calculus.canonical import simplify
from tracer.calculus.linearised import VALUE
from tracer.calculus.terms import IMAGINARY, Definition, Entry, Expr, Factor, Function, Term

#: Stands in the name of every array of complex numbers.
MARK = "ζ"
#: What follows the name of an array in the name of its conjugate.
CONJUGATE = ".conj"
_UNIT_IN_TEXT = re.compile(r"\bI\b")
_EITHER_UNIT = re.compile(r"\(-I\)|\bI\b")
#: i, with i² = −1.
UNIT = IMAGINARY


def marked(array: str, is_complex: bool) -> str:
    """The name of an array, by which it can be told whether its entries are complex."""
    return array + MARK if is_complex else array


def is_complex(array: str) -> bool:
    """Whether the entries of an array are complex numbers."""
    return MARK in array


def weights_of(array: str, number: int) -> str:
    """The name of the weights of a Fourier transform along one of its axes."""
    return f"{array}.wave{MARK}{number or ''}"


def is_weights(array: str) -> bool:
    """Whether an array holds the weights of a Fourier transform, or their conjugates."""
    return f".wave{MARK}" in array


def conjugate_of(array: str) -> str:
    """The name of the conjugate of an array; a real one is its own."""
    if not is_complex(array):
        return array
    if array.endswith(VALUE):
        return conjugate_of(array.removesuffix(VALUE)) + VALUE
    return array.removesuffix(CONJUGATE) if array.endswith(CONJUGATE) else array + CONJUGATE


def without_conjugates(arrays: Iterable[str]) -> set[str]:
    """The arrays, those that are conjugates as what they are the conjugates of."""
    return {a.removesuffix(CONJUGATE) for a in arrays}


def conjugate(expr: Expr) -> Expr:
    """The conjugate of an expression."""
    result = []
    for term in expr:
        sign = 1
        factors: list[tuple[Factor, Fraction]] = []
        for factor, exponent in term.factors:
            if factor == UNIT:
                sign *= -1 if exponent % 2 else 1
            factors.append((_conjugate_factor(factor), exponent))
        made = make_term(sign * term.coefficient, term.bound, factors)
        if made is not None:
            result.append(made)
    return tuple(result)


def _conjugate_factor(factor: Factor) -> Factor:
    match factor:
        case Entry():
            return _conjugate_entry(factor)
        case Function():
            name = factor.name if factor == UNIT else _EITHER_UNIT.sub(_opposite, factor.name)
            return Function(name, tuple(_conjugate_entry(a) for a in factor.arguments))
        case _:
            return factor  # deltas, masks, conditions and sizes are real


def _opposite(unit: re.Match[str]) -> str:
    """−i for i in the text of a function, and i for −i."""
    return "(-I)" if unit.group() == "I" else "I"


def _conjugate_entry(entry: Entry) -> Entry:
    return Entry(conjugate_of(entry.array), entry.indices)


def real_part(expr: Expr) -> Expr:
    """Re(e) = ½ (e + ē)."""
    return scale(add(expr, conjugate(expr)), Fraction(1, 2)) if holds_complex(expr) else expr


def holds_complex(expr: Expr) -> bool:
    """Whether complex numbers occur in an expression."""
    return any(map(is_complex, arrays_in(expr))) or any(is_imaginary(f) for t in expr for f, _ in t.factors)


def is_imaginary(factor: Factor) -> bool:
    """Whether a factor is the imaginary unit, or a function in whose text it stands."""
    return isinstance(factor, Function) and _UNIT_IN_TEXT.search(factor.name) is not None


def of_real_numbers(definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """The definitions in which nothing is complex: other arrays stand for themselves, whatever they are.

    What rewriting knows of powers, functions, signs and comparisons holds for real numbers.
    """
    return {n: d for n, d in definitions.items() if not is_complex(n) and not holds_complex(d.expr)}


def as_real_part(expr: Expr) -> Expr | None:
    """e, if the expression is seen to be Re(e), with half of its terms; ``None`` if it is not, or holds nothing complex.

    Terms that are real as they stand belong to e as they are.
    """
    if not holds_complex(expr):
        return None
    left = list(simplify(expr))
    result: list[Term] = []
    while left:
        term = left.pop(0)
        other = simplify(conjugate((term,)))
        if not simplify(add((term,), scale(other, -1))):
            result.append(term)
            continue
        partner = next((t for t in left if not simplify(add((t,), scale(other, -1)))), None)
        if partner is None:
            return None
        left.remove(partner)
        # of the two the one with fewer conjugates is shown
        first = min(term, partner, key=_conjugates)
        result.append(Term(2 * first.coefficient, first.bound, first.factors))
    return tuple(result)


def _conjugates(term: Term) -> int:
    return sum(a.endswith(CONJUGATE) for a in arrays_in((term,)))
