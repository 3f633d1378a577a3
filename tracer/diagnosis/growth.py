"""Parameters that grow by broadcasting: ``b = b - rate * delta``, where ``delta`` has a row for each sample, and ``b`` one.

NumPy repeats the parameter for every row without a word, so from then on it has another shape, and each row learns a
bias of its own.  Comes in: an analysis.  Goes out: a `Finding` for each such step, if the sum of the step over the
rows is one along the gradient by the parameter as it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.rewrites import SumOperand
from tracer.diagnosis.target import proportion
from tracer.gradients.adjoints import is_real
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Candidate, Match, Sort
from tracer.matching.updates import direct, is_repeated
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node


class Growth(Struct, frozen=True):
    """A step that gives a parameter another shape.

    Attributes:
        node: the new version.
        before: the version that a loss was computed from.
        change: what was added or subtracted, argument number ``operand``.
        shape: the shape of the parameter when it was made.
        axes: the axes along which it should have been summed, for a sum that keeps the axes of size one.
    """

    node: int
    before: int
    change: int
    operand: int
    shape: tuple[int, ...]
    axes: tuple[int, ...]


def grown_parameters(analysis: Analysis) -> list[Growth]:
    """The first step of each parameter that gives it another shape, in the order of the program."""
    found: dict[Any, Growth] = {}
    for node in analysis.tape.window_nodes():
        growth = _growth(analysis, node)
        if growth is not None:
            found.setdefault(node.site, growth)
    return list(found.values())


def _growth(analysis: Analysis, node: Node) -> Growth | None:
    nodes = analysis.tape.nodes
    sides = direct(node)
    if node.op not in ("add", "subtract") or len(sides) != 2 or not is_real(node) or node.shape is None:
        return None
    for (_, before), (operand, change) in (sides, sides[::-1]):
        old, made = nodes[before], nodes[change]
        if not set(old.names) & set(node.names) or (node.op == "subtract" and operand == 0):
            continue
        carried = old.kind is NodeKind.LEAF or before in analysis.updates
        if not carried or made.kind in (NodeKind.LEAF, NodeKind.LITERAL):
            continue
        shape = old.shape if old.shape != node.shape else _made_as(analysis, old)
        if shape is not None and is_repeated(shape, node.shape):
            padded = (1,) * (len(node.shape) - len(shape)) + shape
            axes = tuple(k for k, (a, b) in enumerate(zip(padded, node.shape, strict=True)) if a != b)
            return Growth(node.id, before, change, operand, shape, axes)
    return None


def _made_as(analysis: Analysis, leaf: Node) -> tuple[int, ...] | None:
    """The shape with which a variable was made before the recorded iterations."""
    made = [n for n in analysis.tape.nodes if n.window < 0 and n.names and set(n.names) & set(leaf.names)]
    return made[0].shape if leaf.kind is NodeKind.LEAF and leaf.origin is None and made else None


def is_grown(analysis: Analysis, node: int, growths: Iterable[Growth]) -> bool:
    """Whether a version of a parameter has another shape than it was made with."""
    grown = {g.node for g in growths} | {
        g.before for g in growths if analysis.tape.nodes[g.before].shape != g.shape
    }
    while node in analysis.updates and node not in grown:
        node = analysis.updates[node].before
    return node in grown


def find_grown(analysis: Analysis) -> list[Finding]:
    """The faults of this kind."""
    return [finding for growth in grown_parameters(analysis) for finding in _finding(analysis, growth)]


def _finding(analysis: Analysis, growth: Growth) -> Iterator[Finding]:
    nodes, site = analysis.tape.nodes, analysis.tape.nodes[growth.node].site
    grown = nodes[growth.node].shape or ()
    for root in analysis.matcher.roots:
        factors = _factors(analysis, growth, root.node)
        if factors is None or site is None:
            continue
        scale = analysis.matcher.named_factor(growth.change, root.node, factors)
        if scale is None:
            continue
        candidate = Candidate(Sort.FULL, root.node, growth.before, False)
        later = [u for u in analysis.updates.values() if nodes[u.node].site == site]
        changes = dict.fromkeys((growth.change, *(u.change for u in later)))
        meant = {change: Match(change, candidate, scale, 0.0) for change in changes}
        axes = growth.axes if len(growth.axes) < len(grown) else ()
        rewrite = SumOperand(site.span, growth.operand, axes, len(growth.shape) == len(grown))
        spoiled = tuple(u.node for u in later) or (growth.change,)
        shapes = growth.shape, grown
        yield Finding(Kind.AXIS, growth.change, spoiled, tuple(meant), meant, rewrite, site.span, shapes)
        return


def _factors(analysis: Analysis, growth: Growth, root: int) -> tuple[float, ...] | None:
    """What the gradient by the parameter, as it was made, is multiplied by in the sum of the step; None if it is none."""
    found = []
    for change, adjoints in zip(
        analysis.replays.of(growth.change), analysis.matcher.adjoints[root], strict=True
    ):
        gradient = adjoints.full.get(growth.before)
        if gradient is None or np.shape(change) != analysis.tape.nodes[growth.node].shape:
            return None
        axes = growth.axes if np.shape(gradient) == np.shape(change) else ()
        summed = np.asarray(change, dtype=float).sum(axis=growth.axes).reshape(growth.shape)
        factor = proportion(summed, np.asarray(gradient).sum(axis=axes).reshape(growth.shape))
        if factor is None:
            return None
        found.append(factor)
    return tuple(found)
