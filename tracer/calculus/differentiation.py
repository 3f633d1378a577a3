"""The derivative of an expression with respect to one entry of an array.

∂A[i, j] / ∂A[a, b] = δ(a, i) δ(b, j); everything else is the product rule, the power rule and the chain rule
of scalar functions, whose own derivatives are SymPy's.  Masks, index conditions and look-ups are constant
in what they compare and look up; so is ``X.value`` (see `linearised`), which is X in the result.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.calculus.algebra import ONE, make_term, multiply, sum_over
from tracer.calculus.indexing import arrays_of
from tracer.calculus.linearised import held
from tracer.calculus.scalar import OUTPUT, derivative_template
from tracer.calculus.terms import (
    Definition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Term,
)


def differentiate(
    expr: Expr, array: str, at: tuple[Index | int, ...], definition: Definition | None = None
) -> Expr:
    """∂expr / ∂array[at], with deltas that are not yet contracted.

    Args:
        expr: what is differentiated.
        array: the name of the array.
        at: the entry of it, an index for each axis or 0 along an axis of size one; fresh indices.
        definition: if given, and ``expr`` is the expression of this definition, derivatives may be written
            in terms of the array that it defines where that is shorter: tanh′ = 1 − y².

    Raises:
        NoDerivative: for a scalar function without a derivative in known functions.
    """
    result: list[Term] = []
    for term in expr:
        for position, (factor, exponent) in enumerate(term.factors):
            if isinstance(factor, (Entry, Function)) and array in arrays_of(factor):
                rest = term.factors[:position] + term.factors[position + 1 :]
                # The sum stays outside of the product: the deltas mention its indices.
                lowered = make_term(term.coefficient * exponent, (), (*rest, (factor, exponent - 1)))
                if lowered is None:
                    continue
                whole = definition if len(expr) == 1 and term.factors == ((factor, ONE),) else None
                whole = whole if term.coefficient == 1 and not term.bound else None
                inner = _differentiate_factor(factor, array, at, whole)
                result += sum_over(term.bound, multiply((lowered,), inner))
    return held(tuple(result))


def _differentiate_factor(
    factor: Factor, array: str, at: tuple[Index | int, ...], definition: Definition | None
) -> Expr:
    if isinstance(factor, Entry):
        return _deltas(at, factor.indices) if factor.array == array else ()
    assert isinstance(factor, Function)
    result: Expr = ()
    output = Entry(definition.array, definition.free) if definition is not None else None
    for position, argument in enumerate(factor.arguments):
        if argument.array != array:
            continue
        template = derivative_template(factor.name, position, output is not None)
        local = _fill(template, factor.arguments, output)
        result += multiply(local, _deltas(at, argument.indices))
    return result


def _deltas(at: Sequence[Index | int], indices: Sequence[IndexExpr]) -> Expr:
    """Π_d δ(at_d, index_d): whether this entry is that one."""
    if len(at) != len(indices):
        raise ValueError(f"an entry with {len(indices)} indices is not one with {len(at)}")
    term = make_term(ONE, (), [(Delta(a, e), ONE) for a, e in zip(at, indices, strict=True)])
    return () if term is None else (term,)


def _fill(template: Expr, arguments: Sequence[Entry], output: Entry | None) -> Expr:
    """The template with its entries x0, x1, …, y replaced by the real ones."""
    entries = {f"x{n}": a for n, a in enumerate(arguments)}
    if output is not None:
        entries[OUTPUT] = output
    filled = (
        make_term(t.coefficient, t.bound, [(_fill_factor(f, entries), e) for f, e in t.factors])
        for t in template
    )
    return tuple(t for t in filled if t is not None)


def _fill_factor(factor: Factor, entries: dict[str, Entry]) -> Factor:
    match factor:
        case Entry():
            return entries[factor.array]
        case Function():
            return Function(factor.name, tuple(entries[a.array] for a in factor.arguments))
        case Mask():
            left, right = (
                entries[s.array] if isinstance(s, Entry) else s for s in (factor.left, factor.right)
            )
            return Mask(factor.relation, left, right)
        case _:
            raise ValueError(f"a scalar derivative has no {factor}")
