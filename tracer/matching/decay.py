"""What is done to a gradient that is right, on purpose: weight decay, limits, rows that are not trained.

Comes in: a value that is meant as the gradient by a parameter.  Goes out: the value before a multiple of the parameter was
added (``dW += reg * W``), it was clipped, or some of its rows were set to 0 (``dW[PAD] = 0``).  Weight decay that the loss
does not have is a convention; where the loss has a penalty on the parameter, the term is part of the gradient, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tracer.gradients.adjoints import is_real
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape, references

#: Of fewer entries than this, any value is a sum of two multiples.
_FEWEST = 4
_SCALING = frozenset(("multiply", "divide", "true_divide", "negative"))


def as_computed(matcher: Matcher, node: int, wrt: int, roots: Iterable[int]) -> int:
    """The gradient as it was before anything was done to it on purpose."""
    tape = matcher.graph.tape
    while _is_limited(tape, tape.nodes[node]):
        node = tape.operands(node)[0]
    return without_decay(matcher, node, wrt, roots)


def _is_limited(tape: Tape, node: Node) -> bool:
    """Whether a node is its first operand, clipped or with rows that are held at 0."""
    if node.op == "clip":
        return tape.nodes[tape.operands(node.id)[0]].shape == node.shape
    return node.op == "setitem" and _holds_rows(tape, node)


def _holds_rows(tape: Tape, node: Node) -> bool:
    """Whether a change in place sets whole rows, which are given by numbers that the program says, to 0."""
    _, place, new = node.args
    value = tape.nodes[new.node] if isinstance(new, Ref) else None
    is_zero = value is not None and value.kind is Kind.LITERAL and value.value == 0 or new == 0
    numbers = [tape.nodes[k] for k in references(place)]
    said = all(n.kind is Kind.LITERAL or (n.kind is Kind.LEAF and n.shape == ()) for n in numbers)
    return bool(is_zero) and said and (isinstance(place, int) or bool(numbers)) and not isinstance(place, tuple)


def without_decay(matcher: Matcher, node: int, wrt: int, roots: Iterable[int]) -> int:
    """The node before weight decay was added to it; itself if nothing was, or if a loss has a penalty."""
    tape = matcher.graph.tape
    if any(has_penalty(matcher, root, wrt) for root in roots):
        return node
    operands = tape.operands(node)
    if tape.nodes[node].op not in ("add", "subtract") or len(operands) != 2 or not is_real(tape.nodes[node]):
        return node
    sign = 1 if tape.nodes[node].op == "add" else -1
    for rest, term, way in ((*operands, sign), (*operands[::-1], 1)):
        multiple = _multiple(matcher, term, wrt)
        same_shape = tape.nodes[rest].shape == tape.nodes[node].shape
        if multiple is not None and same_shape and not _grows(matcher, node, wrt, way * multiple):
            return without_decay(matcher, rest, wrt, ())
    return node


def beside_decay(matcher: Matcher, node: int, wrt: int, root: int) -> tuple[float, ...] | None:
    """The factors by which a value is a multiple of ∂root/∂wrt, with a multiple of the parameter added; None if it is none.

    That is weight decay wherever it was added, as where a sum of gradients starts from it: both terms make the parameter
    smaller, or both larger.  A loss that has a penalty has the term in its gradient.
    """
    if has_penalty(matcher, root, wrt):
        return None
    found = []
    for values, adjoints in zip(matcher.replays.values, matcher.adjoints[root], strict=True):
        gradient = adjoints.full.get(wrt)
        arrays = [np.asarray(a, dtype=float) for a in (values[node], 0.0 if gradient is None else gradient, values[wrt])]
        value, *terms = arrays
        if any(a.shape != value.shape for a in terms) or value.size < _FEWEST:
            return None
        if not all(bool(np.all(np.isfinite(a))) for a in arrays):
            return None
        basis = np.stack([a.ravel() for a in terms], axis=1)
        (of_gradient, of_parameter), _, rank, _ = np.linalg.lstsq(basis, value.ravel(), rcond=None)
        left = np.max(np.abs(value.ravel() - basis @ (of_gradient, of_parameter)))
        if rank < 2 or of_gradient * of_parameter <= 0 or left > 1e-9 * np.max(np.abs(value)):
            return None
        found.append(float(of_gradient))
    return tuple(found)


def _multiple(matcher: Matcher, node: int, of: int) -> float | None:
    """The number, on the first replay, by which one value is a multiple of another; None if it is not on all.

    A single number is a multiple of any other: there the text must say so, ``reg * w``.
    """
    if matcher.graph.tape.nodes[node].shape == () == matcher.graph.tape.nodes[of].shape:
        return _written_multiple(matcher, node, of)
    first: float | None = None
    for values in matcher.replays.values:
        one, other = np.asarray(values[node], dtype=float), np.asarray(values[of], dtype=float)
        if one.shape != other.shape or one.size < 2 or not np.all(np.isfinite(one)):
            return None
        size = float(np.vdot(other, other))
        factor = float(np.vdot(one, other)) / size if size else 0.0
        if not factor or float(np.max(np.abs(one - factor * other))) > 1e-9 * float(np.max(np.abs(one))):
            return None
        first = factor if first is None else first
    return first


def _written_multiple(matcher: Matcher, node: int, of: int) -> float | None:
    """The factor of a number that another one is multiplied by settings, step by step; None if it is not."""
    tape, values = matcher.graph.tape, matcher.replays.values
    inner = node
    while any(replay[inner] != replay[of] for replay in values):
        operands, op = tape.operands(inner), tape.nodes[inner].op
        rest = [k for k in operands if tape.nodes[k].kind is not Kind.LITERAL and not matcher.factors.named([k])]
        if op not in _SCALING or len(rest) != 1 or ("divide" in op and rest[0] != operands[0]):
            return None
        [inner] = rest
    return float(values[0][node]) / float(values[0][of]) if values[0][of] else None


def _grows(matcher: Matcher, node: int, wrt: int, coefficient: float) -> bool:
    """Whether a step with such a term makes the parameter larger instead of smaller."""
    for update in matcher.updates.values():
        if update.wrt == wrt:
            rate = _multiple(matcher, update.change, node)
            if rate is not None:
                return update.sign * rate * coefficient > 0
    return False


def has_penalty(matcher: Matcher, root: int, wrt: int) -> bool:
    """Whether some term of a loss rests on a parameter, and on nothing but parameters and settings."""
    if root not in matcher.penalties:
        counted = matcher.adjoints[root][0].full if root in matcher.adjoints else {}
        terms = (n for n in _terms(matcher, root) if rests_on_parameters(matcher, n))
        # For a measure the penalty may be multiplied by 0.
        own = (n for n in terms if any(map(np.any, matcher.replays.of(n))))
        matcher.penalties[root] = tuple(n for n in own if n not in counted or np.any(counted[n]))
    return any(matcher.goes_into(wrt, n) for n in matcher.penalties[root] if n != wrt)


def _terms(matcher: Matcher, root: int) -> set[int]:
    """The scalars that a loss adds up, each perhaps times a setting; ``P[u] @ Q[i]`` within a square is none."""
    tape, parameters = matcher.graph.tape, matcher.variables.parameters

    def is_trained(node: int) -> bool:
        return not parameters.isdisjoint(matcher.all_ancestors(node))

    seen: set[int] = set()
    todo = [root]
    while todo:
        node = todo.pop()
        if node in seen or tape.nodes[node].shape != () or not is_real(tape.nodes[node]):
            continue
        seen.add(node)
        operands = tape.operands(node)
        scales = tape.nodes[node].op in ("multiply", "divide") and sum(map(is_trained, operands)) <= 1
        if scales or tape.nodes[node].op in _ADDING:
            todo += operands
    return seen


_ADDING = frozenset(("add", "subtract", "negative", "positive", "float", "item", "mean", "sum", "squeeze"))


def rests_on_parameters(matcher: Matcher, node: int) -> bool:
    """Whether a forward value rests on parameters and settings alone; arrays that no parameter goes into are data."""
    tape, parameters = matcher.graph.tape, matcher.variables.parameters

    def is_setting(node: int) -> bool:
        if tape.nodes[node].shape == ():
            return tape.nodes[node].kind is not Kind.RANDOM and node not in matcher.variables.data_numbers
        return not parameters.isdisjoint(matcher.all_ancestors(node))

    return all(n in parameters or is_setting(n) for n in matcher.all_ancestors(node))
