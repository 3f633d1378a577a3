"""The adjoints that a program holds when it computes a gradient, and the derivation that starts from them.

Comes in: a match.  Goes out: its derivation over what the program has in variables by then, and the vocabulary
in which such a variable is shown as the derivative that it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tracer.calculus.printing import Letters
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.formula import Tree, index_form
from tracer.gradients.continued import at_entry, fitted, rescaled
from tracer.gradients.derivation import derive
from tracer.gradients.derived import Derived, Known
from tracer.gradients.named_sizes import scale_expr
from tracer.gradients.own_words import in_own_words
from tracer.gradients.stations import Cone, find_cone, only_through
from tracer.matching.candidates import Match, Sort
from tracer.matching.proof import entry_indices

#: Over how many arrays a gradient is derived of which the program holds nothing on the way.
_LONGEST_CHAIN = 12


@dataclass
class HeldAdjoints:
    """Finds what a derivation may start from."""

    reading: Reading
    _cones: dict[tuple[int, int, frozenset[int]], Cone] = field(default_factory=dict)

    def known(self, match: Match) -> dict[str, Known]:
        """The adjoints that a derivation may start from: those in variables, or else those within expressions too."""
        named = self._held_adjoints(match, True)
        if self._reaches_known(match, named):
            return named
        every = self._held_adjoints(match, False)
        return every if self._reaches_known(match, every) else named

    def _reaches_known(self, match: Match, known: dict[str, Known]) -> bool:
        """Whether every path from the variable to the root passes through a known adjoint."""
        cone = self._cone(match, known.keys())
        todo, seen = [cone.wrt], {cone.wrt}
        while todo:
            consumers = cone.consumers.get(todo.pop(), ())
            further = {c for c in consumers if c not in known} - seen
            if not consumers or cone.root in further:
                return False
            seen |= further
            todo += further
        return True

    def _cone(self, match: Match, known: Iterable[str]) -> Cone:
        """The forward pass between the variable and the root, at the width of named values."""
        graph, candidate = self.reading.analysis.graph, match.candidate
        stations = {graph.representative(n) for a in known if (n := graph.node_of(a)) is not None}
        picked = self.reading.analysis.matcher.picked(candidate.root, candidate.wrt)
        wrt = candidate.wrt if picked is None else picked.whole
        key = (candidate.root, wrt, frozenset(stations - self.reading.named))
        if key not in self._cones:
            named = frozenset(self.reading.named | stations)
            self._cones[key] = find_cone(graph, candidate.root, wrt, self.reading.analysis.updates.keys(), named)
        return self._cones[key]

    def _held_adjoints(self, match: Match, only_named: bool) -> dict[str, Known]:
        """The adjoints of the same root that the program has computed when it computes the node."""
        graph, root = self.reading.analysis.graph, match.candidate.root
        behind = self.reading.everything_behind(match.node)
        forward = self.reading.analysis.matcher.adjoints[root][0].full
        known: dict[str, tuple[tuple[Any, ...], Known]] = {}
        wanted = graph.representative(match.candidate.wrt)
        for node in sorted(behind, reverse=True):
            if node == match.node or (only_named and not self.reading.node(node).names):
                continue
            first = True
            for other in self.reading.analysis.matcher.matches.get(node, ()):
                candidate = other.candidate
                if candidate.sort is not Sort.FULL or candidate.root != root or other.scale.rank > 3:
                    continue
                by = graph.representative(candidate.wrt)
                further, first = not first, False
                if (
                    by == wanted
                    or candidate.wrt not in forward
                    or self.reading.analysis.matcher.picked(root, candidate.wrt) is not None
                    or (further and not self.reading.node(by).names)
                ):
                    continue
                array = graph.name(candidate.wrt)
                scale = scale_expr(graph, other.scale.scale.coefficient, other.scale.scale.symbols)
                order = (other.scale.rank, candidate.transposed, not self.reading.node(node).names, -node)
                if array not in known or order < known[array][0]:
                    known[array] = (order, Known(graph.name(node), scale, candidate.transposed, candidate.conjugate))
        return {array: found for array, (_, found) in known.items()}

    def _partial(self, match: Match) -> tuple[str, Known] | None:
        """The gradient of an inner root by the same variable that the line adds something to."""
        graph, root = self.reading.analysis.graph, match.candidate.root
        inside = self.reading.analysis.matcher.adjoints[root][0].full
        if self.reading.analysis.matcher.picked(root, match.candidate.wrt) is not None:
            return None
        # ½ μ² has the derivative μ, which stays the value that it is.
        behind = self.reading.everything_behind(match.node) - {match.node} - self.reading.analysis.matcher.forward
        for node in sorted(behind, key=lambda n: (not self.reading.node(n).names, -n)):
            for other in self.reading.analysis.matcher.matches.get(node, ()):
                candidate = other.candidate
                same = (
                    candidate.sort is Sort.FULL
                    and candidate.wrt == match.candidate.wrt
                    and not candidate.transposed
                )
                if same and candidate.root != root and candidate.root in inside and other.scale.rank == 0:
                    scale = scale_expr(graph, other.scale.scale.coefficient, ())
                    return graph.name(candidate.root), Known(graph.name(node), scale, conjugate=candidate.conjugate)
        return None

    def derive(self, match: Match) -> Derived | None:
        analysis, graph = self.reading.analysis, self.reading.analysis.graph
        candidate = match.candidate
        known = self.known(match)
        partial = self._partial(match)
        scale = scale_expr(graph, match.scale.scale.coefficient, match.scale.scale.symbols)
        held = None if self.reading.node(match.node).names else self._held(match)
        try:
            if held is not None:
                derived = rescaled(graph, graph.name(candidate.wrt), held, scale)
                return fitted(graph, derived, graph.name(match.node), candidate.transposed, candidate.conjugate)
            cone = self._cone(match, [*known, *(partial[:1] if partial is not None else ())])
            if not known and partial is None and len(cone.consumers) > _LONGEST_CHAIN:
                return None  # through many steps of time or layers, of which nothing is known: no one would read that
            through = ""
            if candidate.sort is Sort.PATH:
                cone, through = only_through(graph, cone, candidate.via if candidate.via is not None else -1)
                partial = None
            readable = self.reading.readable | {k.array for k in known.values()}
            picked = analysis.matcher.picked(candidate.root, candidate.wrt)
            factor = scale if picked is None else scale_expr(graph, Fraction(1), ())
            derived = derive(graph, cone, known, factor, readable, partial, analysis.prover.lemmas, through)
            if picked is not None:
                array, entry = graph.name(picked.whole), graph.name(candidate.wrt)
                indices = entry_indices(graph.definitions[graph.representative(candidate.wrt)], array)
                derived = at_entry(derived, entry, array, indices, scale)
            derived = fitted(graph, derived, graph.name(match.node), candidate.transposed, candidate.conjugate)
            plain = not candidate.transposed and not candidate.conjugate
            if candidate.sort is not Sort.FULL or not plain or partial is not None:
                return derived
            gradients = self._gradients_behind(match)
            return in_own_words(graph, derived, match.node, readable, gradients, analysis.prover.lemmas)
        except (KeyError, ValueError, RecursionError):  # an array that was written entry by entry has a long chain
            return None

    def _gradients_behind(self, match: Match) -> set[str]:
        """What holds gradients among the values that a line is made from, and the line itself."""
        matcher = self.reading.analysis.matcher
        behind = self.reading.everything_behind(match.node) | {match.node}
        found = {n for n in behind - matcher.forward if (best := matcher.best(n)) and best.candidate.sort is Sort.FULL}
        return {self.reading.analysis.graph.name(n) for n in found}

    def _held(self, match: Match) -> Known | None:
        """A variable that holds the same gradient already, when the node is a multiple of it or its transpose."""
        graph = self.reading.analysis.graph
        for node in sorted(self.reading.everything_behind(match.node) - {match.node}, reverse=True):
            for other in self.reading.analysis.matcher.matches.get(node, ()):
                candidate = other.candidate
                same = candidate.sort is Sort.FULL and candidate.root == match.candidate.root
                if (
                    same
                    and candidate.wrt == match.candidate.wrt
                    and self.reading.node(node).names
                    and other.scale.rank <= 3
                ):
                    scale = scale_expr(graph, other.scale.scale.coefficient, other.scale.scale.symbols)
                    return Known(graph.name(node), scale, candidate.transposed, candidate.conjugate)
        return None

    def vocabulary(self, match: Match) -> Vocabulary:
        graph, root = self.reading.analysis.graph, match.candidate.root
        if match.candidate.sort in (Sort.LOCAL, Sort.VALUE):
            return Vocabulary(graph, self.reading.named_as(root)[0])
        names = Vocabulary(graph, self.reading.root_name(root))
        names.root_array = graph.name(root)
        if match.candidate.wrt in self.reading.analysis.matcher.entries:
            names.sources[graph.name(match.candidate.wrt)] = self.reading.named_as(match.candidate.wrt)[0]
        if not self.reading.node(match.node).names and self._held(match) is not None:
            return names
        for array, known in self.known(match).items():
            node = graph.node_of(known.array)
            forward = (
                node in self.reading.analysis.matcher.forward
            )  # y − out is the error before it is a gradient
            itself = known.array == array  # ½ r² has the derivative r
            plain = scale_expr(graph, Fraction(1), ()) == known.factor and not known.transposed and not known.conjugate
            if plain and not forward and not itself:
                names.partials[known.array] = (graph.name(root), array)
        partial = self._partial(match)
        if partial is not None:
            names.partials[partial[1].array] = (partial[0], graph.name(match.candidate.wrt))
        return names

    def factor(self, match: Match) -> Tree:
        scale = scale_expr(self.reading.analysis.graph,
            match.scale.scale.coefficient, match.scale.scale.symbols
        )
        names = Vocabulary(self.reading.analysis.graph)
        return index_form(scale, (), Letters.of(()), names.symbols(), names)
