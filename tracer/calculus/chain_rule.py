"""The chain rule for one operation: its vector-Jacobian product, with what was done on the way.

    ∂L/∂X[a] = Σ_out ∂L/∂out · ∂out/∂X[a]

Of complex values see `complex_values`.  In comes the definition of an array, entry by entry, and the name of its adjoint;
out goes the adjoint of one of its operands, as far as it passes through that array.
"""

from __future__ import annotations

from msgspec import Struct

from tracer.calculus.algebra import add, entry, fresh, multiply, sum_over
from tracer.calculus.canonical import simplify
from tracer.calculus.complex_values import conjugate, conjugate_of, is_complex, real_part
from tracer.calculus.contraction import Substitution, contract
from tracer.calculus.differentiation import differentiate
from tracer.calculus.terms import Axes, Axis, Definition, Entry, Expr, Function, Index


class VectorJacobian(Struct, frozen=True):
    """One use of the chain rule, with what was done on the way.

    Attributes:
        free: the indices of the entry of the operand.
        local: ∂out[…]/∂operand[free], with its deltas.
        chained: Σ_out ∂L/∂out · local, before contraction.
        contracted: the substitutions of the contraction, in order.
        result: ``chained`` contracted, with like terms collected.
    """

    free: tuple[Index | int, ...]
    local: Expr
    chained: Expr
    contracted: tuple[Substitution, ...]
    result: Expr


def axes_of(definition: Definition) -> Axes:
    """The axes of the array that is defined."""
    return tuple(i.axis if isinstance(i, Index) else None for i in definition.free)


def operand_axes(definition: Definition, operand: str) -> Axes:
    """The axes of an operand as far as the definition shows them.

    An axis that only ever appears under a look-up, an affine index or a fixed position is not shown.

    Raises:
        KeyError: if the operand does not occur, or an axis is not shown.
    """
    shown: list[list[Index | int | None]] = []
    for term in definition.expr:
        for factor, _ in term.factors:
            entries = factor.arguments if isinstance(factor, Function) else (factor,)
            for e in entries:
                if isinstance(e, Entry) and e.array == operand:
                    shown.append([i if isinstance(i, (Index, int)) else None for i in e.indices])
    if not shown:
        raise KeyError(operand)
    axes: list[Axis | None] = []
    for position in range(len(shown[0])):
        seen = [row[position] for row in shown]
        index = next((i for i in seen if isinstance(i, Index)), None)
        if index is None and any(i != 0 for i in seen):
            raise KeyError(f"axis {position} of {operand}")
        axes.append(None if index is None else index.axis)
    return tuple(axes)


def shown_axes(expr: Expr, array: str) -> Axes | None:
    """The axes of an array as far as an expression shows them; ``None`` if it does not show them all."""
    try:
        return operand_axes(Definition("", (), expr), array)
    except KeyError:
        return None


def vector_jacobian(
    definition: Definition, operand: str, adjoint: str, axes: Axes | None = None
) -> VectorJacobian:
    """∂L/∂operand from ∂L/∂out, which is the array called ``adjoint``, through one operation.

    Args:
        definition: what ``out`` is, entry by entry.
        operand: the array that is differentiated by; each of its occurrences counts.
        adjoint: name of the array of ∂L/∂out; it has the axes of ``out``.
        axes: the axes of the operand; by default those that the definition shows.

    Raises:
        KeyError: if ``axes`` is needed and missing.
        NoDerivative: if SymPy has no derivative of a scalar function.
    """
    free = tuple(fresh(a, "a") for a in (operand_axes(definition, operand) if axes is None else axes))
    local = differentiate(definition.expr, operand, free, definition)
    chained = chain(definition, operand, free, entry(adjoint, *definition.free), local)
    record: list[Substitution] = []
    contracted = contract(chained, record)
    return VectorJacobian(free, local, chained, tuple(record), simplify(contracted))


def chain(definition: Definition, operand: str, free: tuple[Index | int, ...], incoming: Expr, local: Expr) -> Expr:
    """Σ_out g · ∂out/∂operand before contraction, as complex values need it.

    A complex operand has a part from its conjugate too, which is conjugated; what comes to a real one is the real part.

    Args:
        incoming: ∂L/∂out at the indices of the definition.
        local: ∂out/∂operand[free].
    """
    plain = sum_over(definition.free, multiply(incoming, local))
    if not is_complex(operand):
        return real_part(plain)
    mirrored = differentiate(definition.expr, conjugate_of(operand), free, definition)
    return add(plain, conjugate(sum_over(definition.free, multiply(incoming, mirrored)))) if mirrored else plain
