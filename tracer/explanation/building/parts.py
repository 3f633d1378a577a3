"""One `Part` of the explanation for each piece of the source: what it is, its formula, and how sure that is.

Comes in: a piece of source and an `Analysis`.  Goes out: a `Part`, or None for a piece that a reader would not ask
about. Invariant: a verdict is given only to what is used as a gradient; a value that no candidate equals is never
called anything but what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from tracer.diagnosis import Finding
from tracer.explanation.building.bare_parts import bare_part
from tracer.explanation.building.evidence import EvidenceWriter
from tracer.explanation.building.fault_parts import FaultTeller
from tracer.explanation.building.formulas import FormulaWriter
from tracer.explanation.building.gradient_parts import GradientTeller
from tracer.explanation.building.held import HeldAdjoints
from tracer.explanation.building.occurrences import told_apart
from tracer.explanation.building.optimiser_steps import StepWriter
from tracer.explanation.building.other_parts import TOLD_AS_GRADIENTS, OtherTeller
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.slope_parts import SlopeTeller
from tracer.explanation.model import Part
from tracer.explanation.words.losses import not_judged
from tracer.matching.candidates import Sort
from tracer.matching.judging import is_right, judged_updates
from tracer.matching.updates import Update
from tracer.tape.node import Kind


@dataclass
class PartMaker:
    """Makes parts; everything that several parts share is computed once."""

    reading: Reading
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        held = HeldAdjoints(self.reading)
        self.writer = FormulaWriter(self.reading)
        evidence = EvidenceWriter(self.reading, self.writer, held)
        self.gradients = GradientTeller(self.reading, self.writer, held, evidence)
        self.slopes = SlopeTeller(self.reading, self.writer, evidence)
        self.steps = StepWriter(self.reading, self.writer, self.findings)
        self.faults = FaultTeller(self.reading, self.gradients, self.steps, self.findings)
        self.others = OtherTeller(self.reading, self.writer, self.gradients, self.steps, self.faults.meant)

    def parts(self, piece: Piece) -> list[Part]:
        """The parts of one piece: one for each thing that it was, when it ran several times."""
        groups = told_apart(piece, self.reading, self.faults, self._unknown_steps)
        made = [self.part(replace(piece, nodes=tuple(nodes))) for nodes in groups]
        wrong = [part for part in made if part is not None and part.verdict == "wrong"]
        told = next((part for part in reversed(wrong) if part.of), wrong[-1] if wrong else None)
        return [part for part in made if part is not None and (part is told or part not in wrong)]

    def part(self, piece: Piece) -> Part | None:
        """The part of one piece, or None if there is nothing to say about it."""
        node, base = self.reading.node(piece.node), bare_part(self.reading, piece)
        if node.window < 0:
            return self.others.set_up(piece, base)
        if node.kind is Kind.LEAF and node.op and piece.whole:
            return replace(base, role="parameter" if piece.target in self.reading.parameters else "data")
        fault = self.faults.told_at(piece)
        if fault is not None:
            return self.faults.entering(piece, base, fault)
        if node.id in self.reading.analysis.updates:
            meant = self.faults.meant.get(self.reading.analysis.updates[node.id].change)
            return self.steps.update(piece, base, meant[1] if meant else None)
        if node.id in self.faults.meant:
            return self.faults.spoiled(piece, base)
        return self._recognised(piece, base)

    def _recognised(self, piece: Piece, base: Part) -> Part | None:
        """What a value is that no fault and no step has a hand in."""
        node, matcher = piece.node, self.reading.analysis.matcher
        verified = None if node in matcher.forward else self.reading.analysis.verified(node)
        if verified is not None and verified.match.candidate.sort in TOLD_AS_GRADIENTS:
            return self.gradients.told(piece, base, verified)
        if verified is not None and verified.match.candidate.sort is Sort.LOCAL:
            return self.slopes.told(piece, base, verified)
        if node in self._unknown_steps:
            wrt, names = self.reading.named_as(self._unknown_steps[node].wrt)
            return replace(base, role="gradient", verdict="unexplained", wrt=wrt, names=names)
        if not piece.whole:
            return None
        inferred = self.reading.analysis.inferred
        if inferred is not None and node in inferred.starts:
            return replace(base, role="gradient", verdict="unexplained", remark=not_judged())
        if node in ({r.node for r in matcher.roots if r.named} or {r.node for r in matcher.roots}):
            return self.others.forward(piece, replace(base, role="loss"))
        if node in matcher.forward or verified is not None:
            return self.others.forward(piece, replace(base, role="forward"))
        recorded = self.reading.node(node)
        if recorded.kind is Kind.LEAF or not (recorded.shape or self.others.is_called_a_gradient(piece)):
            return replace(base, role="other") if piece.target else None
        return self.others.unknown(piece, base)

    @cached_property
    def _unknown_steps(self) -> dict[int, Update]:
        """The steps by single entries that are no step along a gradient: that others of the same line are says nothing."""
        matcher = self.reading.analysis.matcher
        entries = [u for u in judged_updates(matcher) if u.written is not None]
        return {u.change: u for u in entries if not is_right(matcher, u) and u.change not in self.steps.inside_steps}
