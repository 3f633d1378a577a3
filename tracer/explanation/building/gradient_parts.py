"""The parts of what is a gradient: of which loss, by what, times what; its formula, derivation and evidence.

Comes in: a piece of source with a verified match.  Goes out: its part.  Invariant: a derivation is shown only if it
held up, and whatever is not proved says why.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from tracer.explanation.building.evidence import EvidenceWriter
from tracer.explanation.building.formulas import FormulaWriter
from tracer.explanation.building.held import HeldAdjoints
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.model import Entry, Part
from tracer.explanation.words.losses import counted_steps, not_the_way_down, truncated
from tracer.formula import Tree, scalar_symbol, scaled, transposed
from tracer.formula.tree import Conjugate, Parenthesised, Partial, Subscript, Text
from tracer.gradients.derived import Derived
from tracer.matching.analysis import Verified
from tracer.matching.candidates import Match, Sort
from tracer.matching.clock import Task
from tracer.matching.differences import Difference
from tracer.matching.proof import Proof


class GradientTeller:
    """Tells what recognised values are, and what others should be."""

    def __init__(self, reading: Reading, writer: FormulaWriter, held: HeldAdjoints, evidence: EvidenceWriter) -> None:
        self.reading, self.writer, self.held, self.evidence = reading, writer, held, evidence

    def identity(self, base: Part, match: Match) -> Part:
        """The part of which gradient a value is, without a verdict."""
        candidate = match.candidate
        wrt, names = self.reading.named_as(candidate.wrt)
        contribution = None
        turned = self._turned(candidate.wrt) if candidate.transposed else None
        if turned is not None:  # (∂loss/∂(Wᵀ))ᵀ is what reaches W through Wᵀ
            contribution = f"through {wrt}"
            wrt, names = self.reading.named_as(turned)
        elif candidate.transposed:  # ∂loss/∂(Wᵀ) is the transpose of ∂loss/∂W
            wrt, names = f"{wrt}.T" if wrt.isidentifier() else f"({wrt}).T", ()
        if candidate.sort is Sort.PATH and candidate.via is not None:
            contribution = f"through {self.reading.named_as(candidate.via)[0]}"
        elif candidate.sort is Sort.PARTIAL:
            contribution = "the sum of the first contributions"
        elif candidate.sort is Sort.TRUNCATED:
            contribution = f"over at most {counted_steps(candidate.steps or 0)} back in time"
        return replace(
            base,
            role="gradient",
            of=self.reading.root_name(candidate.root),
            of_line=self.reading.root_line(candidate.root),
            wrt=wrt,
            names=names,
            scale=match.scale.text,
            contribution=contribution,
            conjugate=candidate.conjugate,
        )

    def _turned(self, wrt: int) -> int | None:
        """The matrix with a name that a value is the transpose of."""
        node = self.reading.node(wrt)
        if node.op != "transpose" or len(node.shape or ()) != 2 or node.names:
            return None
        (matrix, *_) = self.reading.analysis.tape.operands(wrt)
        return matrix if self.reading.node(matrix).names else None

    def told(self, piece: Piece, base: Part, verified: Verified) -> Part:
        """A recognised gradient, or a part of one, with its formula and derivation."""
        match = verified.match
        evidence = self.evidence.evidence(verified)
        part = replace(self.identity(base, match), verdict=verified.verdict, evidence=evidence)
        if verified.verdict == "checked" and verified.proof.why_not:
            part = replace(part, remark=f"Not proved: {verified.proof.why_not}.")
        if self._is_stepped_along(match):
            part = replace(part, remark=f"{not_the_way_down(part.target or part.source)} {part.remark or ''}".strip())
        if verified.verdict == "unexplained":
            return replace(part, remark="It looks like this gradient, but a finite difference disagrees.")
        if match.candidate.sort is Sort.TRUNCATED:
            return replace(part, remark=truncated(match.candidate.steps or 0))
        if match.candidate.sort is Sort.PARTIAL or not self.reading.derives:
            return part
        clock = self.reading.analysis.clock
        if not clock.left(Task.DERIVATION):
            clock.leave_out(Task.DERIVATION, (piece.span.line,))
            return replace(part, remark=part.remark or "There was no time left for its derivation.")
        start = time.thread_time()
        derived = self.held.derive(match)
        part = part if derived is None else self._with_derivation(part, match, derived, verified)
        clock.spend(Task.DERIVATION, start)
        return part

    def _is_stepped_along(self, match: Match) -> bool:
        """Whether a parameter of complex numbers is changed along its gradient itself, and not along the conjugate."""
        matcher, candidate = self.reading.analysis.matcher, match.candidate
        if candidate.conjugate or not np.iscomplexobj(self.reading.node(match.node).value):
            return False
        steps = [best for u in matcher.updates.values() if u.wrt == candidate.wrt and (best := matcher.best(u.change))]
        return any(s.candidate.wrt == candidate.wrt and not s.candidate.conjugate for s in steps)

    def _with_derivation(self, part: Part, match: Match, derived: Derived, verified: Verified) -> Part:
        graph, names = self.reading.analysis.graph, self.held.vocabulary(match)
        for adjoint in derived.computed.values():
            if graph.node_of(adjoint.array) is None:
                names.partials[adjoint.array] = (graph.name(match.candidate.root), adjoint.array[1:])
        factor = None if match.scale.text == "1" else self.held.factor(match)
        left = self._left(match, factor, names, part.contribution)
        part = self.writer.written(part, derived, names, left, factor, match.scale.text)
        return self._with_entry(part, match, derived, names, verified.difference)

    def _left(self, match: Match, factor: Tree | None, names: Vocabulary, contribution: str | None) -> Tree:
        """What a match says that a value is, as a formula."""
        candidate = match.candidate
        wrt = names.symbol(self.reading.analysis.graph.name(candidate.wrt))
        derivative = Partial(scalar_symbol(names.root_name), wrt)
        left: Tree = derivative if factor is None else scaled(factor, derivative)
        if candidate.transposed:
            left = transposed(left)
        if candidate.conjugate:
            left = Conjugate(left)
        if candidate.sort is Sort.PATH and contribution is not None:
            left = Subscript(Parenthesised(left), (Text(contribution),))
        return left

    def _with_entry(
        self, part: Part, match: Match, derived: Derived, names: Vocabulary, difference: Difference | None
    ) -> Part:
        """The part with the entry that a finite difference was taken of, in numbers; of real numbers only."""
        value = np.asarray(self.reading.node(match.node).value)
        numeric = None if difference is None else difference.numeric
        if value.dtype.kind == "c" or isinstance(numeric, complex):
            return part
        if difference is None:
            return replace(part, entry=None)
        index, own = difference.index, float(value[difference.index])
        worked = self.writer.worked(derived.result, derived.free, index, names, own, numeric)
        return replace(part, entry=worked or Entry(index, own, ((own,),), numeric))

    def derived(self, match: Match) -> Part:
        """The formula, derivation and code of a match, whether or not the program computes it."""
        return self.right(Part((0, 0, 0, 0), "", None, False, "gradient"), match)

    def right(self, part: Part, match: Match) -> Part:
        """The part as it should be, with the formula and derivation of the right gradient."""
        derived = self.held.derive(match)
        if derived is None:
            return part
        return self._with_derivation(part, match, derived, Verified(match, Proof(False), None))
