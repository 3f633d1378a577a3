"""Rational functions of entries: what the normal form cannot cancel, SymPy does.

In come terms that are elementwise in their free indices; out goes whether their sum is zero, or a shorter
equal sum.  Names whose definitions are sums, products and quotients of entries are put in first, so
that everything is a rational function of a few entries.  If that does not cancel, scalar functions are opened
too: SymPy knows that exp(−z) exp(z) = 1.  Symbols are real: √(x²) stays |x|.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from tracer.calculus.algebra import ONE, arrays_in, make_term, multiply, substitute
from tracer.calculus.canonical import factor_text, simplify, term_key
from tracer.calculus.indexing import NotRepresentable, indices_of
from tracer.calculus.scalar import symbolic
from tracer.calculus.terms import (
    Condition,
    Definition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    Mask,
    Term,
)

#: Above this many symbols, and this many terms, cancelling takes too long; with functions opened sooner.
MOST_SYMBOLS = 16
MOST_TERMS = 60
MOST_OPENED = 8
MOST_OPERATIONS = 200


class Frames:
    """An expression as a sum of frames times rational functions.

    A frame is what a term has of sums, deltas, masks and conditions; the rest of the term is
    a product of entries at free indices.
    """

    def __init__(
        self,
        expr: Expr,
        definitions: Mapping[str, Definition],
        opaque: Iterable[str] = (),
        *,
        opened: bool = False,
    ) -> None:
        """``opened``: scalar functions are no symbols but functions of what they are applied to."""
        self.opened = opened
        self.definitions, self.opaque = definitions, frozenset(opaque)
        self.symbols: dict[str, Any] = {}
        self.factors: dict[Any, Factor] = {}
        self.groups: dict[str, tuple[Term, list[Term]]] = {}
        for term in expr:
            bound = frozenset(term.bound)
            inside = tuple((f, e) for f, e in term.factors if _of_frame(f, bound))
            frame = Term(ONE, term.bound, inside)
            self.groups.setdefault(term_key(frame), (frame, []))[1].append(term)

    def coefficient(self, terms: list[Term]) -> Any:
        """The sum of what the terms have besides their frame, as a SymPy expression."""
        import sympy

        total = sympy.Integer(0)
        for term in terms:
            bound = frozenset(term.bound)
            product = sympy.Rational(term.coefficient.numerator, term.coefficient.denominator)
            for factor, exponent in term.factors:
                if not _of_frame(factor, bound):
                    product *= self.value(factor) ** sympy.Rational(exponent.numerator, exponent.denominator)
            total += product
        return total

    def value(self, factor: Factor, depth: int = 0) -> Any:
        """A factor as a rational function of the entries that have no such definition."""
        import sympy

        if self.opened and isinstance(factor, Function) and depth < 12:
            return symbolic(factor.name, [self.value(a, depth + 1) for a in factor.arguments])
        inner = self.definition(factor) if depth < 12 else None
        if inner is None:
            return self.symbol(factor)
        total = sympy.Integer(0)
        for term in inner:
            product = sympy.Rational(term.coefficient.numerator, term.coefficient.denominator)
            for f, exponent in term.factors:
                product *= self.value(f, depth + 1) ** sympy.Rational(exponent.numerator, exponent.denominator)
            total += product
        return total

    def definition(self, factor: Factor) -> Expr | None:
        """What an entry is, if that is a sum of products and quotients of entries."""
        if not isinstance(factor, Entry) or factor.array in self.opaque:
            return None
        definition = self.definitions.get(factor.array)
        if definition is None or not definition.expr:
            return None
        pairs = zip(definition.free, factor.indices, strict=True)
        try:
            value = substitute(definition.expr, {f: i for f, i in pairs if isinstance(f, Index)})
        except NotRepresentable:
            return None
        if any(isinstance(i, int) for i in factor.indices):
            value = simplify(value)  # at a place with a number what is stacked is one of its items
        for term in value:
            if term.bound or not all(self._elementwise(f, e) for f, e in term.factors):
                return None
        return value

    def _elementwise(self, factor: Factor, exponent: Fraction) -> bool:
        if isinstance(factor, Function):
            return self.opened or exponent.denominator == 1  # else it is a value that nothing is known of
        return isinstance(factor, Entry) and (self.opened or exponent.denominator == 1)

    def symbol(self, factor: Factor) -> Any:
        import sympy

        text = factor_text(factor)
        if text not in self.symbols:
            self.symbols[text] = sympy.Symbol(f"u{len(self.symbols)}", real=True)
            self.factors[self.symbols[text]] = factor
        return self.symbols[text]


def _of_frame(factor: Factor, bound: frozenset[Index]) -> bool:
    return isinstance(factor, (Delta, Mask, Condition)) or not indices_of(factor).isdisjoint(bound)


def cancelled(expr: Expr, definitions: Mapping[str, Definition], opaque: Iterable[str] = ()) -> Expr:
    """The terms whose sum is not seen to be zero as a rational function of entries."""

    frames = Frames(expr, definitions, opaque)
    remaining: list[Term] = []
    for _, terms in frames.groups.values():
        if 1 < len(terms) <= MOST_TERMS:
            total = frames.coefficient(terms)
            if len(frames.symbols) <= MOST_SYMBOLS and _is_zero(total):
                continue
            if _cancels_opened(terms, definitions, opaque):
                continue
        remaining += terms
    return tuple(remaining)


def _cancels_opened(terms: list[Term], definitions: Mapping[str, Definition], opaque: Iterable[str]) -> bool:
    """Whether the terms, of one frame, cancel when scalar functions are opened."""
    import sympy

    frames = Frames(tuple(terms), definitions, opaque, opened=True)
    total = frames.coefficient(terms)
    if len(frames.symbols) > MOST_OPENED or not total.has(sympy.Function):
        return False
    if total.count_ops() > MOST_OPERATIONS:
        return False
    return _is_zero(total)


def _is_zero(total: Any) -> bool:
    """Whether SymPy cancels the expression to zero; it is not asked where the value at some point is not zero."""
    import sympy

    symbols = sorted(total.free_symbols, key=str)
    point = {s: sympy.Rational(2 * n + 3, 3 * n + 7) for n, s in enumerate(symbols)}
    value = sum((sympy.N(term.subs(point), 30) for term in sympy.Add.make_args(total)), sympy.Integer(0))
    if value.is_number and value.is_finite and abs(value) > sympy.Float("1e-12"):
        return False
    return bool(sympy.cancel(sympy.together(total)) == 0)


def folded(expr: Expr, definitions: Mapping[str, Definition], named: frozenset[str]) -> Expr | None:
    """The expression cancelled, with unnamed entries replaced by named ones where a definition can be solved.

    With a = 1/(1 + e), an e that has no name, or is a scalar function, becomes 1/a − 1.  ``None`` if the result is no sum of
    products and quotients.
    """
    import sympy

    frames = Frames(expr, definitions)
    result: Expr = ()
    for frame, terms in frames.groups.values():
        if len(terms) > MOST_TERMS:
            return None
        total = sympy.cancel(sympy.together(frames.coefficient(terms)))
        if len(frames.symbols) > MOST_SYMBOLS:
            return None
        for symbol in sorted(total.free_symbols, key=str):
            factor = frames.factors[symbol]
            if isinstance(factor, Function) or (isinstance(factor, Entry) and factor.array not in named):
                total = _solved(total, symbol, factor, frames, named)
        back = _from_rational(total, frames)
        if back is None:
            return None
        result += tuple(
            Term(t.coefficient, frame.bound + t.bound, t.factors)
            for t in multiply(back, (Term(ONE, (), frame.factors),))
        )
    return simplify(result)


def _solved(
    total: Any, symbol: Any, factor: Entry | Function, frames: Frames, named: frozenset[str]
) -> Any:
    """The function with a symbol replaced, if a named entry is a fraction of degree one in it."""
    import sympy

    first = factor.arguments[0] if isinstance(factor, Function) and factor.arguments else factor
    if not isinstance(first, Entry):
        return total
    for name in frames.definitions:
        definition = frames.definitions[name]
        if name not in named or len(definition.free) != len(first.indices):
            continue
        indices = tuple(
            i if isinstance(f, Index) else 0 for f, i in zip(definition.free, first.indices, strict=True)
        )
        one = Entry(name, indices)
        value = frames.definition(one)
        if value is None or first.array not in _reaches(name, frames.definitions):
            continue
        rational = frames.value(one)
        if symbol not in rational.free_symbols:
            continue
        named_symbol = sympy.Symbol("named", real=True)
        numerator = sympy.numer(sympy.together(rational - named_symbol))
        if not numerator.is_polynomial(symbol) or sympy.degree(numerator, symbol) != 1:
            continue
        slope, rest = sympy.Poly(numerator, symbol).all_coeffs()
        # Dividing by an entry would be wrong where it is zero: 1/(1 + e) never is, z/(1 + e) may be.
        if slope.free_symbols and not sympy.numer(sympy.together(rational)).is_number:
            continue
        if slope.free_symbols - {named_symbol} or (
            slope not in (named_symbol, -named_symbol) and slope.free_symbols
        ):
            continue
        solved = total.subs(symbol, -rest / slope).subs(named_symbol, frames.symbol(one))
        return sympy.cancel(sympy.together(solved))
    return total


def _reaches(name: str, definitions: Mapping[str, Definition]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        definition = definitions.get(waiting.pop())
        new = set(arrays_in(definition.expr)) - found if definition is not None else set()
        found |= new
        waiting += new
    return found


def _from_rational(total: Any, frames: Frames) -> Expr | None:
    """Back from SymPy, if the denominator is a single product."""
    import sympy

    result: list[Term] = []
    for summand in sympy.Add.make_args(sympy.expand(total)):
        coefficient, factors = ONE, list[tuple[Factor, Fraction]]()
        for part in sympy.Mul.make_args(summand):
            base, exponent = part.as_base_exp()
            if part.is_Rational:
                coefficient *= Fraction(int(part.p), int(part.q))
            elif base.is_Symbol and exponent.is_Rational:
                factors.append((frames.factors[base], Fraction(int(exponent.p), int(exponent.q))))
            else:
                return None
        term = make_term(coefficient, (), factors)
        if term is not None:
            result.append(term)
    return tuple(result)
