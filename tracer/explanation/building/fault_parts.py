"""The parts of a program with faults: wrong where a fault enters, right given the rest where it was only spoiled.

Comes in: the pieces of source and what was found.  Goes out: parts with a diagnosis.  Invariant: of one statement only
what the fault touches is called wrong; what is right beside it stays right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from tracer.diagnosis import Finding
from tracer.explanation.building.bare_parts import bare_part
from tracer.explanation.building.gradient_parts import GradientTeller
from tracer.explanation.building.numbers import finite
from tracer.explanation.building.optimiser_steps import StepWriter
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.model import Diagnosis, Evidence, Line, Part
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match, Sort
from tracer.tape.node import Span


@dataclass
class FaultTeller:
    """Makes the parts that faults concern.

    Attributes:
        diagnoses: for the cause of each finding, what is said of it.
        moved: for the cause of some, the statement in which they are told, where that computes nothing itself.
    """

    reading: Reading
    gradients: GradientTeller
    steps: StepWriter
    findings: list[Finding]
    diagnoses: dict[int, Diagnosis] = field(default_factory=dict)
    moved: dict[int, Span | None] = field(default_factory=dict)

    @cached_property
    def meant(self) -> dict[int, tuple[Finding, Match]]:
        """What the nodes that a fault spoiled were meant to be."""
        return {node: (finding, match) for finding in self.findings for node, match in finding.meant.items()}

    @cached_property
    def _by_statement(self) -> dict[Span, Finding]:
        """The statements in which faults were found, but for updates that came too early."""
        found: dict[Span, Finding] = {}
        for finding in self.findings:
            span = self.moved.get(finding.cause, finding.place)
            if span is not None:
                found[self.reading.program.statement_at(span.line, span.column) or span] = finding
        return found

    def reach(self, nodes: Sequence[int]) -> bool:
        """Whether faults that are told elsewhere are behind all of these values."""
        readers = {n for finding in self.findings for n in finding.readers}
        return all(n in readers or not readers.isdisjoint(self.reading.everything_behind(n)) for n in nodes)

    def told_at(self, piece: Piece) -> Finding | None:
        """The fault that a piece has in it."""
        fault = self._found_in(piece)
        if fault is None:
            return None
        return fault if piece.node in fault.meant or (piece.whole and not self._is_beside(piece, fault)) else None

    def _found_in(self, piece: Piece) -> Finding | None:
        statement = self.reading.program.statement_at(piece.span.line, piece.span.column)
        return self._by_statement.get(statement) if statement is not None else None

    def with_fault(self, parts: list[Part], pieces: Sequence[Piece]) -> list[Part]:
        """The parts of a statement with a fault in it that none of them tells.

        So where a call is handed a gradient, and where a statement changes another array than the one that is read.
        """
        finding = self._found_in(pieces[0]) if pieces else None
        if finding is None:
            return parts
        spoiled = {*finding.readers, *finding.meant}
        held = [piece for piece in pieces if not spoiled.isdisjoint(piece.nodes)]
        if not held:
            first = next((piece for piece in pieces if piece.whole), pieces[0])
            told = self.entering(replace(first, whole=True), bare_part(self.reading, first), finding)
            return parts if told is None else [*(p for p in parts if p.span != told.span), told]
        widest = max(held, key=lambda p: (p.span.end_line - p.span.line, p.span.end_column - p.span.column))
        node = max(spoiled & set(widest.nodes))
        told = self.entering(replace(widest, nodes=(node,), whole=True), bare_part(self.reading, widest), finding)
        return parts if told is None else [*(p for p in parts if p.span != told.span), told]

    def untold(self, lines: Sequence[Line]) -> list[Line]:
        """The statements with faults of which none of these lines tells: what they do left no value of their own."""
        told = {part.diagnosis.says for line in lines for part in line.parts if part.diagnosis is not None}
        found = []
        for finding in self.findings:
            diagnosis = self.diagnoses.get(finding.cause)
            span = self.moved.get(finding.cause, finding.place)
            if diagnosis is None or span is None or diagnosis.says in told:
                continue
            program = self.reading.program
            statement = program.statement_at(span.line, span.column) or span
            piece = Piece(statement, program.text_of(statement), (finding.cause,), None, True)
            part = replace(bare_part(self.reading, piece), role="gradient", verdict="wrong", diagnosis=diagnosis)
            found.append(Line(statement.line, statement.end_line, program.text_of(statement), (part,)))
        return found

    def _is_beside(self, piece: Piece, finding: Finding) -> bool:
        """Whether a fault does not reach a value that its statement computes too: ``dW, db = …`` of which one is wrong."""
        touched = not {*finding.readers, *finding.meant}.isdisjoint(piece.nodes)
        if not touched and not self._is_behind(piece.node, finding):
            return True
        match = self.reading.analysis.matcher.best(piece.node)
        return not touched and match is not None and match.candidate.sort is Sort.FULL and match.scale.rank <= 3

    def _is_behind(self, node: int, finding: Finding) -> bool:
        """Whether a value rests on what a fault changes; the fault may have been found in another iteration."""
        node_of, behind = self.reading.node, self.reading.everything_behind(node)
        if node_of(node).window in {node_of(n).window for n in finding.readers}:
            return not behind.isdisjoint(finding.readers)
        places = {node_of(n).site for n in finding.readers}
        return any(node_of(n).site in places for n in behind)

    def entering(self, piece: Piece, base: Part, finding: Finding) -> Part | None:
        """The statement in which a fault enters, or that part of it which feeds an update."""
        updates = self.reading.analysis.updates
        if piece.node in updates:
            return self.steps.update(piece, base, finding.meant.get(updates[piece.node].change))
        if not piece.whole and not self._is_a_step(piece, finding):
            return None
        match = finding.meant.get(piece.node)
        if match is not None:
            return self._wrong(piece, base, match, finding)
        diagnosis = self.diagnoses.get(finding.cause)
        if finding.grown is not None:
            part = self.gradients.identity(base, next(iter(finding.meant.values())))
            return replace(part, verdict="wrong", diagnosis=diagnosis)
        return replace(base, role="gradient", verdict="wrong", diagnosis=diagnosis)

    def spoiled(self, piece: Piece, base: Part) -> Part | None:
        """A gradient that a fault spoiled: wrong where the fault enters, right given the rest further on."""
        finding, match = self.meant[piece.node]
        if not piece.whole and not self._is_a_step(piece, finding):
            return None
        operands = {n: self.reading.analysis.tape.operands(n) for n in finding.meant}
        first = set(finding.first_spoiled(operands))
        if finding.rewrite is None and self._enters_here(piece, first, finding):
            return self._wrong(piece, base, match, finding)
        lines = sorted({s.span.line for n in finding.readers if (s := self.reading.node(n).site) is not None})
        if finding.place is not None:
            lines = [finding.place.line]
        here = [line for line in lines if line in self.reading.lines_behind(piece.node)]
        evidence = Evidence(None, len(self.reading.analysis.replays.values), finite(match.error), None)
        part = self.gradients.identity(base, match)
        return replace(part, verdict="checked", given=tuple(here or lines), evidence=evidence)

    def _wrong(self, piece: Piece, base: Part, match: Match, finding: Finding) -> Part:
        """A part that is wrong, with the gradient that it should be."""
        part = self.gradients.identity(base, match)
        right = self.gradients.right(part, match)
        diagnosis = self.diagnoses.get(finding.cause)
        if diagnosis is not None and right.formula is not None:
            diagnosis = replace(diagnosis, should_be=right.formula.matrix)
        value = np.asarray(self.reading.node(piece.node).value, dtype=float)
        error = _relative_error(self.reading.analysis, match, value)
        return replace(
            part,
            verdict="wrong",
            evidence=Evidence(None, len(self.reading.analysis.replays.values), error, None),
            diagnosis=diagnosis,
            numpy=right.numpy,
            derivation=right.derivation,
        )

    def _is_a_step(self, piece: Piece, finding: Finding) -> bool:
        """Whether a piece is what a spoiled update adds, or the gradient in a step with weight decay."""
        spoiled = [found for u in finding.spoiled if (found := self.reading.analysis.updates.get(u)) is not None]
        match = finding.meant.get(piece.node)
        within = [u.wrt for u in spoiled if u.change not in finding.meant]
        return any(u.change == piece.node for u in spoiled) or (match is not None and match.candidate.wrt in within)

    def _enters_here(self, piece: Piece, first: set[int], finding: Finding) -> bool:
        """Whether the fault enters in this piece's own statement, or in a call that is handed the wrong version."""
        node = self.reading.node(piece.node)
        if self._is_a_step(piece, finding) or piece.node in first:
            return True
        statement = self.reading.program.statement_at(piece.span.line, piece.span.column)
        for reader in finding.readers:
            site = self.reading.node(reader).site
            if site is None or reader not in self.reading.everything_behind(node.id):
                continue
            if self.reading.program.statement_at(site.span.line, site.span.column) == statement:
                return True
            for call in self.reading.node(reader).calls:
                if call in self.reading.node(finding.cause).calls:
                    continue  # nothing was handed over: the update was made in that call, too
                if self.reading.program.statement_at(call.site.span.line, call.site.span.column) == statement:
                    return True
        return False


def _relative_error(analysis: Analysis, match: Match, value: Any) -> float | None:
    """How far a spoiled value is from the derivative it was meant to be, on the replays."""
    errors = []
    for sweep, values in zip(
        analysis.matcher.adjoints[match.candidate.root], analysis.replays.values, strict=True
    ):
        wanted = np.asarray(sweep.full[match.candidate.wrt], dtype=float)
        found = np.asarray(values[match.node], dtype=float)
        if wanted.size != found.size:
            return None
        wanted = wanted.reshape(found.shape)
        scale = float(np.sum(wanted * found) / max(float(np.sum(wanted * wanted)), 1e-300))
        errors.append(
            float(np.max(np.abs(found - scale * wanted)) / max(float(np.max(np.abs(found))), 1e-300))
        )
    return finite(max(errors)) if errors else None
