"""Writing out what an array is, in the place of its entries, and nothing else.

Comes in: an expression and definitions in terms of earlier arrays.  Goes out: the expression with each entry
replaced by its definition where that is possible: not inside scalar functions or masks, and a sum is not
divided by.  Invariant: the value is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tracer.calculus import NotRepresentable, arrays_in, multiply, power, simplify
from tracer.calculus.complex_values import CONJUGATE, conjugate, conjugate_of, is_weights
from tracer.calculus.definitions import at_entry
from tracer.calculus.linearised import is_linearised
from tracer.calculus.terms import Definition, Entry, Expr, Term

#: What has more terms, or is raised to a higher power, is not written out.
_MOST_TERMS, _HIGHEST_POWER = 60, 4


def inline(expr: Expr, definitions: Mapping[str, Definition]) -> Expr:
    """The expression over arrays that are not in ``definitions``, as far as that is possible.

    A Fourier transform whose conjugate occurs too stays what it is: conj(Z) reads better than N ifft(x).
    """
    kept = _transforms_with_conjugates(expr, definitions)
    definitions = {a: d for a, d in definitions.items() if a not in kept} if kept else definitions
    done: list[Term] = []
    waiting = list(expr)
    while waiting:
        term = waiting.pop()
        replaced = _replace_one(term, definitions)
        if replaced is None or len(done) + len(waiting) > _MOST_TERMS:
            done.append(term)
        else:
            waiting += replaced
    return simplify(tuple(done))


def _transforms_with_conjugates(expr: Expr, definitions: Mapping[str, Definition]) -> set[str]:
    """The Fourier transforms of which an expression mentions the conjugate, also through definitions."""
    mentioned: set[str] = set()
    waiting = list(arrays_in(expr))
    while waiting:
        array = waiting.pop()
        if array in mentioned:
            continue
        mentioned.add(array)
        definition = definitions.get(array.removesuffix(CONJUGATE))
        waiting += arrays_in(definition.expr) if definition is not None else ()
    plain = {a.removesuffix(CONJUGATE) for a in mentioned if a.endswith(CONJUGATE)}
    return {a for a in plain if a in definitions and any(map(is_weights, arrays_in(definitions[a].expr)))}


def _replace_one(term: Term, definitions: Mapping[str, Definition]) -> Expr | None:
    for position, (factor, exponent) in enumerate(term.factors):
        if not isinstance(factor, Entry):
            continue
        definition = definitions.get(factor.array)
        if definition is None and factor.array.endswith(CONJUGATE):
            definition = _conjugate_definition(definitions.get(factor.array.removesuffix(CONJUGATE)))
        if definition is None or is_linearised(definition):
            continue
        value = _raised(definition, factor, exponent)
        if value is None:
            continue
        rest = Term(term.coefficient, (), term.factors[:position] + term.factors[position + 1 :])
        product = multiply((rest,), value)
        return tuple(Term(t.coefficient, term.bound + t.bound, t.factors) for t in product)
    return None


def _conjugate_definition(definition: Definition | None) -> Definition | None:
    """What the conjugate of an array is."""
    if definition is None:
        return None
    return Definition(conjugate_of(definition.array), definition.free, conjugate(definition.expr))


def _raised(definition: Definition, factor: Entry, exponent: Fraction) -> Expr | None:
    """A power of an entry, written out; None if it cannot be, as one of a sum that something is divided by."""
    if exponent.denominator != 1 or abs(exponent) > _HIGHEST_POWER:
        return None
    if exponent != 1 and (len(definition.expr) != 1 or definition.expr[0].bound):
        return None
    try:
        return power(at_entry(definition, factor), exponent)
    except (NotRepresentable, ValueError):
        return None
