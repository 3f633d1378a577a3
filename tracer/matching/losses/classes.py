"""Losses of scores that are only compared with a bound: of perceptrons, and of margins that an ``if`` looks at.

A perceptron's class is a step function of its score z, which has no slope; its rule ``w += rate * (t - out) * x`` goes
down the perceptron loss, (out − t) z, in which the class is held constant (F. Rosenblatt, 1958; C. Bishop, *Pattern
Recognition and Machine Learning*, 4.1.7).  ``if y * z < 1: w += rate * y * x`` goes down a hinge loss on the side where it
is not 0.  Comes in: a matcher that has run.  Goes out: the tape with such a loss.  Invariant: that the score is compared,
and that the class is what the comparison says, was looked up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import is_real
from tracer.matching.losses.written import INFERRED, Inferred, TapeWriter, held
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape

_COMPARISONS = ("greater", "greater_equal", "less", "less_equal")
_STEPS = ("sign", "heaviside")


class _Score(Struct, frozen=True):
    """A score, the bound that it is compared with (None for 0), and the comparison or step."""

    value: int
    bound: int | None
    step: int


class _Term(Struct, frozen=True):
    """A product of a weight that is held constant and a score, added to a loss or taken from it.

    Attributes:
        weight: every node that computes the weight.
    """

    weight: tuple[int, ...]
    score: _Score
    sign: int


def losses_of_classes(matcher: Matcher) -> Iterator[Inferred]:
    """The tape with the perceptron loss of all samples of an iteration, and with that of the margins that are too small."""
    found = _Compared(matcher)
    for terms, says in (
        (found.errors(), "the perceptron loss, the sum of (class - target) times the score, the class held constant"),
        (found.margins(), "a hinge loss on the side where it is not 0, the sum of -label times the score"),
    ):
        if terms:
            yield _written(matcher.graph.tape, terms, says)


@dataclass
class _Compared:
    """What a program compares its scores for."""

    matcher: Matcher

    @property
    def tape(self) -> Tape:
        return self.matcher.graph.tape

    @property
    def trained(self) -> frozenset[int]:
        return self.matcher.moving

    def errors(self) -> dict[int, list[_Term]]:
        """By iteration, the differences of a class and its target that steps are made of."""
        found: dict[int, list[_Term]] = defaultdict(list)
        for node in self.tape.window_nodes():
            sides = self.tape.operands(node.id) if node.op == "subtract" and node.id in self.matcher.behind_steps else ()
            if len(sides) != 2:
                continue
            for (told, target), sign in ((sides, 1), (sides[::-1], -1)):
                score = self._score_of(told, node) if self._is_given(target) else None
                if score is not None:
                    found[node.window].append(_Term(self._equal(node.id), score, sign))
                    break
        return found

    def margins(self) -> dict[int, list[_Term]]:
        """By iteration, the labels of ±1 of scores that were found on the wrong side, or too near to the bound."""
        found: dict[int, list[_Term]] = defaultdict(list)
        for node in self.tape.window_nodes():
            sides = self.tape.operands(node.id)
            if len(sides) != 2 or node.op not in (*_COMPARISONS, "equal", "not_equal"):
                continue
            for one, other in (sides, sides[::-1]):
                term = self._of_margin(one, other, node) or self._of_mistake(one, other, node)
                if term is not None and not self.matcher.behind_steps.isdisjoint(term.weight):
                    found[node.window].append(term)
                    break
        return found

    def _of_margin(self, margin: int, bound: int, compared: Node) -> _Term | None:
        """A label times a score that is below a bound."""
        product = self.tape.nodes[margin]
        sides = self.tape.operands(margin) if product.op == "multiply" and compared.op in _COMPARISONS else ()
        if len(sides) != 2 or self._rests_on_parameters(bound) or not self._is_score(margin):
            return None
        small = np.all(np.asarray(product.value) <= np.asarray(self.tape.nodes[bound].value))
        for label, score in (sides, sides[::-1]):
            if small and self._is_label(label) and self._is_score(score):
                return _Term(self._equal(label), _Score(score, None, compared.id), -1)
        return None

    def _of_mistake(self, told: int, label: int, compared: Node) -> _Term | None:
        """A label of a score whose class is another one."""
        if compared.op not in ("equal", "not_equal") or not self._is_label(label):
            return None
        score = self._score_of(told, compared)
        wrong = self.tape.nodes[told].value != self.tape.nodes[label].value
        return _Term(self._equal(label), score, -1) if score is not None and np.all(wrong) else None

    def _rests_on_parameters(self, node: int) -> bool:
        return node in self.trained or not self.trained.isdisjoint(self.matcher.all_ancestors(node))

    def _score_of(self, told: int, reader: Node) -> _Score | None:
        """The score that a value is the class of; None if it is no class."""
        node = self.tape.nodes[told]
        if self._rests_on_parameters(told):
            smooth = told in self.matcher.live and node.op not in _STEPS
            found = None if smooth else self._compared_behind(told)
        elif node.shape == () and node.kind is Kind.LITERAL:
            found = self._compared_before(reader)
        else:
            found = None
        return found if found is not None and self._is_class(node, found) else None

    def _compared_behind(self, told: int) -> _Score | None:
        """The one comparison, or step, that a class was computed from."""
        found, todo, seen = list[_Score](), [told], {told}
        while todo:
            node = self.tape.nodes[todo.pop()]
            score = self._at(node)
            if score is not None:
                found.append(score)
                continue
            below = [k for k in self.tape.operands(node.id) if self._rests_on_parameters(k) and k not in seen]
            if any(k in self.matcher.live for k in below):
                return None  # it depends on parameters in another way
            seen.update(below)
            todo += below
        return found[0] if len({s.value for s in found}) == 1 else None

    def _compared_before(self, reader: Node) -> _Score | None:
        """The last comparison before a number was chosen by an ``if``."""
        nodes = (n for n in reversed(self.tape.nodes[: reader.id]) if n.window == reader.window)
        return next((score for n in nodes if (score := self._at(n)) is not None), None)

    def _at(self, node: Node) -> _Score | None:
        """The score that a node compares with a bound, or takes the sign of."""
        sides = self.tape.operands(node.id)
        if node.op in _STEPS and self._is_score(sides[0]):
            return _Score(sides[0], None, node.id)
        if node.op not in _COMPARISONS or len(sides) != 2 or not self._is_score(sides[0]):
            return None
        bound = self.tape.nodes[sides[1]]
        zero = bound.kind is Kind.LITERAL and bound.value == 0
        return _Score(sides[0], None if zero else sides[1], node.id)

    def _is_class(self, told: Node, score: _Score) -> bool:
        """Whether a value is 1 where the score is over its bound, and 0 or −1 where it is below."""
        nodes = self.tape.nodes
        value = np.asarray(nodes[score.value].value, dtype=float)
        over = value - (0.0 if score.bound is None else np.asarray(nodes[score.bound].value, dtype=float))
        classes = np.asarray(told.value, dtype=float)
        if np.size(classes) != np.size(over):
            return False
        classes, over = classes.ravel(), over.ravel()
        low = classes[over < 0]
        return bool(np.all(classes[over > 0] == 1) and (np.all(low == 0) or np.all(low == -1)))

    def _equal(self, node: int) -> tuple[int, ...]:
        """All nodes that compute the same as one."""
        same = self.matcher.graph.representative
        return tuple(n.id for n in self.tape.window_nodes() if same(n.id) == same(node))

    def _is_given(self, target: int) -> bool:
        node = self.tape.nodes[target]
        number = node.dtype.startswith(("float", "int", "uint", "bool"))
        return not self._rests_on_parameters(target) and number and (node.kind is not Kind.LITERAL or bool(node.names))

    def _is_label(self, node: int) -> bool:
        given = self._is_given(node) and self.tape.nodes[node].value is not None
        return given and bool(np.all(np.abs(np.asarray(self.tape.nodes[node].value, dtype=float)) == 1))

    def _is_score(self, node: int) -> bool:
        recorded = self.tape.nodes[node]
        return node in self.trained and node in self.matcher.live and is_real(recorded) and recorded.kind is not Kind.LEAF


def _written(tape: Tape, terms: dict[int, list[_Term]], says: str) -> Inferred:
    nodes = list(tape.nodes)
    for term in (t for of_window in terms.values() for t in of_window):  # drawn anew, also where it is 0
        held(nodes, term.weight, Kind.RANDOM)
    losses: dict[int, int] = {}
    for of_window in terms.values():
        writer = TapeWriter(Tape(nodes), nodes[of_window[0].score.step])
        whole: Ref | None = None
        for term in of_window:
            added = _product(writer, term)
            whole = added if whole is None else writer.add("add", whole, added)
        assert whole is not None
        writer.nodes[whole.node].names.append(INFERRED)
        losses[whole.node] = of_window[0].weight[0]
        nodes = writer.nodes
    return Inferred(tape.with_nodes(nodes), losses, says, minimised=True)


def _product(writer: TapeWriter, term: _Term) -> Ref:
    score = Ref(term.score.value)
    if term.score.bound is not None:
        score = writer.add("subtract", score, Ref(term.score.bound))
    product = writer.add("multiply", Ref(term.weight[0]), score)
    if writer.nodes[product.node].shape != ():
        product = writer.add("sum", product, axis=None, keepdims=False)
    return product if term.sign > 0 else writer.add("negative", product)
