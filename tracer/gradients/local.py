"""Local derivatives of elementwise functions, and forward formulas, at the width a reader thinks in.

Comes in: two nodes between which every operation is elementwise.  Goes out: the derivation of
∂of[i]/∂wrt[i]: the scalar function that leads from one to the other, SymPy's derivative of it, and the same
in terms of the output where that is shorter (a sigmoid's is a·(1 − a)).
"""

from __future__ import annotations

from typing import Any

from tracer.calculus import arrays_in, closed_form, differentiate, equal, fresh, simplify, substitute
from tracer.calculus.linearised import is_linearised
from tracer.calculus.terms import Definition, Delta, Expr, Function, Index
from tracer.gradients.composition import NotElementwise, composed
from tracer.gradients.derived import DerivationStep, Derived, Free, Quantity
from tracer.gradients.graph import Graph
from tracer.gradients.inlining import inline


class NoLocalForm(Exception):
    """There is no scalar function of one entry between the two nodes."""


def forward_formula(graph: Graph, node: int, named: frozenset[int], most_terms: int = 6) -> Definition | None:
    """What a node is, with temporaries that have no name unfolded; None if it has no formula."""
    definition = graph.definitions.get(graph.representative(node))
    if definition is None or is_linearised(definition):
        return None
    temporaries = {
        d.array: d
        for n, d in graph.definitions.items()
        if n < node and n not in named and n not in graph.aliases and graph.tape.nodes[n].window >= 0
    }
    temporaries.pop(definition.array, None)
    expr = inline(definition.expr, temporaries)
    if arrays_in(expr) & set(temporaries):
        try:
            return composed(definition, temporaries, temporaries.keys())
        except NotElementwise:
            pass
    return Definition(definition.array, definition.free, expr if len(expr) <= most_terms else definition.expr)


def derive_local(graph: Graph, of: int, wrt: int, readable: set[str]) -> Derived:
    """The derivation of ∂of/∂wrt, entry by entry.

    Raises:
        NoLocalForm: if the way from one to the other is not a scalar function.
    """
    output, variable = graph.name(of), graph.name(wrt)
    definition = _composed(graph, output, variable)
    free: Free = tuple(fresh(a, "a") for a in graph.axes(wrt))
    raw = _diagonal(differentiate(definition.expr, variable, free), definition.free, free)
    short = _diagonal(differentiate(definition.expr, variable, free, definition), definition.free, free)
    value = Quantity("value", output)
    slope = Quantity("slope", output, variable)
    functions = tuple(f.name for t in definition.expr for f, _ in t.factors if isinstance(f, Function))
    arguments: dict[str, Any] = {"of": output, "wrt": variable, "functions": functions}
    steps = [
        DerivationStep(
            value, "definition", definition.free, definition.expr, definition.expr, arguments=arguments
        ),
        DerivationStep(
            value, "definition", definition.free, definition.expr, definition.expr, "matrix", arguments
        ),
        DerivationStep(slope, "slope", definition.free, raw, raw, arguments=arguments),
    ]
    result = raw
    if not equal(short, raw):
        steps.append(
            DerivationStep(slope, "in the output", definition.free, short, short, arguments=arguments)
        )
        result = short
    folded = closed_form(result, {output: definition}, readable)
    if not equal(folded, result) and len(folded) <= len(result) and not (_functions(folded) and not _functions(result)):
        steps.append(DerivationStep(slope, "fold", definition.free, folded, folded, arguments=arguments))
        result = folded
    steps.append(DerivationStep(slope, "matrix", definition.free, result, result, "matrix", arguments))
    return Derived(tuple(steps), definition.free, result, {output: definition})


def _is_power_of_a_function(expr: Expr) -> bool:
    """Whether it is one function to a power, as is 1/(1 + exp(−z)): its slope is shorter in what the whole gives."""
    powers = [e for term in expr for f, e in term.factors if isinstance(f, Function)]
    return len(expr) == 1 and len(powers) == 1 and powers[0] != 1


def _functions(expr: Expr) -> bool:
    """Whether an expression applies a function: ``a * (1 - a)`` says a slope better than ``exp(-z) * a ** 2``."""
    return any(isinstance(f, Function) for term in expr for f, _ in term.factors)


def _diagonal(local: Expr, at: Free, free: Free) -> Expr:
    """∂of[at]/∂wrt[free] where both are the same entry.

    Raises:
        NoLocalForm: if entries depend on other entries.
    """
    from tracer.calculus import contract

    same = {f: a for f, a in zip(free, at, strict=True) if isinstance(f, Index) and isinstance(a, Index)}
    result = simplify(contract(substitute(local, dict(same))))
    for term in result:
        if term.bound or any(isinstance(f, Delta) for f, _ in term.factors):
            raise NoLocalForm("the derivative is not entry by entry")
    return result


def _composed(graph: Graph, output: str, variable: str) -> Definition:
    """The output as one formula of the variable."""
    definitions = graph.named_definitions()
    definition = definitions[output]
    between = _between(definitions, output, variable)
    expr = inline(definition.expr, {a: d for a, d in definitions.items() if a in between})
    if not arrays_in(expr) & between and not _is_power_of_a_function(expr):
        return Definition(output, definition.free, expr)
    try:
        function = composed(definition, definitions, between)
    except NotElementwise as reason:
        raise NoLocalForm(str(reason)) from reason
    if variable not in arrays_in(function.expr):
        raise NoLocalForm("the variable does not occur")
    return function


def _between(definitions: dict[str, Definition], output: str, variable: str) -> set[str]:
    """The arrays strictly between the variable and the output."""
    leads: dict[str, bool] = {variable: True}

    def visit(array: str) -> bool:
        if array not in leads:
            leads[array] = False
            if array in definitions:
                inner = [visit(a) for a in sorted(arrays_in(definitions[array].expr))]
                leads[array] = any(inner)
        return leads[array]

    visit(output)
    return {a for a, found in leads.items() if found and a not in (output, variable)}
