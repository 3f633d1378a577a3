"""Formulas of whole arrays, and of entries, with what the letters in them stand for.

Comes in: expressions of the calculus over the arrays of a `Recorded` expression.  Goes out: ``∂L/∂W = Xᵀ G where …``.
Invariant: a letter that the reader has not given is explained, by a formula or by the code that makes it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tracer.calculus import arrays_in
from tracer.calculus.complex_values import conjugate_of, is_weights, without_conjugates
from tracer.calculus.linearised import INVERSE, radicand, value_equation
from tracer.calculus.printing import Letters, NoForm
from tracer.calculus.terms import Definition, Entry, Expr, Index
from tracer.explanation.building.waves import waves_equation
from tracer.explanation.model import Formula
from tracer.expressions.recorded import Recorded
from tracer.expressions.vocabulary import Names, definition_of, names_for
from tracer.formula import Tree, entry, equation, index_form, letter, matrix_formula, render, symbol, to_text
from tracer.formula.tree import Absolute, Relation, Root, Row, Text
from tracer.gradients.local import forward_formula
from tracer.tape.node import Kind

Free = tuple[Index | int, ...]
#: So many letters are explained at most.
_MOST_EXPLAINED = 5


def value_formula(recorded: Recorded) -> Formula | None:
    """What the expression is, as a formula for the whole array."""
    names = names_for(recorded, "")
    where = Formulas(recorded, names, {})
    definition = where.definition(recorded.graph.name(recorded.output), frozenset())
    if definition is None:
        root = where.root(recorded.graph.name(recorded.output), symbol(recorded.value), whole=True)
        stated = root or Relation(symbol(recorded.value), "=", Text(recorded.inputs.expression.text))
        return Formula(*render(stated))
    try:
        return where.formula(symbol(recorded.value), definition.expr, definition.free, whole=True)
    except (NoForm, KeyError, ValueError):
        return None


@dataclass
class Formulas:
    """Writes the formulas of one gradient; ``held`` are adjoints that they may mention."""

    recorded: Recorded
    names: Names
    held: dict[str, Definition]

    def formula(self, left: Tree, expr: Expr, free: Free, whole: bool) -> Formula:
        """left = expr, where Z = …

        Raises:
            NoForm: there is no index form.
        """
        return Formula(*render(self._tree(left, expr, free, whole)))

    def _tree(self, left: Tree, expr: Expr, free: Free, whole: bool) -> Tree:
        told: list[Tree] = [self._equation(left, expr, free, whole)]
        given = {self.recorded.graph.name(n) for n in self.recorded.leaves.values()}
        given.add(self.recorded.graph.name(self.recorded.bound[self.recorded.upstream]))
        seen = set(given)
        waiting = sorted(without_conjugates(arrays_in(expr)))
        graph = self.recorded.graph
        shown = frozenset(n for a in waiting if (n := graph.node_of(a)) is not None)
        while waiting and len(told) <= _MOST_EXPLAINED:
            array = waiting.pop(0)
            definition = None if array in seen else self.definition(array, shown)
            new = array not in seen
            seen.add(array)
            if is_weights(array):
                if new and (not whole or self.names.array(array) in to_text(told[0])):
                    told.append(waves_equation(self.names, array))
                continue
            if definition is None and array.endswith(INVERSE):
                continue  # A⁻¹ says what it is
            if definition is None:
                root = self.root(array, self.names.symbol(array), whole) if new and array not in given else None
                if root is not None:
                    told.append(root)
                    waiting += sorted(without_conjugates(self._under(array)))
                    continue
                named = self.names.source(array) not in self.recorded.inputs.sizes  # N is known as it is
                code = definition_of(self.recorded, self.names, array) if new and named else None
                if code is not None:  # there is no formula, so it is told as it is computed
                    told.append(Relation(self.names.symbol(array), "=", Text(ast.unparse(code))))
                continue
            told.append(self._equation(self.names.symbol(array), definition.expr, definition.free, whole))
            waiting += sorted(without_conjugates(arrays_in(definition.expr)))
        parts: list[Tree] = []
        for number, one in enumerate(told):
            parts += [Text(" where " if number == 1 else ", ")] if number else []
            parts.append(one)
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def definition(self, array: str, shown: frozenset[int]) -> Definition | None:
        """What an array is, in the fewest letters that are not explained yet; ``shown`` are nodes that are."""
        node = self.recorded.graph.node_of(array)
        if node is None:
            return self.held.get(array)
        if self.recorded.tape.nodes[node].kind is Kind.LITERAL:
            return None
        known = shown | self.recorded.own
        ways = [
            found
            for named in reversed(self.recorded.named)
            if (found := forward_formula(self.recorded.graph, node, named | shown)) is not None
        ]
        found = min(ways, key=lambda d: self._unsaid(d, known), default=None)
        stated = self.recorded.graph.definitions.get(self.recorded.graph.representative(node))
        return value_equation(stated) if found is None and stated is not None else found

    def root(self, array: str, left: Tree, whole: bool) -> Tree | None:
        """‖x‖ = √(Σ x²) for an array that is the square root of a sum; ``None`` for any other."""
        node = self.recorded.graph.node_of(array)
        defined = None if node is None else self.recorded.graph.definitions.get(self.recorded.graph.representative(node))
        inside = None if defined is None else radicand(defined)
        if defined is None or inside is None:
            return None
        letters = Letters.of(defined.free, inside, avoid={self.recorded.loss})
        under = index_form(inside, defined.free, letters, self.names.symbols(), self.names)
        at = [letter(letters[i]) for i in defined.free if isinstance(i, Index)]
        size_of = self._whose_size(inside)
        if size_of is not None:
            shown = self.names.symbol(size_of)
            return equation(left if whole else entry(left, at), Absolute(shown if whole else entry(shown, at)))
        return equation(left if whole else entry(left, at), Root(under))

    def _under(self, array: str) -> frozenset[str]:
        """The arrays under the root that an array is."""
        node = self.recorded.graph.node_of(array)
        defined = None if node is None else self.recorded.graph.definitions.get(self.recorded.graph.representative(node))
        inside = None if defined is None else radicand(defined)
        return arrays_in(inside) if inside is not None else frozenset()

    def _whose_size(self, inside: Expr) -> str | None:
        """z, if the root is that of z z̄."""
        factors = inside[0].factors if len(inside) == 1 and not inside[0].bound and inside[0].coefficient == 1 else ()
        arrays = [f.array for f, e in factors if isinstance(f, Entry) and e == 1]
        if len(factors) != 2 or len(arrays) != 2 or arrays[0] != conjugate_of(arrays[1]) or arrays[0] == arrays[1]:
            return None
        return min(arrays, key=len)

    def _unsaid(self, definition: Definition, known: frozenset[int]) -> tuple[int, int]:
        """How many arrays without a name a definition mentions, and how many arrays at all."""
        arrays = arrays_in(definition.expr)
        return sum(self.recorded.graph.node_of(a) not in known for a in arrays), len(arrays)

    def _equation(self, left: Tree, expr: Expr, free: Free, whole: bool) -> Tree:
        for array in sorted(arrays_in(expr)):
            self.names.array(array)
        letters = Letters.of(free, expr, avoid={*self.names.identifiers.values(), self.recorded.loss})
        if whole:
            try:
                return equation(left, matrix_formula(expr, free, self.names, self.names.symbols(), letters))
            except NoForm:
                pass
        at = [letter(letters[i]) for i in free if isinstance(i, Index)]
        right = index_form(expr, free, letters, self.names.symbols(), self.names)
        return equation(entry(left, at), right)
