"""Proof that derived code computes the gradient: equality of normal forms, for all sizes.

Comes in: a recorded expression and code.  The code is recorded after the expression, as a program would have it,
so that what is proved is the code that is shown.  Goes out: None, or why it is not proved.
"""

from __future__ import annotations

from tracer.calculus import NoDerivative, TooLarge, backward, constant, entry, fresh, prove_equal
from tracer.calculus.adjoint import onto
from tracer.calculus.complex_values import holds_complex, is_complex
from tracer.expressions.errors import CannotDerive
from tracer.expressions.recorded import Recorded, record
from tracer.program import ProgramError


def proved(recorded: Recorded, wrt: str, code: str, result: str) -> str | None:
    """Why the code is not proved to leave ∂L/∂wrt in ``result``; None if it is."""
    try:
        # A gradient is added to its array: so their axes are the same.
        again = record(recorded.inputs, [*code.split("\n"), f"{wrt} - {result}"])
    except (CannotDerive, ProgramError, KeyError) as error:
        return f"the code could not be recorded ({error})"
    graph = again.graph
    computed = again.bound.get(result)
    if computed is None or again.tape.nodes[computed].shape is None:
        return "the code could not be followed"
    definitions, axes = graph.named_definitions(), graph.array_axes()
    array, value, root = graph.name(again.leaves[wrt]), graph.name(computed), graph.name(again.root)
    try:
        none = tuple(fresh(a) for a in axes[array]), constant(0)
        free, right = backward(definitions, root, wrt=[array], axes=axes).get(array, none)
        left = entry(value, *onto(free, axes[value]))
        outcome = prove_equal(left, right, definitions)
    except KeyError:
        return "its axes could not be followed"
    except (TooLarge, NoDerivative, ValueError) as reason:
        return str(reason)
    # The gradient by complex numbers may itself be real, and is no less one of complex numbers.
    of_complex = holds_complex(left) or holds_complex(right) or is_complex(array)
    if outcome.proved and not of_complex:
        return None
    return "complex values are compared in numbers only" if of_complex else "the normal forms were not seen to be equal"
