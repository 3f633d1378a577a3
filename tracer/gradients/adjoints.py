"""The adjoint of every node for one scalar root, in numbers.

Comes in: the values of a replay and the derived rules.  Goes out: ∂root/∂node for every node that reaches
the root, and what each path contributed.  The sweep is cut at updates: what comes before an update is
another version of the parameter, which the root does not see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tracer.gradients.rules import NumericRules
from tracer.ops import STEP_FUNCTIONS
from tracer.tape.node import Kind, Node
from tracer.tape.reverse import sweep
from tracer.tape.tape import Tape, operands


class Contribution(Struct, frozen=True):
    """What one consumer of ``wrt`` adds to its adjoint, and the sum of the contributions so far."""

    consumer: int
    wrt: int
    value: NDArray[Any]
    so_far: NDArray[Any]


@dataclass
class Adjoints:
    """∂root/∂node as numbers; ``blocked`` are the nodes that could not be differentiated.

    Invariant: what reaches the root through a blocked node has no adjoint at all, rather than a part of it.
    """

    root: int
    full: dict[int, NDArray[Any]] = field(default_factory=dict)
    contributions: list[Contribution] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)


def is_real(node: Node) -> bool:
    """Whether the node is a real array or scalar (not an integer, not a truth value)."""
    return node.shape is not None and node.dtype.startswith("float")


def is_continuous(node: Node) -> bool:
    """Whether the node is an array or scalar of real or complex numbers."""
    return node.shape is not None and node.dtype.startswith(("float", "complex"))


def ancestors(tape: Tape, roots: int | Iterable[int], cuts: Collection[int]) -> frozenset[int]:
    """The real and complex nodes that the root, or one of several, depends on, with itself; nothing behind a cut."""
    nodes = tape.nodes
    seen: set[int] = set()
    todo = [roots] if isinstance(roots, int) else list(roots)
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if node not in cuts:
            inner = (k for k in operands(nodes[node]) if k not in seen and nodes[k].window >= 0)
            todo += [k for k in inner if is_continuous(nodes[k])]
    return frozenset(seen)


def sensitive(tape: Tape, cuts: Collection[int]) -> frozenset[int]:
    """The nodes that change, smoothly, when a leaf of real or complex numbers or an updated parameter does."""
    found: set[int] = set()
    for node in tape.window_nodes():
        if not is_continuous(node):
            continue
        start = node.kind is Kind.LEAF or node.id in cuts
        if start or (
            node.kind not in (Kind.LITERAL, Kind.RANDOM, Kind.OPAQUE)
            and any(k in found for k in operands(node))
        ):
            found.add(node.id)
    return frozenset(found)


def numeric_adjoints(
    tape: Tape,
    rules: NumericRules,
    values: list[Any],
    root: int,
    relevant: frozenset[int],
    cuts: Collection[int],
    seed: Any = None,
) -> Adjoints:
    """Sweep backwards from ``root``.

    Arguments:
        values: the value of every node on one replay.
        relevant: the nodes whose adjoint is wanted; ancestors of the root that are sensitive.
        cuts: update nodes; the sweep stops there.
        seed: the adjoint of the root itself, if it is no scalar.
    """
    result = Adjoints(root)
    partial: set[int] = set()

    def rule(node: Node, position: int, _: Sequence[Any]) -> Callable[[Any], Any] | None:
        places = operands(node)
        operand = places[position]
        if operand not in _once(rules, places, relevant) or places.index(operand) != position:
            return None

        def product(adjoint: Any) -> Any:
            value = rules.product(node.id, operand, values, adjoint)
            if not rules.follows(node.id, operand):
                partial.add(operand)
                if tape.nodes[operand].kind is not Kind.LEAF or operand in cuts:  # a setting is not asked for
                    result.blocked.add(node.id)
            elif value is None:
                result.blocked.add(node.id)
                if node.op not in STEP_FUNCTIONS:
                    partial.add(operand)
            elif _is_rounding(value, adjoint, lambda other: rules.product(node.id, operand, values, other)):
                return np.zeros(np.shape(value))
            return value

        return product

    def observe(node: int, operand: int, value: Any, total: Any) -> None:
        result.contributions.append(Contribution(node, operand, value, total))

    result.full.update(sweep(tape, values, root, rule, frozenset(cuts), observe, seed))
    partial |= _hidden(tape, root, relevant, cuts)
    for node in ancestors(tape, partial, cuts):
        result.full.pop(node, None)
    result.contributions[:] = [c for c in result.contributions if c.wrt in result.full]
    return result


def _once(rules: NumericRules, places: Sequence[int], relevant: frozenset[int]) -> list[int]:
    """The operands that have a product of their own.

    A product counts all places of a value, also where it was computed again: in ``(a - b) * (a - b)`` both factors
    are one array of the formula, so that only the first of them gets it.
    """
    found: dict[int, int] = {}
    for operand in places:
        if operand in relevant:
            found.setdefault(rules.value(operand), operand)
    return list(found.values())


def _hidden(tape: Tape, root: int, relevant: frozenset[int], cuts: Collection[int]) -> set[int]:
    """What the root depends on through a value that could not be followed."""
    above = ancestors(tape, root, cuts)
    return {k for n in above if tape.nodes[n].kind is Kind.OPAQUE for k in tape.operands(n) if k in relevant}


#: What is left of a sum of numbers of size 1 that cancel is smaller than this.
_ROUNDING = 1e-13


def _is_rounding(value: NDArray[Any], adjoint: Any, product: Callable[[Any], NDArray[Any] | None]) -> bool:
    """Whether a contribution is 0 but for rounding, as that to a bias that a mean subtracts again.

    It is, if its terms cancel: with the signs of the adjoint drawn anew they add up to much more.
    """
    size, incoming = float(np.max(np.abs(value), initial=0.0)), np.asarray(adjoint)
    if not 0 < size < _ROUNDING * float(np.max(np.abs(incoming), initial=0.0)) * max(incoming.size, 1):
        return False
    signs = np.random.default_rng(incoming.size).choice((-1.0, 1.0), incoming.shape)
    other = product(incoming * signs)
    return other is not None and size < _ROUNDING * incoming.size * float(np.max(np.abs(other), initial=0.0))


#: Operations whose every output entry depends on the entry in the same place of an operand of that shape.
ELEMENTWISE = frozenset(
    "add subtract multiply divide power negative positive absolute exp exp2 log log2 log10 log1p expm1 sqrt cbrt square "
    "reciprocal tanh sinh cosh sin cos tan arctan arcsin arccos arcsinh arccosh arctanh sign maximum minimum where clip "
    "copy ascontiguousarray float astype logaddexp logaddexp2 true_divide float_power fabs fmax fmin hypot arctan2 sinc "
    "heaviside copysign degrees radians rad2deg deg2rad special.expit special.log_expit special.logit special.erf "
    "special.xlogy".split()
)


def local_derivatives(
    tape: Tape,
    rules: NumericRules,
    replays: Sequence[list[Any]],
    node: int,
    relevant: frozenset[int],
    limit: int = 14,
) -> dict[int, list[NDArray[Any]]]:
    """∂node[i]/∂ancestor[i] on each replay, for ancestors that are reached through elementwise operations.

    Such a product is the sweep with ones as adjoint, because every Jacobian on the way is diagonal.  An ancestor
    that the node depends on in another way too, such as the bias of a recurrent step, has no such derivative; nor
    has one of complex numbers, by which there are two.
    """
    shape = np.shape(replays[0][node])
    totals: dict[int, list[NDArray[Any]]] = {node: [np.ones(shape) for _ in replays]}
    todo = [node]
    done: set[int] = set()
    elsewhere: list[int] = []
    while todo and len(done) < limit:
        current = max(todo)
        todo.remove(current)
        done.add(current)
        if tape.nodes[current].kind is Kind.LEAF:
            continue
        if tape.nodes[current].op not in ELEMENTWISE or not is_real(tape.nodes[current]):
            elsewhere += tape.operands(current)
            continue
        for operand in _once(rules, tape.operands(current), relevant):
            products = [
                rules.product(current, operand, values, so_far)
                for values, so_far in zip(replays, totals[current], strict=True)
                if np.shape(values[operand]) == shape and is_real(tape.nodes[operand])
            ]
            found = [p for p in products if p is not None]
            if len(found) < len(replays):
                elsewhere.append(operand)
                continue
            before = totals.get(operand)
            totals[operand] = found if before is None else [a + b for a, b in zip(before, found, strict=True)]
            if operand not in todo:
                todo.append(operand)
    del totals[node]
    for reached in _those_behind(tape, elsewhere, totals.keys()):
        del totals[reached]
    return totals


def _those_behind(tape: Tape, nodes: Sequence[int], wanted: Collection[int]) -> set[int]:
    """Which of the wanted nodes some of these nodes were computed from, or are."""
    left = set(wanted)
    first = min(left, default=0)
    seen: set[int] = set()
    todo = list(nodes)
    while todo and left:
        node = todo.pop()
        if node >= first and node not in seen:
            seen.add(node)
            left.discard(node)
            todo += tape.operands(node)
    return set(wanted) - left
