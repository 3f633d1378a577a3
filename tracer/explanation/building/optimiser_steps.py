"""Updates: the optimiser's formula, with the gradient's symbol in it.

Comes in: a piece that is an update.  Goes out: its part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from tracer.calculus import arrays_in
from tracer.calculus.printing import Letters, NoForm
from tracer.diagnosis.finding import Finding
from tracer.diagnosis.trained_on import roots_of
from tracer.explanation.building.formulas import FormulaWriter
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.building.where_clauses import with_where
from tracer.explanation.model import Formula, Formulas, Part
from tracer.formula import Tree, index_form, matrix_formula, plus, render, scalar_symbol, symbol, times
from tracer.formula.tree import Partial, Relation
from tracer.gradients.local import forward_formula
from tracer.gradients.named_sizes import scale_expr
from tracer.matching.candidates import Match, Sort
from tracer.matching.decay import beside_decay
from tracer.matching.optimisers import made_of_gradients, recognise
from tracer.matching.updates import Update


@dataclass
class StepWriter:
    """Writes the updates of one program."""

    reading: Reading
    writer: FormulaWriter
    findings: list[Finding]

    @cached_property
    def inside_steps(self) -> dict[int, str]:
        """The nodes of optimisers' steps between the gradient and the change, with the optimiser."""
        matcher = self.reading.analysis.matcher
        meant = {node: match for finding in self.findings for node, match in finding.meant.items()}
        steps = {node: recognise(matcher, update) for node, update in self.reading.analysis.updates.items()}
        found = {node: steps[update].optimiser for node, update in made_of_gradients(matcher, meant).items()}
        for node, step in steps.items():
            if step.gradient is not None or (step.decays and self._goes_down(node)):
                found.update(dict.fromkeys(step.inside, step.optimiser))
        return found

    def _goes_down(self, node: int) -> bool:
        """Whether the change of an update is a multiple of a gradient, with a multiple of the parameter added."""
        analysis = self.reading.analysis
        update, tape = analysis.updates[node], analysis.tape
        roots = roots_of(analysis, update.wrt, update.node)
        of_one_shape = tape.nodes[update.change].shape == tape.nodes[update.wrt].shape
        return of_one_shape and any(beside_decay(analysis.matcher, update.change, update.wrt, r) for r in roots)

    def update(self, piece: Piece, base: Part, meant: Match | None) -> Part:
        """An update: the optimiser's formula, with the gradient's symbol in it."""
        update = self.reading.analysis.updates[piece.node]
        wrt, names = self.reading.named_as(update.wrt)
        part = replace(base, role="update", wrt=wrt, names=names, optimiser=self.inside_steps.get(piece.node))
        fitting = [
            m
            for m in self.reading.analysis.matcher.matches.get(update.change, ())
            if m.candidate.sort in (Sort.FULL, Sort.TRUNCATED)
            and m.candidate.wrt == update.wrt
            and not m.candidate.transposed
        ]
        match = fitting[0] if fitting else meant
        if match is not None:
            return self._plain_step(part, update, match)
        step = recognise(self.reading.analysis.matcher, update)
        if step.gradient is None:
            return replace(part, optimiser=step.optimiser) if step.decays and self._goes_down(piece.node) else part
        root = step.gradient.candidate.root
        return replace(
            part,
            of=self.reading.root_name(root),
            of_line=self.reading.root_line(root),
            optimiser=step.optimiser,
            formula=self._step_formula(update, step.gradient),
        )

    def _plain_step(self, part: Part, update: Update, match: Match) -> Part:
        """A step along a named multiple of the gradient."""
        graph, root = self.reading.analysis.graph, match.candidate.root
        vocabulary = Vocabulary(graph, self.reading.root_name(root))
        before = self._symbol(update, vocabulary)
        scale = match.scale.scale
        sign = update.sign * (1 if scale.coefficient > 0 else -1)
        rate = scale_expr(graph, abs(scale.coefficient), scale.symbols)
        derivative = Partial(scalar_symbol(vocabulary.root_name), before)
        rate_tree = index_form(rate, (), Letters.of(()), vocabulary.symbols(), vocabulary)
        step: Tree = (
            derivative if rate == scale_expr(graph, Fraction(1), ()) else times([rate_tree, derivative])
        )
        formula = Formula(*render(Relation(before, "←", plus([(1, before), (sign, step)]))))
        return replace(
            part,
            of=self.reading.root_name(root),
            of_line=self.reading.root_line(root),
            scale=match.scale.text if update.sign > 0 else _negated(match.scale.text),
            optimiser=recognise(self.reading.analysis.matcher, update, sign > 0).optimiser,
            formula=Formulas(formula, None, None) if update.beside is None else None,
        )

    def _symbol(self, update: Update, names: Vocabulary) -> Tree:
        """What changes: a parameter, or the part of it that the source text says."""
        if update.part is None:
            return names.symbol(self.reading.analysis.graph.name(update.before))
        return symbol(self.reading.named_as(update.part)[0])

    def _step_formula(self, update: Update, gradient: Match) -> Formulas | None:
        """The step of an optimiser, with the gradient as a derivative and its state by name."""
        graph = self.reading.analysis.graph
        change = forward_formula(graph, update.change, self.reading.named)
        if change is None:
            return None
        root = gradient.candidate.root
        names = Vocabulary(graph, self.reading.root_name(root))
        names.root_array = graph.name(root)
        if gradient.scale.rank == 0:
            names.partials[graph.name(gradient.node)] = (graph.name(root), graph.name(gradient.candidate.wrt))
        names.at_hand = sorted(arrays_in(change.expr))
        before = self._symbol(update, names)
        try:
            letters = Letters.of(change.free, change.expr)
            tree = matrix_formula(change.expr, change.free, names, names.symbols(), letters)
        except (NoForm, KeyError, ValueError):
            return None
        equation_ = Relation(before, "←", plus([(1, before), (update.sign, tree)]))
        shown = with_where(self.reading, equation_, change.expr, names, {}, whole=True)
        return Formulas(Formula(*render(shown)), None, None)


def _negated(text: str) -> str:
    return text[1:] if text.startswith("-") else f"-{text}"
