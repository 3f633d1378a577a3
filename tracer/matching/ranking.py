"""Which of several equal candidates a reader would name first.

Two values in five have several equal hits.  Comes in: matches of one node.  Goes out: their order.  Invariant: it
decides what a line is called, never whether it is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from tracer.matching.candidates import Hit, Match, Sort
from tracer.tape.node import Kind
from tracer.tape.tape import Tape

#: Of more equal hits than these, only so many of each sort are compared: those nearest before the node.
_MANY_HITS, _MOST_ALIKE = 64, 16
_ORDER = {
    Sort.VALUE: -1.0,
    Sort.FULL: 0.0,
    Sort.TRUNCATED: 0.5,
    Sort.LOCAL: 1.0,
    Sort.PATH: 2.0,
    Sort.PARTIAL: 3.0,
}
#: The sorts that are no gradient of a root: their root is a value of the forward pass.
_OF_VALUES = (Sort.VALUE, Sort.LOCAL)


class Ranking(Struct, frozen=True):
    """The order of the matches of a node.

    Attributes:
        trained: what the steps of the program start from; a gradient by other data comes last, if there is any.
        inferred: losses that stand at the end of the tape → where in the program they belong.
    """

    tape: Tape
    trained: frozenset[int]
    inferred: Mapping[int, int]

    def position(self, root: int) -> int:
        """Where a root stands in the order of the program."""
        return self.inferred.get(root, root)

    def rank(self, match: Match, named_roots: Collection[int]) -> tuple[Any, ...]:
        """What to sort the matches of one node by; the smallest comes first.

        Arguments:
            named_roots: the roots that the program calls a loss.
        """
        node, candidate, scale = match.node, match.candidate, match.scale
        nodes = self.tape.nodes
        wrt = nodes[candidate.wrt]
        of_value = candidate.sort in _OF_VALUES
        trained = not self.trained or candidate.wrt in self.trained
        distance = nodes[node].window - nodes[candidate.root].window
        negated = wrt.op == "negative" and not wrt.names  # a reader differentiates by z, not by −z
        return (
            scale.rank > 3,
            not of_value and wrt.kind is Kind.LEAF and not trained,
            _order(match) + (0.5 if negated and not of_value and scale.rank == 0 else 0.0),
            candidate.transposed,
            scale.rank + 2 * negated,
            self.position(candidate.root) >= node,
            abs(distance),
            not wrt.names,
            not (of_value or candidate.root in named_roots),
            0 if of_value else -candidate.root,
            -candidate.wrt,
        )

    def likely(self, hits: list[Hit]) -> list[Hit]:
        """Of very many equal hits, as the masks of a window at each of its places, those that rank first."""
        if len(hits) <= _MANY_HITS:
            return hits
        alike: dict[tuple[Any, ...], list[Hit]] = defaultdict(list)
        for hit in hits:
            candidate, measured, _ = hit
            named = bool(self.tape.nodes[candidate.wrt].names)
            root = None if candidate.sort in _OF_VALUES else candidate.root
            size = tuple(float(f"{m:.6g}") for m in measured)
            alike[candidate.sort, candidate.transposed, root, size, named].append(hit)
        kept = (sorted(same, key=lambda h: -h[0].wrt)[:_MOST_ALIKE] for same in alike.values())
        return [hit for same in kept for hit in same]


def _order(match: Match) -> float:
    """By what a candidate is; a multiple of one comes behind what fits as it is."""
    sort, rank = match.candidate.sort, match.scale.rank
    if rank == 0:
        return 0.25 if sort is Sort.VALUE else _ORDER[sort]
    if sort is Sort.LOCAL and rank > 1:
        return 2.75  # a multiple of a slope is rather one path of a gradient
    return _ORDER[sort] + 0.5
