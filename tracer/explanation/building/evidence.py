"""What speaks for a verdict: the two normal forms of a proof, points, differences, and what was relied on.

Comes in: a verified match.  Goes out: its `Evidence`.  Invariant: whatever a proof or a comparison took for granted
is said, under the name that the program has for it.
"""

from __future__ import annotations

import re

from tracer.explanation.building.formulas import FormulaWriter
from tracer.explanation.building.held import HeldAdjoints
from tracer.explanation.building.numbers import finite
from tracer.explanation.building.reading import Reading
from tracer.explanation.model import Evidence, Formula
from tracer.matching.analysis import Verified
from tracer.matching.replays import describe

#: An array of a formula in what a proof relies on.
_ARRAY = re.compile("`([^`]+)`")


class EvidenceWriter:
    """Writes down what speaks for a match."""

    def __init__(self, reading: Reading, writer: FormulaWriter, held: HeldAdjoints) -> None:
        self.reading, self.writer, self.held = reading, writer, held

    def evidence(self, verified: Verified) -> Evidence:
        """All that speaks for it, and what it rests on."""
        return Evidence(
            normal_forms=self._normal_forms(verified) if verified.proof.proved and self.reading.derives else None,
            points=len(self.reading.analysis.replays.values),
            max_error=finite(verified.match.error),
            finite_difference=None if verified.difference is None else finite(verified.difference.error),
            assumptions=self._lemmas(verified) + (() if verified.proof.proved else self._kept(verified)),
        )

    def _normal_forms(self, verified: Verified) -> tuple[Formula, Formula] | None:
        """Both sides of the proof; None if one of them cannot be written."""
        proof, names = verified.proof, self.held.vocabulary(verified.match)
        one, other = (self.writer.index_formula(side, proof.free, names) for side in (proof.left, proof.right))
        return (one, other) if one and other else None

    def _lemmas(self, verified: Verified) -> tuple[str, ...]:
        """What a proof took for granted of its inputs."""
        assumed = verified.proof.assumptions
        return tuple(_ARRAY.sub(lambda found: self._called(found[1]), a) for a in assumed if not _is_array(a))

    def _kept(self, verified: Verified) -> tuple[str, ...]:
        """What the points kept of the program's own numbers."""
        behind = self.reading.everything_behind
        node, root = verified.match.node, verified.match.candidate.root
        assumed = self.reading.analysis.replays.assumptions.items()
        return tuple(describe(self.reading.node(n), k) for n, k in assumed if n in behind(node) or n in behind(root))

    def _called(self, array: str) -> str:
        """What the reader calls an array of a formula: its name, else the expression that it is."""
        node = self.reading.analysis.graph.node_of(array.partition(".")[0])
        if node is None:
            return array
        recorded = self.reading.node(node)
        return recorded.names[0] if recorded.names else recorded.site.text if recorded.site else array


def _is_array(assumption: str) -> bool:
    """Whether an assumption is no sentence, but the bare name of an array in formulas."""
    return assumption[:1] in "vs" and assumption[1:].replace(".", "").isalnum()
