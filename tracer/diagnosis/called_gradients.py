"""What is meant as a gradient by its name: ``dW``, ``grad_b``.

Comes in: an analysis.  Goes out: the last version of each variable that is called the gradient of a parameter.
Invariant: which parameter a name means is told only if one version of one fits.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracer.diagnosis.target import Target
from tracer.diagnosis.trained_on import roots_of, target_of
from tracer.gradients.adjoints import ELEMENTWISE, is_real
from tracer.matching.analysis import Analysis
from tracer.matching.decay import as_computed
from tracer.matching.gradient_names import parameter_of, plain_name
from tracer.matching.updates import fits_into
from tracer.tape.node import Kind, Node


def of_names(analysis: Analysis) -> Iterable[Target]:
    """Values whose name says that they are the gradient of a parameter: the last version of each.

    What a function for several networks computes is left lying in some of its calls: a version that a step is made of
    goes before one that none is.
    """
    tape = analysis.tape
    shown = set(tape.last_windows())
    parameters = _parameters(analysis)
    updated = {u.before: u.node for u in analysis.updates.values()}
    losses = [r.node for r in analysis.matcher.roots if r.named] or [r.node for r in analysis.matcher.roots]
    forward = {n for r in losses for n in analysis.matcher.adjoints[r][0].full}
    used = analysis.matcher.behind_steps
    last: dict[tuple[str, tuple[int, ...]], int] = {}
    for binding in tape.bindings:
        if tape.nodes[binding.node].window in shown and is_real(tape.nodes[binding.node]):
            key = binding.name, analysis.matcher.only_of(binding.node)
            if key not in last or binding.node in used or last[key] not in used:
                last[key] = binding.node
    for (name, layers), node in last.items():
        of = parameter_of(name)
        recorded = tape.nodes[node]
        if of is None or node in analysis.updates or node in forward:
            continue
        if recorded.kind in (Kind.LEAF, Kind.LITERAL) or not analysis.replays.moves(node):
            continue
        if _is_average(analysis, node, name):
            continue
        meant = [
            p
            for p, window in parameters.get(of, ())
            if fits_into(recorded.shape, tape.nodes[p].shape) and window == recorded.window
            if not layers or any(p in analysis.matcher.all_ancestors(r) for r in layers)
        ]
        roots = roots_of(analysis, meant[0], max(node, updated.get(meant[0], 0))) if len(meant) == 1 else ()
        if roots:
            computed = as_computed(analysis.matcher, node, meant[0], roots)
            yield target_of(analysis, computed, roots, meant[0], decayed=True)


def _is_average(analysis: Analysis, node: int, name: str) -> bool:
    """Whether a value is a share of what its variable held in the iteration before, and something new: ``v = 0.9 * v + …``.

    What is kept whole and added to is none: there a gradient was not set back to 0.
    """
    tape = analysis.tape
    window, shape = tape.nodes[node].window, tape.nodes[node].shape
    todo, seen = [(node, False)], {(node, False)}
    while todo:
        current, scaled = todo.pop()
        recorded = tape.nodes[current]
        carried = recorded.kind is Kind.LEAF or recorded.window < window
        if carried and scaled and name in recorded.names:
            return True
        if not carried and recorded.shape == shape and recorded.op in ("add", "subtract", "multiply", "divide"):
            below = {(k, scaled or recorded.op in ("multiply", "divide")) for k in tape.operands(current)} - seen
            seen |= below
            todo += below
    return False


def _moves_on(analysis: Analysis, leaf: int) -> bool:
    """Whether a variable gets a new version in a way that was not understood: which one a gradient is by is not known."""
    names, tape = set(analysis.tape.nodes[leaf].names), analysis.tape
    later = (b.node for b in tape.bindings if b.name in names and tape.nodes[b.node].window >= 0)
    return any(leaf in analysis.matcher.all_ancestors(node) for node in later if node != leaf)


def _is_ahead(analysis: Analysis, node: Node, parameter: int) -> bool:
    """Whether a value is a parameter and what it will be moved by, ``W + mu * v``: not a layer that adds it as its bias."""
    tape, forward = analysis.tape, analysis.matcher.forward
    if node.op not in ("add", "subtract") or node.id not in forward:
        return False
    seen = {parameter, node.id}
    todo = list(tape.operands(node.id))
    while todo:
        current = tape.nodes[todo.pop()]
        if current.id in seen:
            continue
        seen.add(current.id)
        if current.op not in ELEMENTWISE:
            if current.kind not in (Kind.LEAF, Kind.LITERAL):
                return False
        elif current.id not in analysis.updates:
            todo += tape.operands(current.id)
    return True


def _parameters(analysis: Analysis) -> dict[str, list[tuple[int, int]]]:
    """The versions of parameters that the explained losses were computed from, with their window, by their own names.

    A parameter goes by every name that an earlier version of it had, or the point ahead of it at which a step takes the
    gradient.  Without updates every leaf may be one.
    """
    tape = analysis.tape
    shown = set(tape.last_windows())
    names: dict[int, list[str]] = {}
    found: dict[str, list[tuple[int, int]]] = {}
    for update in analysis.updates.values():
        ahead = (n for n in map(tape.nodes.__getitem__, tape.users(update.before)) if _is_ahead(analysis, n, update.before))
        looked = [name for n in ahead for name in n.names]
        known = list(dict.fromkeys((*names.get(update.before, ()), *tape.nodes[update.before].names, *looked)))
        names[update.node] = known
        if tape.nodes[update.node].window in shown:
            for name in dict.fromkeys(map(plain_name, known)):
                found.setdefault(name, []).append((update.before, tape.nodes[update.node].window))
    if not analysis.updates:
        for node in sorted(analysis.matcher.forward):
            if tape.nodes[node].kind is Kind.LEAF and not _moves_on(analysis, node):
                for name in dict.fromkeys(map(plain_name, tape.nodes[node].names)):
                    found.setdefault(name, []).append((node, tape.nodes[node].window))
    return {name: list(dict.fromkeys(nodes)) for name, nodes in found.items()}
