"""The backward pass behind wrong gradients: its values, what is recognised among them, and what an edit may change.

Comes in: an analysis and its wrong gradients.  Goes out: answers about the explained iterations, each computed once.
Invariant: the forward pass is taken to be right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from tracer.diagnosis.forward_pass import ForwardPass
from tracer.diagnosis.target import Target, factors_of, is_gradient
from tracer.gradients.adjoints import ELEMENTWISE
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match, Sort
from tracer.matching.gradient_names import is_backward
from tracer.tape.node import Kind, Node, Span


class BackwardPass(ForwardPass):
    """The explained iterations, seen from their wrong gradients.

    Attributes:
        targets: the wrong gradients.
        right: the right ones; no edit may spoil them.
        behind: everything that the wrong ones were computed from in the backward pass, in order.
        tried: those of them at which edits are tried.
        affected: what an edit may change: all that the same iterations computed but the forward pass.
    """

    def __init__(self, analysis: Analysis, wrong: Iterable[Target], right: Iterable[Target] = ()) -> None:
        self.targets, self.right = list(wrong), list(right)
        super().__init__(analysis, {analysis.tape.nodes[t.node].window for t in self.targets})
        self.behind = self._backward_pass()
        self.tried = self.behind
        last = max((t.node if t.update is None else t.update for t in (*self.targets, *self.right)), default=-1)
        forward = self.fixed
        self.affected = [
            n.id
            for n in analysis.tape.window_nodes()
            if n.window in self.windows
            and n.id <= last
            and n.id not in forward
            and n.id not in analysis.updates
            and n.kind not in (Kind.LEAF, Kind.LITERAL)
        ]

    def _backward_pass(self) -> list[int]:
        """What the wrong targets were computed from, with themselves, up to the forward pass and to updates."""
        analysis = self.analysis
        tape, forward = analysis.tape, self.fixed
        behind: set[int] = set()
        todo = [t.node for t in self.targets]
        while todo:
            node = todo.pop()
            outside = node in behind or node in analysis.updates or node in forward
            if outside or tape.nodes[node].window not in self.windows:
                continue
            behind.add(node)
            todo += tape.operands(node)
        return sorted(behind)

    @cached_property
    def fixed(self) -> frozenset[int]:
        """The forward pass, which is taken to be right.

        Where the loss was moved to the step, what a function of the backward pass computes once more is not part of it.
        """
        inferred, tape = self.analysis.inferred, self.analysis.tape
        if inferred is None or inferred.how != "moved":
            return self.analysis.matcher.forward
        return frozenset(
            n for n in self.analysis.matcher.forward if not any(is_backward(c.function) for c in tape.nodes[n].calls)
        )

    def best(self, node: int) -> Match | None:
        return self.analysis.matcher.best(node)

    @property
    def places(self) -> list[tuple[Node, tuple[int, ...]]]:
        """The nodes at which edits are tried by their place in the source: the first one, and all of them."""
        found: dict[tuple[Span, str], list[int]] = defaultdict(list)
        for node in self.tried:
            recorded = self.node(node)
            if recorded.site is not None and recorded.kind not in (Kind.LEAF, Kind.LITERAL):
                found[recorded.site.span, recorded.op].append(node)
        return [(self.node(nodes[0]), tuple(nodes)) for nodes in found.values()]

    @cached_property
    def affected_nodes(self) -> frozenset[int]:
        return frozenset(self.affected)

    @cached_property
    def target_nodes(self) -> frozenset[int]:
        return frozenset(t.node for t in self.targets)

    @cached_property
    def steps(self) -> frozenset[int]:
        """The wrong targets that are the whole change of an update."""
        return frozenset(t.node for t in self.targets if t.sign)

    @cached_property
    def gradients(self) -> frozenset[int]:
        """The nodes outside the forward pass that are recognised as a gradient."""
        return frozenset(n for n in self.affected if is_gradient(self.best(n)))

    @cached_property
    def beside_gradients(self) -> frozenset[int]:
        """The nodes that add something to a gradient, or a multiple of one, which rests on none."""
        matcher, found = self.analysis.matcher, set[int]()
        whole = {n for n in self.affected if (m := self.best(n)) is not None and m.candidate.sort is Sort.FULL}
        for node in self.affected:
            operands = self.operands(node)
            if self.node(node).op not in ("add", "subtract") or len(operands) != 2:
                continue
            behind = [matcher.all_ancestors(k) | {k} for k in operands]
            for one, other in ((0, 1), (1, 0)):
                moves = self.analysis.replays.moves(operands[other])  # zeros that a sum starts from do not
                if moves and operands[one] in whole and whole.isdisjoint(behind[other]):
                    found.add(node)
        return frozenset(found)

    @cached_property
    def held(self) -> frozenset[int]:
        """The forward values whose gradient the backward pass holds."""
        shown = (self.best(n) for n in self.gradients)
        return frozenset(m.candidate.wrt for m in shown if m is not None)

    def held_of(self, root: int) -> frozenset[int]:
        """The forward values by which the backward pass holds the gradient of one root."""
        shown = (self.best(n) for n in self.gradients)
        return frozenset(m.candidate.wrt for m in shown if m is not None and m.candidate.root == root)

    @cached_property
    def roots(self) -> tuple[int, ...]:
        """The roots of the targets, the likeliest of each first."""
        return tuple(dict.fromkeys(root for target in self.targets for root in target.roots[:2]))

    def wider_shape(self, node: int) -> tuple[int, ...] | None:
        """The shape that a value is broadcast to where it is used, if that is a larger one."""
        for user in self.analysis.tape.users(node):
            shape, own = self.node(user).shape, self.node(node).shape
            wider = shape is not None and own is not None and np.prod(shape) > np.prod(own)
            if wider and user in self.affected and self.node(user).op in ELEMENTWISE:
                return shape
        return None

    def factors(self, match: Match) -> tuple[float, ...] | None:
        return factors_of(
            self.analysis, self.analysis.replays.of(match.node), match.candidate.root, match.candidate.wrt
        )
