"""Questions about definitions: which arrays are equal, what they rest on, what simple form they have.

In come definitions in program order; they are not changed, but some are given written in another way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache

from tracer.calculus.algebra import ONE, add, arrays_in, freshen, make_term, scale, substitute
from tracer.calculus.canonical import canonical_key, is_zero
from tracer.calculus.indexing import NotRepresentable
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.terms import Condition, Definition, Delta, Entry, Expr, Factor, Index, Mask, Term

#: What follows the name of a mask in the name of the array of places where it is true.
WHERE = ".where"


def number_values(definitions: Mapping[str, Definition]) -> dict[str, str]:
    """For each array the first one that is defined alike, so that equal values have one name.

    A copy is the same as what it copies.
    """
    names: dict[str, str] = {}
    seen: dict[object, str] = {}
    for name, definition in definitions.items():
        free = definition.free
        expr = rename_arrays(definition.expr, names)
        if len(expr) == 1 and expr[0].coefficient == 1 and not expr[0].bound and len(expr[0].factors) == 1:
            factor, exponent = expr[0].factors[0]
            if isinstance(factor, Entry) and exponent == 1 and factor.indices == free:
                names[name] = names.get(factor.array, factor.array)
                continue
        names[name] = seen.setdefault(_value_key(free, expr), name)
    return {name: other for name, other in names.items() if name != other}


@lru_cache(maxsize=1 << 13)
def _value_key(free: tuple[Index | int, ...], expr: Expr) -> object:
    """A key that two definitions share only if they define the same values."""
    numbered: dict[Index, int | Index] = {
        i: Index(f"?{n}", i.axis) for n, i in enumerate(free) if isinstance(i, Index)
    }
    axes = tuple(i.axis if isinstance(i, Index) else None for i in free)
    return axes, canonical_key(substitute(expr, numbered))


def as_multiples(definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """The definitions, with multiples of an earlier array, or the same one with other axes of size one, written as that.

    (−A) v is −(A v), and a sum with ``keepdims=True`` is the one without.
    """
    result = dict(definitions)
    earlier: dict[object, tuple[str, Fraction, tuple[Index | int, ...]]] = {}
    for name, definition in definitions.items():
        core: Expr | None = definition.expr
        coefficient = ONE
        if len(definition.expr) == 1:
            (term,) = definition.expr
            if not term.bound and len(term.factors) < 2:
                continue  # one entry or function is followed by its name
            alone, coefficient = _without_multiples(term, result)
            core = None if alone is None else (alone,)
        if not core:
            continue
        running = tuple(i for i in definition.free if isinstance(i, Index))
        key = _value_key(running, core)
        known, of_known, free = earlier.setdefault(key, (name, coefficient, definition.free))
        if known != name:
            rest = iter(running)
            at = tuple(next(rest) if isinstance(i, Index) else i for i in free)
            factor = (Entry(known, at), ONE)
            result[name] = Definition(name, definition.free, (Term(coefficient / of_known, (), (factor,)),))
    return result


def _without_multiples(term: Term, definitions: Mapping[str, Definition]) -> tuple[Term | None, Fraction]:
    """The term without its coefficient, and the coefficient, with factors that are multiples of an entry taken apart."""
    coefficient = term.coefficient
    waiting, factors = list(term.factors), list[tuple[Factor, Fraction]]()
    while waiting:
        factor, exponent = waiting.pop()
        definition = definitions.get(factor.array) if isinstance(factor, Entry) and exponent == 1 else None
        if not isinstance(factor, Entry) or definition is None:
            factors.append((factor, exponent))
        elif isinstance(only_factor(definition.expr, any_coefficient=True), Entry):
            try:
                (inner,) = at_entry(definition, factor)
            except NotRepresentable:
                return None, coefficient
            coefficient *= inner.coefficient
            waiting += inner.factors
        else:
            factors.append((factor, exponent))
    return make_term(ONE, term.bound, factors), coefficient


def ancestors(
    names: Iterable[str], definitions: Mapping[str, Definition], most: int | None = None
) -> dict[str, Definition]:
    """The definitions that these arrays rest on, in their order; of more than ``most`` the nearest ones."""
    needed = set(names)
    waiting = list(needed)
    found = 0
    while waiting and (most is None or found < most):
        nearest, waiting = waiting, []
        for name in nearest:
            definition = definitions.get(name)
            # The places where a mask is true rest on the mask.
            new = frozenset((name.rpartition(WHERE)[0],)) if WHERE in name else frozenset()
            if definition is not None:
                found += 1
                new |= arrays_in(definition.expr)
            new -= needed
            needed |= new
            waiting += new
    needed.difference_update(waiting)
    return {name: d for name, d in definitions.items() if name in needed}


def only_factor(expr: Expr, any_coefficient: bool = False) -> Factor | None:
    """The factor that an expression is, if it is one factor to the power one."""
    if len(expr) != 1 or expr[0].bound or len(expr[0].factors) != 1:
        return None
    if expr[0].coefficient != 1 and not any_coefficient:
        return None
    factor, exponent = expr[0].factors[0]
    return factor if exponent == 1 else None


def positive_part_of(definition: Definition) -> Entry | None:
    """The entry z if the definition is z [z > 0] or z − z [0 > z]."""
    if not any(isinstance(f, Mask) for term in definition.expr for f, _ in term.factors):
        return None
    for term in definition.expr:
        for factor, _ in term.factors:
            if not isinstance(factor, Entry):
                continue
            z = ((factor, ONE),)
            above = Term(ONE, (), (*z, (Mask(">", factor, Fraction(0)), ONE)))
            below = Term(ONE, (), (*z, (Mask(">", Fraction(0), factor), ONE)))
            if is_zero(add(definition.expr, scale((above,), -1))) or is_zero(
                add(definition.expr, scale((Term(ONE, (), z),), -1), (below,))
            ):
                return factor
    return None


def chosen_part_of(definition: Definition) -> tuple[Entry, Expr] | None:
    """The entry Y and the weight w of a definition Y · w, where w is 0 or 1: a product of deltas, masks and
    conditions, or one less such a product."""
    weights: list[Term] = []
    kept: Entry | None = None
    for term in definition.expr:
        entries = [(f, e) for f, e in term.factors if isinstance(f, Entry)]
        others = tuple((f, e) for f, e in term.factors if not isinstance(f, Entry))
        if term.bound or len(entries) != 1 or not all(isinstance(f, Delta | Mask | Condition) for f, _ in others):
            return None
        ((factor, exponent),) = entries
        if exponent != 1 or kept not in (None, factor):
            return None
        kept = factor
        weights.append(Term(term.coefficient, (), others))
    signs = sorted((bool(w.factors), int(w.coefficient)) for w in weights if w.coefficient.denominator == 1)
    if kept is None or len(signs) != len(weights) or signs not in ([(True, 1)], [(False, 1), (True, -1)]):
        return None
    return kept, tuple(weights)


def at_entry(definition: Definition, factor: Entry) -> Expr:
    """The definition at the indices of an entry, with fresh names for what it sums over."""
    mapping = {f: i for f, i in zip(definition.free, factor.indices, strict=True) if isinstance(f, Index)}
    return substitute(tuple(freshen(t) for t in definition.expr), mapping)
