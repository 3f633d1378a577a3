"""Masks whose sign is known from what an array is: an exponential is positive, a positive part is where its argument is.

Comes in: a term, and definitions.  Goes out: the term with one mask rewritten.  Invariant: an equality everywhere,
also at ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tracer.calculus.algebra import ONE, entry, make_term, multiply, substitute
from tracer.calculus.definitions import at_entry, chosen_part_of, only_factor, positive_part_of
from tracer.calculus.terms import Definition, Entry, Expr, Function, Index, Mask, Term

#: Functions whose values are positive, whatever the argument.
POSITIVE = frozenset({"exp(x0)", "cosh(x0)", "2**x0"})


def with_known_sign(term: Term, definitions: Mapping[str, Definition]) -> tuple[Expr, str] | None:
    """A term with one mask [h > 0] as what it is, and the array whose definition says so; None if nothing is known of any.

    [h > 0] = [z > 0] where h is the positive part of z, and 1 where h is an exponential.
    """
    for position, (factor, _) in enumerate(term.factors):
        if not isinstance(factor, Mask) or factor.relation != ">" or factor.right != 0:
            continue
        side = factor.left
        if not isinstance(side, Entry) or side.array not in definitions:
            continue
        definition = definitions[side.array]
        others = term.factors[:position] + term.factors[position + 1 :]
        function = only_factor(definition.expr)
        if isinstance(function, Function) and function.name in POSITIVE:
            return (Term(term.coefficient, term.bound, others),), side.array
        inner = positive_part_of(definition)
        if inner is None:
            chosen = _chosen_part(definition, side)
            if chosen is None:
                continue
            product = multiply((Term(term.coefficient, (), others),), chosen)
            return tuple(Term(t.coefficient, term.bound + t.bound, t.factors) for t in product), side.array
        at = substitute(
            entry(inner.array, *inner.indices),
            {f: i for f, i in zip(definition.free, side.indices, strict=True) if isinstance(f, Index)},
        )
        looked = at[0].factors[0][0]
        if not isinstance(looked, Entry):
            continue
        made = make_term(term.coefficient, term.bound, (*others, (Mask(">", looked, Fraction(0)), ONE)))
        return (() if made is None else (made,)), side.array
    return None


def _chosen_part(definition: Definition, side: Entry) -> Expr | None:
    """[Y w > 0] = [Y > 0] w at an entry, where w is 0 or 1."""
    found = chosen_part_of(definition)
    if found is None:
        return None
    kept, weight = found
    mask = make_term(ONE, (), ((Mask(">", kept, Fraction(0)), ONE),))
    assert mask is not None
    whole = Definition(definition.array, definition.free, multiply((mask,), weight))
    return at_entry(whole, side)
