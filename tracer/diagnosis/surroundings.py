"""What a program has to offer to an edit: other variables, series, slopes, the factors that gradients carry.

Comes in: an analysis and its wrong gradients.  Goes out: answers about the explained iterations, each computed once.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from tracer.diagnosis.backward_pass import BackwardPass
from tracer.diagnosis.slopes import Slope, find_slopes
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.tried_factors import carried, odd_factors
from tracer.matching.gradient_names import numbered
from tracer.tape.node import Binding, Kind, Node, Span

#: Of more values of one shape than these, only those with a name are tried.
_MOST_VALUES = 24


class Surroundings(BackwardPass):
    """The explained iterations, as edits see them: what a line may read, and by what it may have to be multiplied."""

    def earlier_version(self, node: int) -> int | None:
        """What the name of a node was bound to before, in the same window."""
        names = set(self.node(node).names[:1])
        for other in range(node - 1, -1, -1):
            recorded = self.node(other)
            if recorded.window != self.node(node).window:
                return None
            if names & set(recorded.names) and recorded.shape == self.node(node).shape:
                return other
        return None

    @cached_property
    def variables(self) -> dict[str, dict[str, list[tuple[int, int]]]]:
        """For each function (``""`` for the module) its variables: when each was bound, and to which node.

        Those bound in a shown iteration, and what the others of the module held when it began.
        """
        found: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        shown = [w for at, w in enumerate(self.analysis.tape.windows) if at in self.windows]
        start = min((w.start for w in shown), default=0)
        before: dict[str, tuple[int, int]] = {}
        for binding in self.analysis.tape.bindings:
            node = self.node(binding.node)
            if node.window < 0 or node.shape is None or numbered([binding.name]) is not None:
                continue
            scope = binding.scope.rpartition(".")[2]
            if any(window.start <= binding.time <= window.stop for window in shown):
                found[scope][binding.name].append((binding.time, binding.node))
            elif not scope and binding.time < start:
                before[binding.name] = (binding.time, binding.node)
        for name, held in before.items():
            found[""][name].insert(0, held)
        return found

    def own_names(self, node: int) -> list[str]:
        """The names that a value got when it was computed, not those that it goes by since it was read from somewhere."""
        if self.node(node).kind in (Kind.LEAF, Kind.VIEW, Kind.MUTATION):
            return self.node(node).names
        return [b.name for b in self._bindings.get(node, ()) if b.time <= node + 1]

    @cached_property
    def _bindings(self) -> dict[int, list[Binding]]:
        found: dict[int, list[Binding]] = defaultdict(list)
        for binding in self.analysis.tape.bindings:
            found[binding.node].append(binding)
        return found

    def bound_before(self, bindings: list[tuple[int, int]], reader: int) -> int | None:
        """What a variable held when a node was computed."""
        earlier = [node for time, node in bindings if time <= reader and node < reader]
        return earlier[-1] if earlier else None

    @cached_property
    def read_in_turn(self) -> list[tuple[int, ...]]:
        """What repeated places of the forward pass read each time, such as ``hs[t - 1]`` with its first value."""
        found: dict[tuple[int, ...], None] = {}
        for group in self.repeated:
            for position in range(len(self.operands(group[0]))):
                read = tuple(self.operands(n)[position] for n in group if position < len(self.operands(n)))
                if len(set(read)) == len(group) and self.node(read[0]).shape:
                    found[read] = None
        return list(found)

    @cached_property
    def _usable(self) -> list[int]:
        """Values of the targets' windows that a line may well read: forward values, data, gradients that are right."""
        forward = self.analysis.matcher.forward
        found = []
        for node in self.analysis.tape.window_nodes():
            if not node.shape or node.kind is Kind.LITERAL or not self._is_near(node):
                continue
            known = node.id in forward or node.kind is Kind.LEAF or node.id in self.analysis.updates
            if known or is_gradient(self.best(node.id)) or node.names:
                found.append(node.id)
        return found

    @cached_property
    def data(self) -> list[int]:
        """Arrays with a name that were made before the iterations, and that the forward pass reads; each once."""
        read = (self.node(n) for n in sorted(self.analysis.matcher.forward))
        leaves = {n.names[-1]: n.id for n in read if n.kind is Kind.LEAF and n.shape and n.names}
        return list(leaves.values())

    def _is_near(self, node: Node) -> bool:
        return node.window in self.windows or node.kind is Kind.LEAF or node.id in self._read_versions

    @cached_property
    def _read_versions(self) -> frozenset[int]:
        """The versions of parameters that the targets' windows start with."""
        return self.analysis.matcher.versions

    def values_like(self, node: int, reader: int) -> list[int]:
        """Other values of the shape of a node that stand before its reader, each once, those with names first."""
        found = self.values_of_shape(self.node(node).shape or (), reader, self.node(node).dtype)
        same = self.analysis.graph.representative(node)
        return [n for n in found if self.analysis.graph.representative(n) != same]

    def values_of_shape(self, shape: tuple[int, ...], reader: int, dtype: str = "float64") -> list[int]:
        """Values of a shape that stand before a reader, each once, those with names first."""
        graph = self.analysis.graph
        found: dict[int, int] = {}
        for other in self._usable:
            recorded = self.node(other)
            if other >= reader or recorded.shape != shape or (recorded.dtype == "bool") != (dtype == "bool"):
                continue
            first = graph.representative(other)
            if first not in found or (recorded.names and not self.node(found[first]).names):
                found[first] = other
        ordered = sorted(found.values(), key=lambda n: (not self.node(n).names, -n))
        return ordered if len(ordered) <= _MOST_VALUES else [n for n in ordered if self.node(n).names]

    @cached_property
    def series(self) -> dict[str, dict[int, int]]:
        """What was stored by number: for ``hs[0]``, ``hs[1]``… the last node of each number."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for node in self.analysis.tape.window_nodes():
            if node.window not in self.windows:
                continue
            for name in node.names:
                stored = numbered([name])
                if stored is not None:
                    found[stored[0]][stored[1]] = node.id
        return dict(found)

    @cached_property
    def repeated(self) -> list[tuple[int, ...]]:
        """Forward values that one place in the source computed several times, in order."""
        found: dict[tuple[Span, str], list[int]] = defaultdict(list)
        for node in sorted(self.analysis.matcher.forward):
            recorded = self.node(node)
            if recorded.window in self.windows and recorded.site is not None and recorded.shape:
                found[recorded.site.span, recorded.op].append(node)
        return [tuple(nodes) for nodes in found.values() if len(nodes) > 1]

    def slopes(self, shape: tuple[int, ...]) -> list[tuple[Slope, ...]]:
        """The local derivatives of elementwise steps of the forward pass, of one shape; repeated ones together."""
        return self._slopes.get(shape, [])

    @cached_property
    def _slopes(self) -> dict[tuple[int, ...], list[tuple[Slope, ...]]]:
        return find_slopes(self.analysis, self.windows)

    def scalars_before(self, reader: int) -> list[int]:
        """Named numbers that a line may read, each once."""
        found: dict[str, int] = {}
        for node in self.analysis.tape.window_nodes():
            if node.id >= reader:
                break
            near = node.window in self.windows or node.kind is Kind.LEAF
            if (
                near
                and node.kind is not Kind.LITERAL
                and node.shape == ()
                and node.names
                and node.dtype != "bool"
            ):
                found[node.names[-1]] = node.id
        return list(dict.fromkeys(found.values()))

    def carried(self, nodes: tuple[int, ...]) -> list[tuple[float, ...]]:
        """The factors that a value may carry: 1, and those of the gradients that it was computed from."""
        return carried(self, nodes)

    @cached_property
    def odd_factors(self) -> list[tuple[str, tuple[float, ...]]]:
        """What a value may have to be multiplied by, in words and on each replay."""
        return odd_factors(self)
