"""The parts of what is a local derivative, such as ``1 - h * h``: of which value, by what, entry by entry.

Comes in: a piece of source with a verified match, or two values.  Goes out: a part with formula and derivation, if
there is one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracer.explanation.building.evidence import EvidenceWriter
from tracer.explanation.building.formulas import FormulaWriter
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.model import Part
from tracer.formula.tree import Partial
from tracer.gradients.derived import Derived
from tracer.gradients.local import NoLocalForm, derive_local
from tracer.matching.analysis import Verified


class SlopeTeller:
    """Tells local derivatives."""

    def __init__(self, reading: Reading, writer: FormulaWriter, evidence: EvidenceWriter) -> None:
        self.reading, self.writer, self.evidence = reading, writer, evidence

    def told(self, piece: Piece, base: Part, verified: Verified) -> Part:
        """A recognised local derivative, with one entry in numbers."""
        candidate = verified.match.candidate
        wrt, names = self.reading.named_as(candidate.wrt)
        site = self.reading.node(candidate.root).site
        part = replace(
            base,
            role="local derivative",
            of=self.reading.named_as(candidate.root)[0],
            of_line=None if site is None else site.span.line,
            wrt=wrt,
            names=names,
            scale=verified.match.scale.text,
            verdict=verified.verdict,
            evidence=self.evidence.evidence(verified),
        )
        if verified.match.scale.text != "1" or candidate.transposed or not self.reading.derives:
            return part
        derived = self._derived(candidate.root, candidate.wrt)
        if derived is None:
            return part
        vocabulary = Vocabulary(self.reading.analysis.graph, self.reading.named_as(candidate.root)[0])
        part = self._written(part, derived, vocabulary, candidate.root, candidate.wrt)
        value = np.asarray(self.reading.node(piece.node).value, dtype=float)
        if value.size and value.ndim == len(derived.free) and np.all(np.isfinite(value)):
            flat = int(np.argmax(np.abs(value)))
            index = tuple(int(i) for i in np.unravel_index(flat, value.shape))
            worked = self.writer.worked(derived.result, derived.free, index, vocabulary, float(value[index]), None)
            part = replace(part, entry=worked)
        return part

    def derived(self, of: int, wrt: int) -> Part:
        """The formula, derivation and code of a local derivative, whether or not the program computes it."""
        part = Part((0, 0, 0, 0), "", None, False, "local derivative")
        derived = self._derived(of, wrt)
        if derived is None:
            return part
        vocabulary = Vocabulary(self.reading.analysis.graph, self.reading.named_as(of)[0])
        return self._written(part, derived, vocabulary, of, wrt)

    def _derived(self, of: int, wrt: int) -> Derived | None:
        try:
            return derive_local(self.reading.analysis.graph, of, wrt, self.reading.readable)
        except (NoLocalForm, KeyError, ValueError):
            return None

    def _written(self, part: Part, derived: Derived, names: Vocabulary, of: int, wrt: int) -> Part:
        graph = self.reading.analysis.graph
        left = Partial(names.symbol(graph.name(of)), names.symbol(graph.name(wrt)))
        return self.writer.written(part, derived, names, left, None, "1")
