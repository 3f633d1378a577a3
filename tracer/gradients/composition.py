"""A value as one scalar function of named values: 1/(1 + exp(−z)) instead of four operations.

Comes in: a definition and the definitions of the temporaries that it is made from.  Goes out: the same
definition as a single scalar function, composed by SymPy, of the entries that remain.  Invariant: only
operations entry by entry are composed; a sum, a mask or a size on the way ends it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from tracer.calculus import substitute
from tracer.calculus.algebra import ONE, make_term
from tracer.calculus.linearised import is_linearised
from tracer.calculus.scalar import parse
from tracer.calculus.terms import Definition, Entry, Expr, Function, Index, Term

#: Longer functions, and functions of more entries, are not easier to read than their parts.
_MOST_OPERATIONS = 24
_MOST_ENTRIES = 3


class NotElementwise(Exception):
    """The value is not a scalar function of entries."""


def composed(
    definition: Definition, definitions: Mapping[str, Definition], between: Collection[str]
) -> Definition:
    """The definition as a scalar function of entries of arrays that are not ``between``.

    Raises:
        NotElementwise: if something else than scalar functions lies on the way.
    """
    if not _is_scalar_function(definition):
        raise NotElementwise("a sum, a mask or a size lies on the way")
    if not _holds_function(definition, definitions, between):
        raise NotElementwise("products and quotients are better told apart")
    import sympy  # late: most programs have no function that would have to be composed

    entries: list[Entry] = []

    @cache  # what a loop over entries builds on is met again on many ways
    def value(entry: Entry) -> Any:
        if entry.array not in between or not _is_scalar_function(definitions.get(entry.array)):
            if entry not in entries:
                entries.append(entry)
            if len(entries) > _MOST_ENTRIES:
                raise NotElementwise("it depends on too many entries")
            return sympy.Symbol(f"x{entries.index(entry)}", real=True)
        inner = definitions[entry.array]
        at = {f: i for f, i in zip(inner.free, entry.indices, strict=True) if isinstance(f, Index)}
        return total(substitute(inner.expr, at))

    def total(expr: Expr) -> Any:
        return sympy.Add(*(product(t) for t in expr))

    def product(term: Term) -> Any:
        if term.bound:
            raise NotElementwise("a sum over entries lies on the way")
        parts = [sympy.Rational(term.coefficient.numerator, term.coefficient.denominator)]
        for factor, exponent in term.factors:
            power = sympy.Rational(exponent.numerator, exponent.denominator)
            if isinstance(factor, Entry):
                parts.append(value(factor) ** power)
            elif isinstance(factor, Function):
                inner = {sympy.Symbol(f"x{n}", real=True): value(a) for n, a in enumerate(factor.arguments)}
                parts.append(parse(factor.name).xreplace(inner) ** power)
            else:
                raise NotElementwise("a mask or a size lies on the way")
        return sympy.Mul(*parts)

    function = total(definition.expr)
    if not entries or function.count_ops() > _MOST_OPERATIONS:
        raise NotElementwise("the function is too long to be read at once")
    term = make_term(ONE, (), [(Function(str(function), tuple(entries)), ONE)])
    if term is None:
        raise NotElementwise("the function is zero")
    return Definition(definition.array, definition.free, (term,))


def _is_scalar_function(definition: Definition | None) -> bool:
    """Whether an array is made entry by entry, so that it can be written into another function."""
    return (
        definition is not None
        and not is_linearised(definition)
        and all(
            not term.bound and all(isinstance(f, Entry | Function) for f, _ in term.factors)
            for term in definition.expr
        )
    )


def _holds_function(
    definition: Definition, definitions: Mapping[str, Definition], between: Collection[str]
) -> bool:
    """Whether a function such as exp is among the operations that would be composed."""
    seen: set[str] = set()
    todo = [definition]
    while todo:
        current = todo.pop()
        for term in current.expr:
            for factor, _ in term.factors:
                if isinstance(factor, Function):
                    return True
                if isinstance(factor, Entry) and factor.array in between and factor.array not in seen:
                    seen.add(factor.array)
                    inner = definitions.get(factor.array)
                    if _is_scalar_function(inner) and inner is not None:
                        todo.append(inner)
    return False
