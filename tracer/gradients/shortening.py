"""The shortest way to write an adjoint: in the reader's names, over the adjoints before it or with all of them put in.

Comes in: the formulas between a variable and a root, what the reader has a name for, and the adjoints that were
derived so far. Goes out: the rewrites that lead to the shortest form, each with its rule.  Invariant: each form says
what the one before it says; only which of them is read is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tracer.calculus import Lemma, arrays_in, canonical_key, closed_form
from tracer.calculus.definitions import positive_part_of
from tracer.calculus.terms import Definition, Entry, Expr, Factor, Mask, Term
from tracer.gradients.derived import functions_in
from tracer.gradients.graph import Graph
from tracer.gradients.inlining import inline
from tracer.gradients.stations import Cone

#: A formula of this weight, (P − 1_y)/N for one, is short enough not to look for another.
_SHORT = 6


class Shortening:
    """Finds the shortest forms, each once.

    Arguments:
        held: arrays that hold an adjoint; they are never written out.
        readable: arrays that the reader has a name for; results are folded back into them.
        adjoints: what was derived so far; more of them may be added between two questions.
    """

    def __init__(
        self,
        graph: Graph,
        cone: Cone,
        *,
        held: Collection[str],
        readable: set[str],
        lemmas: tuple[Lemma, ...],
        adjoints: Mapping[str, Definition],
    ) -> None:
        self._graph, self._cone, self._holding, self._readable, self._lemmas = graph, cone, held, readable, lemmas
        self._adjoints = adjoints
        self._found: dict[Expr, tuple[int, list[tuple[str, Expr]]]] = {}
        self._closed: dict[object, Expr] = {}

    def best(self, raw: Expr) -> tuple[int, list[tuple[str, Expr]]]:
        """How long the shortest form of an adjoint is, and the rewrites that lead to it, each with its rule."""
        if raw not in self._found:
            self._found[raw] = self._find_best(raw)
        return self._found[raw]

    def _find_best(self, raw: Expr) -> tuple[int, list[tuple[str, Expr]]]:
        """The shortest way to write an adjoint, with its cost: all inserted and folded, or over an adjoint before it.

        A softmax with cross-entropy is short only when all is put together; a product of an adjoint and a
        slope is short only as it stands.
        """
        before = arrays_in(raw) & self._adjoints.keys()
        whole = inline(raw, self._adjoints)
        ways = [[("insert", whole), *self._folded(whole)]]
        short = ways[0][-1][1]
        if before and (_weight(short) > _SHORT or not arrays_in(short) <= self._readable):
            shortest = {a: self._shortest(self._adjoints[a]) for a in before}
            partly = inline(raw, {a: d for a, d in shortest.items() if arrays_in(d.expr) & self._adjoints.keys()})
            ways += [[("insert", partly), *self._folded(partly)], self._folded(raw)]
        return min(((self._cost(way[-1][1]), way) for way in ways), key=lambda pair: pair[0])

    def _cost(self, expr: Expr) -> int:
        """How long an expression is to read, with what it takes from before."""
        held = arrays_in(expr) & self._adjoints.keys()
        return _weight(expr) + sum(self.best(self._adjoints[a].expr)[0] for a in held)

    def _shortest(self, definition: Definition) -> Definition:
        return Definition(definition.array, definition.free, self.best(definition.expr)[1][-1][1])

    def _folded(self, expr: Expr) -> list[tuple[str, Expr]]:
        """The expression in the reader's names, then with temporaries written out."""
        readable = self._readable | self._adjoints.keys()
        folded = expr
        if len(expr) > 2 or functions_in(expr) or not arrays_in(expr) <= readable:
            key = len(self._adjoints), canonical_key(expr)
            if key not in self._closed:
                self._closed[key] = closed_form(expr, dict(self._cone.stations), readable, lemmas=self._lemmas)
            folded = self._closed[key]
        folded = _readable_masks(folded, self._cone, self._readable)
        steps = [("fold", folded)]
        spelled = self._spelled_out(folded)
        if spelled is not None:
            steps.append(("spell out", spelled))
        return steps

    def _spelled_out(self, result: Expr) -> Expr | None:
        """The result with temporaries written out in what the reader knows, if it stays short."""
        hidden = {
            d.array: d
            for d in self._graph.named_definitions().values()
            if d.array not in self._readable and d.array not in self._holding
        }
        if not arrays_in(result) & set(hidden):
            return None
        spelled = inline(result, hidden)
        shorter = len(arrays_in(spelled) & set(hidden)) < len(arrays_in(result) & set(hidden))
        return spelled if shorter and len(spelled) <= max(3, len(result) + 1) else None

    def mentioned(self, result: Expr) -> dict[str, Definition]:
        """The adjoints that the result still mentions, each in its shortest form, in order."""
        found: dict[str, Definition] = {}
        for name in sorted(arrays_in(result) & self._adjoints.keys()):
            best = self._shortest(self._adjoints[name])
            found.update(self.mentioned(best.expr))
            found[name] = best
        return found


def _readable_masks(expr: Expr, cone: Cone, readable: set[str]) -> Expr:
    """[z > 0] written as [max(0, z) > 0], which is the same, where the reader has a name for the latter only."""
    for definition in cone.stations.values():
        positive = positive_part_of(definition)
        if positive is None or definition.array not in readable or positive.array in readable:
            continue
        if positive.indices == definition.free:
            expr = tuple(_with_mask(t, positive.array, definition.array) for t in expr)
    return expr


def _with_mask(term: Term, old: str, new: str) -> Term:
    def renamed(factor: Factor) -> Factor:
        if not isinstance(factor, Mask) or factor.relation != ">":
            return factor
        left, right = (
            Entry(new, side.indices) if isinstance(side, Entry) and side.array == old else side
            for side in (factor.left, factor.right)
        )
        return Mask(factor.relation, left, right) if factor.right == 0 else factor

    return Term(term.coefficient, term.bound, tuple((renamed(f), e) for f, e in term.factors))


def _weight(expr: Expr) -> int:
    """How long an expression is to read."""
    return sum(1 + len(t.factors) + 2 * len(t.bound) for t in expr)
