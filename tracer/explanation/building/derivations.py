"""A derivation as the model wants it: inputs, and steps with formula, reason and executable code.

Comes in: a `Derived` from the calculus, and a vocabulary.  Goes out: a `Derivation`, and whether it holds up.
Invariant: every code is run, at random small inputs, before it is shown; steps about the same quantity agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tracer.calculus import arrays_in
from tracer.calculus.complex_values import without_conjugates
from tracer.calculus.printing import Letters, NoForm, open_code
from tracer.calculus.terms import Definition, Expr, Index
from tracer.explanation.building.agreement import agrees
from tracer.explanation.building.array_code import array_code, names_in, prelude, spelled_out
from tracer.explanation.building.derivation_inputs import InputReader
from tracer.explanation.building.left_sides import LeftSides
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.model import Derivation, Step
from tracer.explanation.words.reasons import reason
from tracer.explanation.words.rules import rule_name
from tracer.formula import Tree, equation, index_form, letter, matrix_formula, plus, render, sum_over, times
from tracer.formula.tree import Partial
from tracer.gradients.derived import DerivationStep, Derived, Free
from tracer.gradients.graph import Graph
from tracer.gradients.local import forward_formula


class WrittenDerivation(Struct, frozen=True):
    """A derivation with the code of its last step."""

    derivation: Derivation
    numpy: str
    passed: bool


class DerivationWriter:
    """Writes the steps of one derivation."""

    def __init__(
        self,
        graph: Graph,
        derived: Derived,
        vocabulary: Vocabulary,
        positive: frozenset[str],
        one_hot: frozenset[str],
        named: frozenset[int],
        factor: Tree | None = None,
        factor_text: str = "1",
    ) -> None:
        self.graph, self.derived, self.names = graph, derived, vocabulary
        self.positive, self.one_hot, self.named = positive, one_hot, named
        self.computed: dict[str, Definition] = {d.array: d for d in derived.computed.values()}
        used = {a for s in derived.steps for a in arrays_in(s.expr)}
        used |= {a for d in derived.held.values() for a in arrays_in(d.expr)}
        used |= without_conjugates(used)
        used |= self._behind(used)
        self.temporaries = self._made_up(used)
        self.computed = {**self.temporaries, **self.computed}
        self.temporaries = {**self.temporaries, **derived.held}
        used |= self._behind(used)
        order = sorted(used, key=lambda a: (self.graph.node_of(a) is None, self.graph.node_of(a) or 0, a))
        for name in order:
            self.names.array(name)
        self.names.at_hand = order
        self.letters = self._letters()
        self.left = LeftSides(vocabulary, self.letters, factor, factor_text)

    def _made_up(self, arrays: Iterable[str]) -> dict[str, Definition]:
        """What the arrays are that the program has no name for, in what it has names for."""
        found: dict[int, Definition] = {}
        waiting = list(arrays)
        while waiting:
            node = self.graph.node_of(waiting.pop())
            if node is None or node in found or node in self.named or self.graph.name(node) in self.computed:
                continue
            definition = forward_formula(self.graph, node, self.named)
            if definition is not None:
                found[node] = definition
                waiting += without_conjugates(arrays_in(definition.expr))
        return {found[node].array: found[node] for node in sorted(found)}

    def _behind(self, arrays: Iterable[str]) -> set[str]:
        """The arrays that the computed ones among ``arrays`` are computed from."""
        found: set[str] = set()
        todo = list(arrays)
        while todo:
            definition = self.computed.get(todo.pop())
            for name in without_conjugates(arrays_in(definition.expr)) if definition else ():
                if name not in found:
                    found.add(name)
                    todo.append(name)
        return found

    def _letters(self) -> Letters:
        avoid = {self.names.array(a) for a in self.names.at_hand} | {"L"}
        letters = Letters(avoid=frozenset(avoid))
        for step in self.derived.steps:
            letters = letters.extended(step.free, step.expr)
        return letters

    def write(self) -> WrittenDerivation:
        """All steps, with their inputs, and the code of the result."""
        steps: list[Step] = []
        for step in self.derived.steps:
            if step.form == "matrix":
                steps += self._matrix(step)
            else:
                steps.append(self._index(step))
        expressions = [s.expr for s in self.derived.steps] + [d.expr for d in self.computed.values()]
        reader = InputReader(self.names, expressions, self.positive, self.one_hot)
        read = frozenset[str]().union(*(names_in(step.code)[0] for step in steps))
        derivation = Derivation(reader.inputs(read), tuple(steps))
        last = steps[-1].code
        numpy = last if "\n" in last else last.removeprefix("result = ")
        return WrittenDerivation(derivation, numpy, agrees(derivation, reader.least_lengths(), reader.tied_sizes()))

    def _index(self, step: DerivationStep) -> Step:
        code = prelude(step.expr, self.computed, self.names) + open_code(step.expr, step.free, self.names, self.letters)
        left = self.left.formula(step.quantity, step.free)
        right = self._chain_rule(step) if step.rule == "chain rule" else self._over_indices(step.shown, step.free)
        return self._step(step, left, right, self.left.text(step.quantity, step.free), code)

    def _over_indices(self, expr: Expr, free: Free) -> Tree:
        return index_form(expr, free, self.letters, self.names.symbols(), self.names)

    def _matrix(self, step: DerivationStep) -> list[Step]:
        """The matrix form, after the index form of the same array."""
        alone = step.quantity.kind != "value"
        before = prelude(step.expr, self.temporaries if alone else self.computed, self.names)
        left = self.left.formula(step.quantity, ())
        try:
            right = matrix_formula(step.expr, step.free, self.names, self.names.symbols(), self.letters)
        except NoForm:
            right = self._over_indices(step.expr, step.free)
        if not alone:
            code = before + array_code(step.expr, step.free, self.names)
            return [self._step(step, left, right, self.left.text(step.quantity, step.free), code)]
        text = self.left.text(step.quantity, (), whole=True)
        entry_left, entry_right = self.left.formula(step.quantity, step.free), self._over_indices(step.expr, step.free)
        literal = before + open_code(step.expr, step.free, self.names, self.letters)
        code = array_code(step.expr, step.free, spelled_out(step.expr, self.names, self.temporaries))
        unsaid = {self.names.array(a) for a in self.temporaries}
        if names_in(code)[0] & unsaid:
            code = before + code
        return [
            self._step(step, entry_left, entry_right, text, literal, rule="every entry"),
            self._step(step, left, right, text, code),
        ]

    def _step(
        self, step: DerivationStep, left: Tree, right: Tree, left_text: str, code: str, rule: str | None = None
    ) -> Step:
        latex, text, mathml = render(equation(left, right))
        why = reason(rule or step.rule, step, self.names, self.letters)
        return Step(rule or rule_name(step), why, left_text, latex, text, mathml, code)

    def _chain_rule(self, step: DerivationStep) -> Tree:
        """Σ ∂L/∂out · ∂out/∂X, one sum for each consumer."""
        given, consumed, root = (step.arguments.get(k) for k in ("inner", "parts", "root"))
        consumed = consumed or ()
        if not given and [consumer for consumer, *_ in consumed] == [root]:
            return self._over_indices(step.shown, step.free)
        parts = [(1, self._over_indices(expr, step.free)) for expr in given or ()]
        free = self.left.at(step.free)
        for consumer, out, _ in consumed:
            if consumer == root and len(consumed) > 1:
                parts.append((1, self.left.directly_by(step.quantity.array, free)))
                continue
            at = self.left.at(out)
            symbol, by = self.names.symbol(consumer), self.names.symbol(step.quantity.array)
            jacobian = Partial(symbol, by, tuple(at), tuple(free))
            factors = [jacobian] if consumer == root else [self.left.by(consumer, at), jacobian]
            summed = [letter(self.letters[i]) for i in out if isinstance(i, Index)]
            parts.append((1, sum_over(summed, times(factors))))
        return plus(parts)
