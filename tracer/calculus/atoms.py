"""Which arrays stand for themselves when all others are unfolded.

Comes in: definitions.  Goes out: the names that stay.  Invariant: what is unfolded stays a polynomial; what something
is divided by, or takes a logarithm of, is one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracer.calculus.terms import Condition, Definition, Delta, Entry, Expr, Function, Mask


def find_atoms(definitions: Mapping[str, Definition], keep: Iterable[str]) -> frozenset[str]:
    """Arrays that are not unfolded: scalar functions, and sums that something is divided by; and those to ``keep``."""
    atoms = set(keep)
    for name, definition in definitions.items():
        has_function = any(isinstance(f, Function) for t in definition.expr for f, _ in t.factors)
        split = is_product(definition.expr) and len(definition.expr[0].factors) > 1
        if has_function and not split:
            atoms.add(name)
        for term in definition.expr:
            for factor, exponent in term.factors:
                if isinstance(factor, Function):
                    divided = [a.array for a in factor.arguments if factor.name.startswith("log")]
                elif isinstance(factor, Entry) and (exponent < 0 or exponent.denominator != 1):
                    divided = [factor.array]
                else:
                    continue
                for array in divided:
                    atoms |= _divisors(definitions, array, exponent.denominator != 1)
    return frozenset(atoms)


def _divisors(definitions: Mapping[str, Definition], array: str, fractional: bool) -> set[str]:
    """What stays when something is divided by this array: itself, or the sums it is a product of."""
    definition = definitions.get(array)
    if definition is None:
        return set()
    if fractional or not is_product(definition.expr):
        return {array}
    found: set[str] = set()
    for factor, exponent in definition.expr[0].factors:
        if isinstance(factor, Entry):
            found |= _divisors(definitions, factor.array, exponent.denominator != 1)
    return found


def is_product(expr: Expr) -> bool:
    """Whether it is one term without sums, deltas, masks and conditions, so that it can be divided by."""
    return (
        len(expr) == 1
        and not expr[0].bound
        and not any(isinstance(f, (Delta, Mask, Condition)) for f, _ in expr[0].factors)
    )


def is_item(expr: Expr) -> bool:
    """Whether it is one entry, or a product of entries: what is stacked is that at one of its places."""
    return len(expr) == 1 and not expr[0].bound and all(isinstance(f, Entry) for f, _ in expr[0].factors)
