"""The scalars that a gradient may be a gradient of.

A loss is known by its name, or by what it is: a scalar that depends on parameters and that nothing of the
backward pass goes into.  (A bug such as ``db = dz.sum()`` makes a scalar too; taken for a loss it would
prove itself.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import ancestors, is_real
from tracer.matching.gradient_names import says_gradient
from tracer.matching.losses.errors import error_of, trained_nodes
from tracer.matching.losses.names import is_an_error, loss_name, own_loss_name
from tracer.matching.updates import Update, scaled_from
from tracer.tape.node import Kind, Node
from tracer.tape.tape import Tape, operands

#: What the difference of an output and its target is called, too.
_RESIDUAL = re.compile(r"^e\d?$|(^|_)err(or)?s?$", re.I)


class Root(Struct, frozen=True):
    """A scalar to differentiate: ``named`` if it is called a loss."""

    node: int
    named: bool


def find_roots(
    tape: Tape, updates: Mapping[int, Update], live: frozenset[int], wanted: str | None = None
) -> tuple[tuple[Root, ...], tuple[Root, ...]]:
    """The roots to differentiate at once, and those to try for lines that are still unexplained.

    Arguments:
        live: the nodes that depend smoothly on a leaf.
        wanted: the name the user gave with ``--loss``; then nothing else is a root.

    What a function gave that is called a loss once is one wherever the function is called.
    """
    written = {k for u in updates for k in operands(tape.nodes[u])}  # entries of a parameter, old or new, are no loss
    versions = updates.keys() | {u.before for u in updates.values()}
    written |= {n.id for n in tape.window_nodes() if n.op == "getitem" and operands(n)[0] in versions}
    written |= {k for u in updates.values() if u.written is not None for k in operands(tape.nodes[u.written])}
    scalars = [
        n
        for n in tape.window_nodes()
        if is_real(n)
        and np.size(n.value) == 1
        and n.id in live
        and n.id not in updates
        and n.id not in written
        and n.kind in (Kind.OPERATION, Kind.MUTATION, Kind.VIEW)
    ]
    if wanted is not None:
        return tuple(Root(n.id, True) for n in scalars if wanted in n.names), ()
    backward = _backward(tape, updates)
    trained = trained_nodes(tape, frozenset(u.before for u in updates.values()))
    named = [n.id for n in scalars if loss_name(tape, n) and not _is_residual(tape, n, live, trained)]
    # What `cost_and_gradients` returns last may be the gradient of a number.
    named = [r for r in named if r not in backward or own_loss_name(tape.nodes[r])]
    returned = {(tape.nodes[r].site, tape.nodes[r].op) for r in named if tape.nodes[r].calls}
    named = [n.id for n in scalars if n.id in set(named) or (n.calls and (n.site, n.op) in returned)]
    named = sorted({*named, *_sums_of(scalars, named)})
    propagated = _propagated(tape, named, backward) if any(r not in backward for r in named) else frozenset()
    named = [r for r in named if r not in propagated]
    forward = ancestors(tape, named, updates.keys())
    only_backward = backward - forward
    first = [r for r in named if r not in only_backward]
    first = _without_partial_sums(tape, first, updates)
    spoiled = _holding_backward_values(tape, only_backward, updates) if named else frozenset()
    known = {*named, *propagated, *backward, *spoiled}
    rest = [n.id for n in scalars if n.id not in known and not says_gradient(n.names)]
    if not first:
        steps = _steps(tape, updates)
        inside = {(tape.nodes[k].site, tape.nodes[k].op) for k in backward}  # the score, of another forward pass
        rest = [r for r in rest if (tape.nodes[r].site, tape.nodes[r].op) not in inside]
        rest = [r for r in rest if steps.isdisjoint(ancestors(tape, r, updates.keys()))]
        return tuple(Root(r, False) for r in _maximal(tape, rest[-200:], updates)[-6:]), ()
    return tuple(Root(r, True) for r in first), tuple(Root(r, False) for r in rest)


def _sums_of(scalars: list[Node], losses: list[int]) -> list[int]:
    """The scalars that add up, or take the difference of, several losses: ``-rec - beta * kl``."""
    window = {n.id: n.window for n in scalars}
    live = window.keys()
    terms = {loss: {loss} for loss in losses}
    found = []
    for node in scalars:
        below = [k for k in operands(node) if k in live]
        if node.id in terms or not below or not all(k in terms for k in below):
            continue
        together = set().union(*(terms[k] for k in below))
        if len({window[k] for k in together}) > 1:
            continue  # what adds up the losses of several iterations is none of one
        if node.op in ("add", "subtract") and len(together) > 1:
            found.append(node.id)
        elif node.op not in ("add", "subtract", "negative") and not (node.op in ("multiply", "divide") and len(below) == 1):
            continue
        terms[node.id] = together
    return found


def _is_residual(tape: Tape, node: Node, live: frozenset[int], trained: set[int]) -> bool:
    """Whether a scalar that is called an error is one of a single output, ``e = r - prediction``: it is no loss."""
    called = all(_RESIDUAL.search(name.rpartition(".")[2]) for name in node.names)
    return bool(node.names) and called and error_of(tape, node, live, trained) is not None


def _propagated(tape: Tape, roots: list[int], backward: frozenset[int]) -> frozenset[int]:
    """What is called an error and goes into the steps; nor is it a loss where the same line gives it to nobody.

    So it is with what reaches the inputs of a network.
    """
    errors = [r for r in roots if is_an_error(tape, r)]
    lines = {tape.nodes[r].site for r in errors if r in backward}
    return frozenset(r for r in errors if tape.nodes[r].site in lines)


def _without_partial_sums(tape: Tape, roots: list[int], updates: Mapping[int, Update]) -> list[int]:
    """Without the roots that are the same variable as a later one that they are added up in, as in a loop over time."""
    kept: list[int] = []
    covered: dict[tuple[int, str], frozenset[int]] = {}
    for root in sorted(roots, reverse=True):
        node = tape.nodes[root]
        if any(root in covered.get((node.window, name), ()) for name in node.names):
            continue
        kept.append(root)
        for name in node.names:
            covered[node.window, name] = _added_up(tape, root, name, updates)
    return sorted(kept)


def _added_up(tape: Tape, total: int, name: str, updates: Mapping[int, Update]) -> frozenset[int]:
    """What a total was added up from under its name: what is weighted before it is added is a loss of its own."""
    found, todo = set[int](), [total]
    while todo:
        node = tape.nodes[todo.pop()]
        if node.id in found or node.id in updates:
            continue
        found.add(node.id)
        if node.op in ("add", "subtract", "sum", "array", "stack", "negative") or name in node.names:
            todo += tape.operands(node.id)
    return frozenset(found)


def _backward(tape: Tape, updates: Mapping[int, Update]) -> frozenset[int]:
    return ancestors(tape, (u.change for u in updates.values()), updates.keys())


def _holding_backward_values(
    tape: Tape, only_backward: frozenset[int], updates: Mapping[int, Update]
) -> frozenset[int]:
    """The nodes that arrays of the backward pass went into, not counting what an update made of them."""
    found: set[int] = set()
    for node in tape.window_nodes():
        own = node.id in only_backward and node.kind is not Kind.LEAF and bool(node.shape)
        if node.id not in updates and (
            own or any(k in found and is_real(tape.nodes[k]) for k in tape.operands(node.id))
        ):
            found.add(node.id)
    return frozenset(found)


def _steps(tape: Tape, updates: Mapping[int, Update]) -> set[int]:
    """What updates move parameters by, without the rates: the norm of a gradient is no loss."""
    found: set[int] = set()
    for update in updates.values():
        for node in (update.change, *scaled_from(tape, update.change)):
            if not tape.nodes[node].shape or tape.nodes[node].kind is Kind.LEAF:
                break
            found.add(node)
    return found


def _maximal(tape: Tape, roots: list[int], updates: Mapping[int, Update]) -> list[int]:
    """The roots that no later one is computed from."""
    kept: list[int] = []
    covered: set[int] = set()
    for root in sorted(roots, reverse=True):
        if root not in covered:
            kept.append(root)
            covered |= ancestors(tape, root, updates.keys())
    return sorted(kept)
