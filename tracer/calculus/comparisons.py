"""Comparisons of values that are made from others: [1 − m > 0] is [1 > m], [2 z > 0] is [z > 0].

In comes a mask and definitions; out goes the mask of what the compared values are made from, if that is one
entry beside a number or two entries.  Invariant: it holds for the same real numbers, ties included.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tracer.calculus.definitions import at_entry
from tracer.calculus.indexing import NotRepresentable
from tracer.calculus.terms import Definition, Entry, Mask

#: Σ c · entry + constant.
Linear = tuple[dict[Entry, Fraction], Fraction]


def simpler_mask(mask: Mask, definitions: Mapping[str, Definition]) -> Mask | None:
    """The same mask of what the compared values are made from; ``None`` if there is no such one."""
    if mask.relation == "==":
        return None
    (entries, constant), (taken, subtracted) = (_linear(s, definitions) for s in (mask.left, mask.right))
    constant -= subtracted
    difference = {e: entries.get(e, Fraction(0)) - taken.get(e, Fraction(0)) for e in {**entries, **taken}}
    left = [(e, c) for e, c in difference.items() if c]
    match left:
        case []:
            new = Mask(mask.relation, constant, Fraction(0))
        case [(entry, c)]:
            bound = -constant / c
            new = Mask(mask.relation, entry, bound) if c > 0 else Mask(mask.relation, bound, entry)
        case [(one, c), (other, d)] if c == -d and not constant:
            new = Mask(mask.relation, one, other) if c > 0 else Mask(mask.relation, other, one)
        case _:
            return None
    return None if new == mask else new


def _linear(side: Entry | Fraction, definitions: Mapping[str, Definition]) -> Linear:
    """A side of a comparison as a sum of multiples of entries; an entry stands for itself if it is no such sum."""
    if isinstance(side, Fraction):
        return {}, side
    alone: Linear = ({side: Fraction(1)}, Fraction(0))
    definition = definitions.get(side.array)
    if definition is None:
        return alone
    entries: dict[Entry, Fraction] = {}
    constant = Fraction(0)
    try:
        terms = at_entry(definition, side)
    except NotRepresentable:
        return alone
    for term in terms:
        if term.bound or len(term.factors) > 1:
            return alone
        if not term.factors:
            constant += term.coefficient
            continue
        ((factor, exponent),) = term.factors
        if not isinstance(factor, Entry) or exponent != 1:
            return alone
        entries[factor] = entries.get(factor, Fraction(0)) + term.coefficient
    return entries, constant
