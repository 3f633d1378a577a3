"""Formulas of whole values: matrix form, index form and loops, with what their letters stand for.

Comes in: an expression, or a derivation.  Goes out: the part with its formulas, code and derivation filled in.
Invariant: a derivation that does not hold up at random inputs is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tracer.calculus import arrays_in
from tracer.calculus.printing import Letters, NoForm, loops
from tracer.calculus.terms import Definition, Expr, Index
from tracer.explanation.building.array_code import array_code, prelude, spelled_out
from tracer.explanation.building.derivations import DerivationWriter
from tracer.explanation.building.numbers import worked_entry
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.building.where_clauses import with_where
from tracer.explanation.model import Entry, Formula, Formulas, Part
from tracer.formula import (
    Tree,
    entry,
    equation,
    index_form,
    letter,
    matrix_formula,
    render,
    symbol,
    times,
)
from tracer.formula.tree import Partial, Times, Transpose
from tracer.gradients.derived import Derived
from tracer.gradients.local import forward_formula

#: Nobody reads a longer normal form.
_MOST_TERMS = 12
_NOTHING = Part((0, 0, 0, 0), "", None, False, "other")


@dataclass
class FormulaWriter:
    """Writes the formulas of one program."""

    reading: Reading

    def index_formula(self, expr: Expr, free: tuple[Index | int, ...], names: Vocabulary) -> Formula | None:
        """A formula over indices; None if it is too long to be read, or there is none."""
        if len(expr) > _MOST_TERMS:
            return None
        try:
            letters = Letters.of(free, expr)
            return Formula(*render(index_form(expr, free, letters, names.symbols(), names)))
        except (NoForm, KeyError, ValueError):
            return None

    def written(
        self,
        part: Part,
        derived: Derived,
        names: Vocabulary,
        left: Tree,
        factor: Tree | None,
        factor_text: str,
    ) -> Part:
        """The part with formula, loops, code and derivation; unchanged if the derivation does not hold up."""
        graph = self.reading.analysis.graph
        positive, one_hot = self.reading.positive, self.reading.one_hot
        try:
            writer = DerivationWriter(
                graph, derived, names, positive, one_hot, self.reading.named, factor, factor_text
            )
            written = writer.write()
        except (NoForm, KeyError, ValueError):
            return part
        if not written.passed:
            return part
        formula = self.formulas(
            derived.result,
            derived.free,
            names,
            left,
            writer.letters,
            part.target or "result",
            derived.held,
            prelude(derived.result, writer.temporaries, names),
        )
        return replace(part, formula=formula, numpy=written.numpy, derivation=written.derivation)

    def formulas(
        self,
        expr: Expr,
        free: tuple[Index | int, ...],
        names: Vocabulary,
        left: Tree,
        letters: Letters,
        target: str,
        held: Mapping[str, Definition] | None = None,
        before: str = "",
    ) -> Formulas:
        indices: list[Tree] = [letter(letters[i]) if isinstance(i, Index) else letter("1") for i in free]
        entry_form = equation(
            _entry_of(left, indices), index_form(expr, free, letters, names.symbols(), names)
        )
        index = Formula(*render(with_where(self.reading, entry_form, expr, names, held or {}, whole=False)))
        try:
            right = matrix_formula(expr, free, names, names.symbols(), letters)
            matrix = Formula(
                *render(with_where(self.reading, equation(left, right), expr, names, held or {}, whole=True))
            )
        except NoForm:
            matrix = index
        name = target if target.isidentifier() else "result"
        if name in names.identifiers.values():
            name = f"new_{name}"
        try:
            plain = before + loops(expr, free, names, name, letters)
        except NoForm:
            plain = None
        return Formulas(matrix, index, plain)

    def _temporaries(self, expr: Expr, depth: int = 4) -> dict[str, Definition]:
        """What the arrays of an expression are that the program has no name for."""
        graph = self.reading.analysis.graph
        found: dict[str, Definition] = {}
        for array in sorted(arrays_in(expr)) if depth else ():
            node = graph.node_of(array)
            inner = (
                None
                if node is None or node in self.reading.named
                else forward_formula(graph, node, self.reading.named)
            )
            if inner is not None:
                found[array] = inner
                found.update(self._temporaries(inner.expr, depth - 1))
        return found

    def with_formula(self, base: Part, definition: Definition) -> Part:
        """The part of a forward value with its formula and code; unchanged if there are none."""
        names = Vocabulary(self.reading.analysis.graph)
        names.at_hand = [definition.array]
        try:
            names.at_hand = [*sorted(arrays_in(definition.expr)), definition.array]
            letters = Letters.of(
                definition.free, definition.expr, avoid={names.array(a) for a in names.at_hand}
            )
            left = names.symbol(definition.array) if base.target is None else symbol(base.target)
            temporaries = self._temporaries(definition.expr)
            names.at_hand = [
                *sorted({a for d in temporaries.values() for a in arrays_in(d.expr)}),
                *names.at_hand,
            ]
            before = prelude(definition.expr, temporaries, names)
            formulas = self.formulas(
                definition.expr, definition.free, names, left, letters, base.target or "result", None, before
            )
            told = spelled_out(definition.expr, names, temporaries)
            code = array_code(definition.expr, definition.free, told)
        except (NoForm, KeyError, ValueError):
            return base
        return replace(base, formula=formulas, numpy=code.removeprefix("result = "))

    def formula_of(self, node: int) -> Formula | None:
        """The index form of a forward value, as an equation."""
        definition = forward_formula(self.reading.analysis.graph, node, self.reading.named)
        if definition is None:
            return None
        part = self.with_formula(replace(_NOTHING, target=self.reading.root_name(node)), definition)
        return None if part.formula is None else part.formula.index

    def worked(
        self,
        result: Expr,
        free: tuple[Index | int, ...],
        index: tuple[int, ...],
        names: Vocabulary,
        value: float,
        numeric: float | None,
    ) -> Entry | None:
        recorded = [n.value for n in self.reading.analysis.tape.nodes]
        return worked_entry(self.reading.analysis.graph, recorded, result, free, index, names, value, numeric)


def _entry_of(left: Tree, indices: list[Tree]) -> Tree:
    """The left side at an entry: indices go to the symbol, or to the variable of the derivative."""
    if isinstance(left, Transpose):
        return _entry_of(left.body, indices[::-1])
    if isinstance(left, Times):
        return times([*left.factors[:-1], _entry_of(left.factors[-1], indices)])
    if isinstance(left, Partial) and isinstance(left.of, type(left.wrt)) and left.of_indices:
        return left
    return entry(left, indices)
