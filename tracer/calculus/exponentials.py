"""Exponentials that have to do with one another: exp(a − log q) is exp(a) / q, and exp(−z) is 1 / exp(z).

In come definitions in program order; out go the same definitions, in which an exponential whose argument is a
multiple of that of an earlier one, or holds a logarithm, is written as a product.  Invariant: every equation
holds wherever the logarithms exist; no argument is taken apart that has nothing to do with another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from msgspec import Struct

from tracer.calculus.algebra import ONE, make_term
from tracer.calculus.definitions import at_entry, only_factor
from tracer.calculus.indexing import NotRepresentable, replace_in_entry
from tracer.calculus.terms import Definition, Entry, Factor, Function, Index, IndexExpr, Term

EXP, LOG = "exp(x0)", "log(x0)"
#: Arguments are followed through so many definitions.
_DEPTH = 6


class Exponent(Struct, frozen=True):
    """Σ c · entry + Σ c · log(entry): what an exponential is of."""

    entries: Mapping[Entry, Fraction]
    logarithms: Mapping[Entry, Fraction]


def related_exponentials(definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """The definitions, with exponentials that follow from earlier ones written in those."""
    result = dict(definitions)
    earlier: list[tuple[Definition, Exponent]] = []
    for name, definition in definitions.items():
        exponent = _exponent_of(definition, definitions)
        if exponent is None:
            continue
        product = _product(definition, exponent, earlier)
        if product is None:
            earlier.append((definition, exponent))
        else:
            result[name] = Definition(name, definition.free, (product,))
    return result


def _exponent_of(definition: Definition, definitions: Mapping[str, Definition]) -> Exponent | None:
    function = only_factor(definition.expr)
    if not isinstance(function, Function) or function.name != EXP:
        return None
    entries: dict[Entry, Fraction] = {}
    logarithms: dict[Entry, Fraction] = {}
    _add(function.arguments[0], ONE, definitions, entries, logarithms, _DEPTH)
    return Exponent(
        {e: c for e, c in entries.items() if c},
        {e: c for e, c in logarithms.items() if c},
    )


def _add(
    entry: Entry,
    coefficient: Fraction,
    definitions: Mapping[str, Definition],
    entries: dict[Entry, Fraction],
    logarithms: dict[Entry, Fraction],
    depth: int,
) -> None:
    """Add a multiple of an entry to an exponent, taken apart if it is a sum of multiples of entries."""
    definition = definitions.get(entry.array)
    if definition is not None and depth:
        try:
            expr = at_entry(definition, entry)
        except NotRepresentable:
            expr = ()
        factor = only_factor(expr)
        if isinstance(factor, Function) and factor.name == LOG:
            inside = factor.arguments[0]
            logarithms[inside] = logarithms.get(inside, Fraction(0)) + coefficient
            return
        parts = [(only_factor((term,), any_coefficient=True), term.coefficient) for term in expr]
        if parts and all(isinstance(f, Entry) for f, _ in parts):
            for inner, c in parts:
                assert isinstance(inner, Entry)
                _add(inner, coefficient * c, definitions, entries, logarithms, depth - 1)
            return
    entries[entry] = entries.get(entry, Fraction(0)) + coefficient


def _product(
    definition: Definition, exponent: Exponent, earlier: list[tuple[Definition, Exponent]]
) -> Term | None:
    """The exponential as a product of an earlier one to a power, of what was under logarithms, and of the rest."""
    rest, power = dict(exponent.entries), None
    for other, known in earlier:
        if known.logarithms or not known.entries or _axes(other) != _axes(definition):
            continue
        at: dict[Index, IndexExpr] = {
            f: i for f, i in zip(other.free, definition.free, strict=True) if isinstance(f, Index)
        }
        there = _at(known.entries, at)
        first = next(iter(there))
        if first not in exponent.entries:
            continue
        c = exponent.entries[first] / there[first]
        left = {e: exponent.entries.get(e, Fraction(0)) - c * there.get(e, Fraction(0)) for e in {*rest, *there}}
        left = {e: value for e, value in left.items() if value}
        if len(left) < len(rest):
            rest, power = left, (Entry(other.array, definition.free), c)
    if (power is None or rest) and not exponent.logarithms:
        return None
    factors: list[tuple[Factor, Fraction]] = [] if power is None else [power]
    factors += [(Function(EXP, (e,)), c) for e, c in rest.items()]
    factors += list(exponent.logarithms.items())
    return make_term(ONE, (), factors)


def _axes(definition: Definition) -> tuple[object, ...]:
    return tuple(i.axis if isinstance(i, Index) else i for i in definition.free)


def _at(entries: Mapping[Entry, Fraction], at: Mapping[Index, IndexExpr]) -> dict[Entry, Fraction]:
    """The same at other indices."""
    return {replace_in_entry(e, at): c for e, c in entries.items()}
