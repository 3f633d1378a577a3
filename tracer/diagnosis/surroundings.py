"""What a program has to offer to an edit: other variables, series, slopes, the factors that gradients carry.

Comes in: an analysis and its wrong gradients.  Goes out: answers about the explained iterations, each computed once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from tracer.diagnosis.forward_pass import ForwardPass
from tracer.diagnosis.slopes import Slope, find_slopes
from tracer.diagnosis.target import Target, alike, factors_of, is_gradient
from tracer.gradients.adjoints import ELEMENTWISE
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match
from tracer.matching.gradient_names import is_backward, numbered
from tracer.matching.scale import name_scale, plain_number
from tracer.tape.node import Binding, Kind, Node, Span

#: Of more values of one shape than these, only those with a name are tried.
_MOST_VALUES = 24


class Surroundings(ForwardPass):
    """The explained iterations, as edits see them.

    Attributes:
        targets: the wrong gradients.
        right: the right ones; no edit may spoil them.
        behind: everything that the wrong ones were computed from in the backward pass, in order.
        tried: those of them at which edits are tried.
        affected: what an edit may change: all that the same iterations computed but the forward pass.
    """

    def __init__(self, analysis: Analysis, wrong: Iterable[Target], right: Iterable[Target] = ()) -> None:
        self.targets, self.right = list(wrong), list(right)
        super().__init__(analysis, {analysis.tape.nodes[t.node].window for t in self.targets})
        self.behind = self._backward_pass(self.targets)
        self.tried = self.behind
        last = max((t.node if t.update is None else t.update for t in (*self.targets, *self.right)), default=-1)
        forward = self.fixed
        self.affected = [
            n.id
            for n in analysis.tape.window_nodes()
            if n.window in self.windows
            and n.id <= last
            and n.id not in forward
            and n.id not in analysis.updates
            and n.kind not in (Kind.LEAF, Kind.LITERAL)
        ]

    def _backward_pass(self, targets: Iterable[Target]) -> list[int]:
        """What targets were computed from, with themselves, up to the forward pass and to updates."""
        analysis = self.analysis
        tape, forward = analysis.tape, self.fixed
        behind: set[int] = set()
        todo = [t.node for t in targets]
        while todo:
            node = todo.pop()
            outside = node in behind or node in analysis.updates or node in forward
            if outside or tape.nodes[node].window not in self.windows:
                continue
            behind.add(node)
            todo += tape.operands(node)
        return sorted(behind)

    @cached_property
    def fixed(self) -> frozenset[int]:
        """The forward pass, which is taken to be right.

        Where the loss was moved to the step, what a function of the backward pass computes once more is not part of it.
        """
        inferred, tape = self.analysis.inferred, self.analysis.tape
        if inferred is None or inferred.how != "moved":
            return self.analysis.matcher.forward
        return frozenset(
            n for n in self.analysis.matcher.forward if not any(is_backward(c.function) for c in tape.nodes[n].calls)
        )

    def best(self, node: int) -> Match | None:
        return self.analysis.matcher.best(node)

    @property
    def places(self) -> list[tuple[Node, tuple[int, ...]]]:
        """The nodes at which edits are tried by their place in the source: the first one, and all of them."""
        found: dict[tuple[Span, str], list[int]] = defaultdict(list)
        for node in self.tried:
            recorded = self.node(node)
            if recorded.site is not None and recorded.kind not in (Kind.LEAF, Kind.LITERAL):
                found[recorded.site.span, recorded.op].append(node)
        return [(self.node(nodes[0]), tuple(nodes)) for nodes in found.values()]

    @cached_property
    def affected_nodes(self) -> frozenset[int]:
        return frozenset(self.affected)

    @cached_property
    def target_nodes(self) -> frozenset[int]:
        return frozenset(t.node for t in self.targets)

    @cached_property
    def steps(self) -> frozenset[int]:
        """The wrong targets that are the whole change of an update."""
        return frozenset(t.node for t in self.targets if t.sign)

    @cached_property
    def gradients(self) -> frozenset[int]:
        """The nodes outside the forward pass that are recognised as a gradient."""
        return frozenset(n for n in self.affected if is_gradient(self.best(n)))

    @cached_property
    def beside_gradients(self) -> frozenset[int]:
        """The nodes that add something to a gradient which rests on none."""
        matcher, found = self.analysis.matcher, set[int]()
        for node in self.affected:
            operands = self.operands(node)
            if self.node(node).op not in ("add", "subtract") or len(operands) != 2:
                continue
            behind = [matcher.all_ancestors(k) | {k} for k in operands]
            for one, other in ((0, 1), (1, 0)):
                moves = self.analysis.replays.moves(operands[other])  # zeros that a sum starts from do not
                if moves and is_gradient(self.best(operands[one])) and self.gradients.isdisjoint(behind[other]):
                    found.add(node)
        return frozenset(found)

    @cached_property
    def held(self) -> frozenset[int]:
        """The forward values whose gradient the backward pass holds."""
        shown = (self.best(n) for n in self.gradients)
        return frozenset(m.candidate.wrt for m in shown if m is not None)

    def held_of(self, root: int) -> frozenset[int]:
        """The forward values by which the backward pass holds the gradient of one root."""
        shown = (self.best(n) for n in self.gradients)
        return frozenset(m.candidate.wrt for m in shown if m is not None and m.candidate.root == root)

    @cached_property
    def roots(self) -> tuple[int, ...]:
        """The roots of the targets, the likeliest of each first."""
        return tuple(dict.fromkeys(root for target in self.targets for root in target.roots[:2]))

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

    def wider_shape(self, node: int) -> tuple[int, ...] | None:
        """The shape that a value is broadcast to where it is used, if that is a larger one."""
        for user in self.analysis.tape.users(node):
            shape, own = self.node(user).shape, self.node(node).shape
            wider = shape is not None and own is not None and np.prod(shape) > np.prod(own)
            if wider and user in self.affected and self.node(user).op in ELEMENTWISE:
                return shape
        return None

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
        found: dict[Any, list[int]] = defaultdict(list)
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

    def carried(self, nodes: tuple[int, ...]) -> list[tuple[float, ...]]:
        """The factors that a value may carry: 1, and those of the gradients that it was computed from."""
        ones = (1.0,) * len(self.analysis.replays.values)
        found = [ones]
        for node in nodes[:1]:
            todo = list(self.operands(node))
            seen: set[int] = set()
            while todo and len(seen) < 12:
                operand = todo.pop()
                if operand in seen:
                    continue
                seen.add(operand)
                match = self.best(operand)
                if match is not None and is_gradient(match):
                    factors = self.factors(match)
                    if factors is not None and not any(alike(factors, f) for f in found):
                        found.append(factors)
                elif operand in self.behind:
                    todo += self.operands(operand)
            minus = tuple(-1.0 for _ in ones)
            if not any(alike(minus, f) for f in found):
                found.append(minus)
        for target in self.targets:
            if target.wanted is not None and not any(alike(target.wanted, f) for f in found):
                found.append(target.wanted)
        return found

    def factors(self, match: Match) -> tuple[float, ...] | None:
        return factors_of(
            self.analysis, self.analysis.replays.of(match.node), match.candidate.root, match.candidate.wrt
        )

    @cached_property
    def odd_factors(self) -> list[tuple[str, tuple[float, ...]]]:
        """What a value may have to be multiplied by, in words and on each replay.

        First what sets wrong gradients apart from the others; then counts, settings, two and a half.
        """
        found: list[tuple[str, tuple[float, ...]]] = []
        for target in self.targets:
            if target.wanted is None or target.factors is None:
                continue
            ratio = tuple(w / f for w, f in zip(target.wanted, target.factors, strict=True))
            if any(alike(ratio, other) for _, other in found):
                continue
            scalars = self.analysis.matcher.scalars(target.node, target.roots[0])
            named = name_scale(ratio, scalars, frozenset()) or plain_number(ratio)
            text = self._code_of(ratio, target.roots[0]) or (None if named is None else named.text)
            if text is not None:
                found.append((text, ratio))
        replays = len(self.analysis.replays.values)
        usual = [("2", (2.0,) * replays), ("1 / 2", (0.5,) * replays)]
        for root in self.roots[:1]:
            for scalar in self.analysis.matcher.scalars(self.targets[0].node, root)[:12]:
                if all(v not in (0.0, 1.0) for v in scalar.values):
                    usual.append((scalar.text, scalar.values))
                    usual.append((f"1 / {scalar.text}", tuple(1 / v for v in scalar.values)))
        return found + [(t, f) for t, f in usual if not any(alike(f, other) for _, other in found)]

    def _code_of(self, factors: tuple[float, ...], root: int) -> str | None:
        """How the forward pass writes a factor that it computes from settings, such as ``np.sqrt(d)``, or one over it."""
        analysis = self.analysis
        for node in sorted(analysis.matcher.all_ancestors(root)):
            made = analysis.tape.nodes[node]
            settled = made.shape == () and made.op in ("sqrt", "power") and node not in analysis.matcher.live
            if not settled or made.site is None or made.names or not made.site.text.isprintable():
                continue
            values = [float(v) for v in analysis.replays.of(node)]
            if all(values) and alike(factors, values):
                return made.site.text
            if all(values) and alike(factors, [1 / v for v in values]):
                return f"1 / {made.site.text}"
        return None

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
