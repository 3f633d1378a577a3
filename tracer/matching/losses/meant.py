"""The squared errors that a backward pass is meant to start from, where it multiplies errors by a slope that is none.

``(y - out) * tanh_deriv(out)`` is how the sum of squares is propagated; if the function gives another value than the slope
of the output, the start is the gradient of nothing, and no known loss fits.  Comes in: a matcher that has run, and the
usual loss.  Goes out: whether that is what is meant.  Invariant: a value is taken for a slope only if it is computed from
the output alone, entry by entry; what weights errors by data, or by the errors themselves, belongs to another loss.
"""

from __future__ import annotations

from tracer.gradients.adjoints import ELEMENTWISE
from tracer.matching.losses.errors import errors_of
from tracer.matching.losses.usual import half_squares
from tracer.matching.losses.written import Inferred
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind


def meant_squares(matcher: Matcher) -> Inferred | None:
    """The tape with half the sum of squared errors, if every error of its backward passes is multiplied by a slope."""
    tape, updates = matcher.graph.tape, matcher.updates
    parameters = frozenset(u.before for u in updates.values())
    errors = errors_of(tape, matcher.live, parameters, matcher.behind_steps)
    single = [e for of_window in errors for e in of_window if e.place is None and not e.parts]
    whole = bool(single) and len(single) == sum(map(len, errors))
    if not whole or not all(_times_a_slope(matcher, e.difference, e.output) for e in single):
        return None
    return half_squares(tape, errors, "meant")


def _times_a_slope(matcher: Matcher, error: int, output: int) -> bool:
    """Whether an error is multiplied by what was computed from its output alone, and is not the output."""
    tape, line = matcher.graph.tape, _line(matcher, output)
    beside = [k for u in tape.users(error) if tape.nodes[u].op == "multiply" for k in tape.operands(u) if k != error]
    return any(k not in line and _rests_on(matcher, k, line) for k in beside)


def _line(matcher: Matcher, output: int) -> frozenset[int]:
    """An output and what it was computed from entry by entry: an activation and what goes into it."""
    tape, found, todo = matcher.graph.tape, set[int](), [output]
    while todo:
        node = todo.pop()
        if node in found or node not in matcher.live or tape.nodes[node].shape != tape.nodes[output].shape:
            continue
        found.add(node)
        todo += tape.operands(node) if tape.nodes[node].op in ELEMENTWISE else ()
    return frozenset(found)


def _rests_on(matcher: Matcher, value: int, line: frozenset[int]) -> bool:
    """Whether a value is a function, entry by entry, of what stands in the line, and of nothing else but numbers."""
    tape, todo, reached = matcher.graph.tape, [value], False
    while todo:
        node = tape.nodes[todo.pop()]
        if node.id in line:
            reached = True
        elif node.kind is not Kind.LITERAL:
            if node.op not in ELEMENTWISE:
                return False
            todo += tape.operands(node.id)
    return reached
