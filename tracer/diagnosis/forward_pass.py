"""Questions about the forward pass that decide what a fault is called.

Comes in: an analysis and the windows that are explained.  Goes out: answers about single nodes.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import numpy as np

from tracer.diagnosis.target import proportion
from tracer.gradients.adjoints import Adjoints, is_real
from tracer.gradients.named_sizes import MEANS
from tracer.matching.analysis import Analysis
from tracer.tape.node import Kind, Node


class ForwardPass:
    """The forward pass of some windows."""

    def __init__(self, analysis: Analysis, windows: Collection[int]) -> None:
        self.analysis, self.windows = analysis, windows
        self._softmaxes: dict[int, int | None] = {}

    def node(self, node: int) -> Node:
        return self.analysis.tape.nodes[node]

    def operands(self, node: int) -> tuple[int, ...]:
        return self.analysis.tape.operands(node)

    def adjoints(self, root: int) -> list[Adjoints]:
        return self.analysis.matcher.adjoints[root]

    def is_fresh_random(self, node: int) -> bool:
        """Whether a value rests on random numbers that no forward value rests on."""
        matcher = self.analysis.matcher
        return bool(self._fresh) and node not in matcher.forward and not self._fresh.isdisjoint(matcher.all_ancestors(node))

    @cached_property
    def _fresh(self) -> frozenset[int]:
        """The draws of these windows that no loss rests on, not even through a comparison or an index."""
        matcher = self.analysis.matcher
        losses = [r.node for r in matcher.roots if r.named] or [r.node for r in matcher.roots]
        used = frozenset().union(*map(matcher.all_ancestors, losses))
        drawn = (n for n in self.analysis.tape.window_nodes() if n.kind is Kind.RANDOM and n.window in self.windows)
        return frozenset(n.id for n in drawn) - used

    def softmax_of(self, node: int) -> int | None:
        """The softmax of a value: its exponentials, less a maximum perhaps, divided by their sum."""
        if node not in self._softmaxes:
            self._softmaxes[node] = self._find_softmax(node)
        return self._softmaxes[node]

    def _find_softmax(self, node: int) -> int | None:
        tape, forward = self.analysis.tape, self.analysis.matcher.forward
        reach, todo = {node}, [node]
        while todo:
            for user in tape.users(before := todo.pop()):
                same = self.node(user).op in ("subtract", "exp", "copy") and self.operands(user)[0] == before
                if same and user in forward and user not in reach:
                    reach.add(user)
                    todo.append(user)
        exponentials = {n for n in reach if self.node(n).op == "exp"}
        for quotient in sorted(
            {u for n in exponentials for u in tape.users(n) if self.node(u).op == "divide"}
        ):
            above, *below = self.operands(quotient)
            sums = [b for b in below if self.node(b).op == "sum"]
            if above in exponentials and any(self._same_value(self.operands(b)[0], above) for b in sums):
                return quotient
        return None

    def is_cut_to_diagonal(self, node: int, root: int, scores: int) -> bool:
        """Whether a value takes the softmax of some scores for a function of one entry: d · p · (1 − p)."""
        softmax = self.softmax_of(scores)
        if softmax is None:
            return False
        for values, adjoints in zip(self.analysis.replays.values, self.adjoints(root), strict=True):
            p = np.asarray(values[softmax], dtype=float)
            if softmax not in adjoints.full or p.shape != np.shape(values[node]):
                return False
            if proportion(values[node], adjoints.full[softmax] * p * (1 - p)) is None:
                return False
        return True

    def _same_value(self, one: int, other: int) -> bool:
        graph = self.analysis.graph
        return graph.representative(one) == graph.representative(other)

    def is_used_again(self, wrt: int, via: int) -> bool:
        """Whether the place in the source that uses a parameter in ``via`` uses it in another step too.

        So it is where one network is run twice, and when it is run once for each time step.
        """
        forward = self.analysis.matcher.forward
        site = self.node(via).site
        others = [self.node(u).site for u in self.analysis.tape.users(wrt) if u != via and u in forward]
        return site is not None and any(o is not None and o.span == site.span for o in others)

    def is_statistic(self, node: int) -> bool:
        """Whether a value is a mean or a variance, or is made from nothing of full size but one."""
        return any(
            self.node(n).op in MEANS or (self.node(n).op == "sum" and self._is_divided(n))
            for n in (node, *self.operands(node))
        )

    def _is_divided(self, node: int) -> bool:
        return any(
            self.node(u).op == "divide" and is_real(self.node(u)) for u in self.analysis.tape.users(node)
        )
