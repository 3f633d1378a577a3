"""What a derivation ends in: one entry of an array, the axes and the conjugate that a line holds, or another factor.

Comes in: a derivation, or a gradient that the program holds.  Goes out: a derivation of what the line is, with the
steps that lead there.  Invariant: the last step is the matrix form of what the line holds.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from tracer.calculus import arrays_in, constant, contract, entry, equal, fresh, multiply, power, simplify
from tracer.calculus.adjoint import instantiate, onto
from tracer.calculus.complex_values import conjugate
from tracer.calculus.terms import Definition, Expr, IndexExpr
from tracer.gradients.derived import DerivationStep, Derived, Free, Known, Quantity, written_alike
from tracer.gradients.graph import Graph


def at_entry(derived: Derived, array: str, entry_of: str, indices: tuple[IndexExpr, ...], scale: Expr) -> Derived:
    """The derivation of a gradient by a whole array, continued to ``scale`` times the gradient by one entry of it.

    Arguments:
        array: the entry, as a number that has a name of its own.
        entry_of, indices: the whole array, and where in it.
    """
    result = instantiate((derived.free, derived.result), indices)
    quantity = Quantity("adjoint", array)
    steps = [*derived.steps, DerivationStep(quantity, "entry", (), result, result, arguments={"of": entry_of})]

    def then(rule: str, about: Quantity, expr: Expr) -> None:
        if not written_alike(expr, steps[-1].expr):
            steps.append(DerivationStep(about, rule, (), expr, expr))

    then("simplify", quantity, result := simplify(contract(result)))
    if not equal(scale, constant(1)):
        quantity = Quantity("scaled", array)
        then("scale", quantity, result := multiply(scale, result))
        then("simplify", quantity, result := simplify(result))
    steps.append(DerivationStep(quantity, "matrix", (), result, result, form="matrix"))
    held = {a: d for a, d in derived.held.items() if a in _mentioned(result, derived.held)}
    return replace(derived, steps=tuple(steps), free=(), result=result, held=held)


def _mentioned(expr: Expr, among: Mapping[str, Definition]) -> set[str]:
    """The arrays that an expression mentions, or one of the definitions that it mentions."""
    found: set[str] = set()
    todo = list(arrays_in(expr))
    while todo:
        array = todo.pop()
        if array in among and array not in found:
            found.add(array)
            todo += arrays_in(among[array].expr)
    return found


def fitted(graph: Graph, derived: Derived, array: str, transposed: bool, conjugated: bool = False) -> Derived:
    """The derivation with its last step written for the axes of the recorded array, and conjugated if that is.

    Raises:
        ValueError: if the recorded array has other axes.
    """
    *before, last = derived.steps
    at = tuple(reversed(last.free)) if transposed else last.free
    free = onto(at, graph.array_axes()[array])
    if conjugated:
        return _conjugated(derived, before, last, free)
    return replace(derived, steps=(*before, replace(last, free=free)), free=free)


def _conjugated(derived: Derived, before: list[DerivationStep], last: DerivationStep, free: Free) -> Derived:
    """The derivation with one more step: what the line holds is the conjugate of the gradient."""
    result = simplify(conjugate(last.expr))
    turned = replace(last, quantity=Quantity("conjugate", last.quantity.array), shown=result, expr=result, free=free)
    step = replace(turned, rule="conjugate", form="index")
    held = {a: Definition(a, d.free, d.expr) for a, d in derived.held.items()}
    return replace(derived, steps=(*before, last, step, turned), free=free, result=result, held=held)


def rescaled(graph: Graph, wrt: str, known: Known, scale: Expr) -> Derived:
    """A multiple of a gradient that the program holds: nothing is left to derive but the factor."""
    axes = graph.array_axes()
    free: Free = tuple(fresh(a, "a") for a in axes[wrt])
    at = tuple(reversed(free)) if known.transposed else free
    raw = multiply(scale, power(known.factor, -1), entry(known.adjoint, *onto(at, axes[known.array])))
    quantity = Quantity("adjoint" if equal(scale, constant(1)) else "scaled", wrt)
    result = simplify(raw)
    steps = [DerivationStep(quantity, "scale", free, raw, raw)]
    if not written_alike(raw, result):
        steps.append(DerivationStep(quantity, "simplify", free, result, result))
    steps.append(DerivationStep(quantity, "matrix", free, result, result, form="matrix"))
    return Derived(tuple(steps), free, result, {})
