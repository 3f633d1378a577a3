"""Where backward passes start that no known loss explains: the values that what follows is the gradient given.

Comes in: a matcher that has run, on a program whose loss is not known.  Goes out: for each backward pass of the last
iterations the value that it starts from and the output whose gradient that value stands for, so that what the steps are
made of is, as far as it is linear in the value, the gradient of ⟨start, output⟩ by the parameters.

Invariants: a start is no other one passed on, so that a fault on the way is one; and what is right about it was
compared in numbers.  A start may be many values that one line computes, as for samples in turn.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tracer.gradients.adjoints import is_real, numeric_adjoints
from tracer.matching.linear import Shares, is_linear, shares
from tracer.matching.matcher import Matcher
from tracer.matching.updates import Update
from tracer.tape.node import Kind, Node
from tracer.tape.tape import Tape

#: How many values of one line are looked at together, and how many outputs are tried for each line.
_MOST_TOGETHER, _MOST_OUTPUTS = 40, 24
#: How many outputs that explain as much are kept.
_MOST_ALIKE = 4
#: How many seconds the search may take.
_SECONDS = 8.0
_SAME = 1e-8
#: What is linear in a value has the same share of it, by whatever it is multiplied.
_FACTORS = (-2.0, 3.0)

_Line = Hashable


class Start(Struct, frozen=True):
    """Values that a backward pass starts from, with the output that each stands for the gradient by.

    Attributes:
        factors: for each step that is explained, the factor of ∂⟨start, output⟩ in what it is made of, with the sign
            with which it is taken.
    """

    values: tuple[int, ...]
    outputs: tuple[int, ...]
    factors: dict[int, float]

    @property
    def agreeing(self) -> int:
        """How many of the steps that are explained go the same way, down or up."""
        down = sum(factor < 0 for factor in self.factors.values())
        return max(down, len(self.factors) - down)


@dataclass
class Starts:
    """Looks for the starts of a tape.

    Attributes:
        able: all that steps could be said to start from, also what is passed on.
        others: for each the further outputs that explain as much as the one that a reader thinks of first.
    """

    matcher: Matcher
    able: list[Start] = field(default_factory=list)
    others: dict[tuple[int, ...], list[Start]] = field(default_factory=dict)

    @property
    def tape(self) -> Tape:
        return self.matcher.graph.tape

    @property
    def values(self) -> list[list[Any]]:
        return self.matcher.replays.values

    @cached_property
    def updates(self) -> list[Update]:
        """The steps of the explained iterations, of parameters whose gradients are more than one number."""
        shown, nodes = self.tape.last_windows(), self.tape.nodes
        own = [u for u in self.matcher.updates.values() if nodes[u.node].window in shown]
        return [u for u in own if np.size(self.values[0][u.wrt]) > 1 and is_real(nodes[u.wrt])]

    def found(self) -> list[Start]:
        """The starts, in program order; those that explain most, none of which is passed on from another one."""
        until = time.thread_time() + _SECONDS
        able = self.able = list(self._able(until))
        chosen: list[Start] = []
        while able:
            able = [s for s in able if not any(self._stems_from(s, c) or s.values == c.values for c in chosen)]
            able = [s for s in able if not all(self._is_complete(u, chosen) for u in s.factors)]
            first = [s for s in able if not any(self._stems_from(s, o) and self._are_apart(s, o) for o in able)]
            if not first:
                break
            most = max(s.agreeing for s in first)
            best = min((s for s in first if s.agreeing == most), key=lambda s: s.values)
            best = self._merged(best, [s for s in able if s.outputs == best.outputs or self._are_compared(best, s)])
            chosen.append(best)
            able = [s for s in able if s.outputs != best.outputs or not self._is_passed_on(s, best)]
        return sorted(chosen, key=lambda s: s.values)

    def alike(self, start: Start) -> list[Start]:
        """A start, and what the same steps could be said to start from just as well: later, or by another output."""
        same = [s for s in self.able if s.factors.keys() == start.factors.keys() and s != start]
        found = [start, *(s for s in same if self._give_the_same(start, s))]
        return [*found, *(o for s in found for o in self.others[s.values])]

    def passed_on(self, start: Start) -> Start:
        """The last of what a start is multiplied by numbers to: ``(p - 1) / n``, and not ``p - 1``."""
        same = (s for s in self.alike(start) if s.outputs == start.outputs and len(s.values) == len(start.values))
        return max(same, key=lambda s: s.values)

    def homogeneous(self, values: tuple[int, ...]) -> frozenset[int]:
        """What is made of some values and of nothing else that is added, and the steps that are made of such."""
        reached = self._shares(values)
        whole = {n for n, part in reached.items() if is_linear(self.values[0][n], [part])}
        for update in self.matcher.updates.values():
            shape = _shape(self.tape.nodes[update.wrt])
            if any(k in whole and _shape(self.tape.nodes[k]) == shape for k in self.matcher.all_ancestors(update.change)):
                whole.add(update.node)
        return frozenset(whole)

    def _merged(self, start: Start, same: list[Start]) -> Start:
        """Of the starts for one output that explain as much the first that nothing is added to afterwards."""
        same = [s for s in same if s.factors.keys() >= start.factors.keys()]
        while True:
            more = [s for s in same if self._is_passed_on(start, s) and not self._give_the_same(start, s)]
            if not more:
                return start
            start = min(more, key=lambda s: s.values)

    def _give_the_same(self, one: Start, other: Start) -> bool:
        """Whether all that the steps have from one start they have from another one."""
        mine, its = self._shares(one.values), self._shares(other.values)
        changes = [self.matcher.updates[u].change for u in one.factors]
        return all(c in mine and c in its and np.allclose(mine[c], its[c], rtol=_SAME, atol=0) for c in changes)

    def _are_apart(self, one: Start, other: Start) -> bool:
        """Whether two starts are for different outputs, whichever of those that explain as much are meant."""
        return self._outputs_of(one).isdisjoint(self._outputs_of(other))

    def _are_compared(self, start: Start, error: Start) -> bool:
        """Whether each value of a start is only what an output is compared with, in the values of another start."""
        same = self.matcher.graph.representative
        of_each = list(zip(start.values, error.values, error.outputs, strict=False))
        return len(start.values) == len(error.values) and all(
            self.tape.nodes[e].op == "subtract" and {same(k) for k in self.tape.operands(e)} == {same(v), same(o)}
            for v, e, o in of_each
        )

    def _outputs_of(self, start: Start) -> frozenset[tuple[int, ...]]:
        """The outputs for which a start explains as much."""
        return frozenset((start.outputs, *(o.outputs for o in self.others.get(start.values, ()))))

    def _stems_from(self, start: Start, other: Start) -> bool:
        """Whether a start is another one passed on, whose output rests on all that this one explains.

        Else it is what the other is multiplied by, as an advantage, which is an error of its own, weights a policy.
        """
        if not self._is_passed_on(other, start) or other.factors.keys() < start.factors.keys():
            return False
        same = self.matcher.graph.representative
        behind = {same(n) for o in other.outputs for n in self.matcher.all_ancestors(o)}
        return all(same(self.matcher.updates[u].wrt) in behind for u in start.factors)

    def _is_complete(self, step: int, chosen: list[Start]) -> bool:
        """Whether a step is made of some starts whole: what these are multiplied by on the way is no further one."""
        if not chosen:
            return False
        reached = self._shares(tuple(sorted(v for s in chosen for v in s.values)))
        inside = self._within(self.matcher.updates[step], reached)
        return any(is_linear(self.values[0][k], [reached[k]]) for k in inside)

    def _is_passed_on(self, start: Start, other: Start) -> bool:
        """Whether one start is made from another one."""
        reached = self._shares(start.values)
        return any(v in reached and bool(np.any(reached[v])) for v in other.values)

    def _able(self, until: float) -> Iterator[Start]:
        """All values with the output for which they explain most steps."""
        lines: dict[_Line, list[int]] = defaultdict(list)
        for node in sorted(self._behind_steps):
            if self._may_start(self.tape.nodes[node]):
                lines[_line_of(self.tape.nodes[node])].append(node)
        for values in lines.values():
            if time.thread_time() > until:
                return
            first = self._independent(values)
            if len(first) <= _MOST_TOGETHER and any(u.change in self._shares(first) for u in self.updates):
                tried = [Start(first, o, self._explained(first, o)) for o in self._outputs(first)]
                most = max((s.agreeing for s in tried), default=0)
                likely = sorted((s for s in tried if s.agreeing == most > 0), key=self._is_likely, reverse=True)
                likely = [s for s in likely if self._holds(s)]
                if likely:
                    self.others[first] = likely[1:_MOST_ALIKE]
                    yield likely[0]

    def _holds(self, start: Start) -> bool:
        """Whether a start explains on every replay what it explains on the first."""
        others = (self._explained(start.values, start.outputs, r) for r in range(1, len(self.values)))
        return all(start.factors.keys() <= found.keys() for found in others)

    def _is_likely(self, start: Start) -> tuple[Any, ...]:
        """Of outputs for which as much is explained a reader thinks of one with a name, and of the last.

        A number is a multiple of any other one, so that of numbers the first tells most.
        """
        last = self.tape.nodes[start.outputs[0]]
        single = not _shape(last)
        place = [-o if single else o for o in start.outputs]
        return start.agreeing, not single and bool(last.names), place

    @cached_property
    def _behind_steps(self) -> frozenset[int]:
        return frozenset().union(*(self.matcher.all_ancestors(u.change) for u in self.updates))

    @property
    def trained(self) -> frozenset[int]:
        return self.matcher.moving

    def _may_start(self, node: Node) -> bool:
        if not is_real(node) or node.window not in self.tape.last_windows() or node.id in self.matcher.updates:
            return False
        if node.id in self.matcher.variables.parameters or node.kind is Kind.LITERAL or node.site is None:
            return False
        return bool(node.shape) or node.kind is not Kind.LEAF

    def _independent(self, values: list[int]) -> tuple[int, ...]:
        """The values of one line that are not made from others of it."""
        first: list[int] = []
        for value in values:
            if not first or self.matcher.all_ancestors(value).isdisjoint(first):
                first.append(value)
        return tuple(first)

    def _outputs(self, values: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """What the forward pass computed before, in the same shape, the last first; one for each value."""
        lines: dict[_Line, list[int]] = defaultdict(list)
        behind = [self.matcher.all_ancestors(v) for v in values]
        computed = not behind[0].isdisjoint(self.trained)
        shape = _shape(self.tape.nodes[values[0]])
        able = sorted(frozenset().union(*behind)) if computed else range(values[-1])
        for node in able:
            if self._is_an_output(node, shape) and node not in values:
                lines[_line_of(self.tape.nodes[node])].append(node)
        for outputs in list(reversed(lines.values()))[:_MOST_OUTPUTS]:
            if computed:
                found = [max((o for o in outputs if o in b), default=None) for b in behind]
                if None not in found and len(set(found)) == len(values):
                    yield tuple(o for o in found if o is not None)
            elif len(outputs) == len(values) and all(o < v for o, v in zip(outputs, values, strict=True)):
                yield tuple(outputs)

    def _is_an_output(self, node: int, shape: tuple[int, ...]) -> bool:
        recorded = self.tape.nodes[node]
        if recorded.op == "negative" and not recorded.names:
            return False  # a reader differentiates by z, not by −z
        computed = node in self.trained and node in self.matcher.live and node not in self.matcher.variables.parameters
        shown = recorded.window in self.tape.last_windows() and recorded.kind not in (Kind.LEAF, Kind.LITERAL)
        return computed and shown and is_real(recorded) and _shape(recorded) == shape and recorded.site is not None

    def _explained(self, values: tuple[int, ...], outputs: tuple[int, ...], replay: int = 0) -> dict[int, float]:
        """The steps that are made of the gradient of ⟨values, outputs⟩, as far as they are made of the values."""
        adjoints = self._adjoints(values, outputs, replay)
        reached = self._shares(values, replay)
        found: dict[int, float] = {}
        left_out, certain = False, False
        pairs = [(self.values[replay][v], np.shape(self.values[replay][o])) for v, o in zip(values, outputs, strict=True)]
        total = np.asarray(sum(np.sum(np.reshape(value, shape), axis=0) if shape else value for value, shape in pairs))
        for update in self.updates:
            wanted = adjoints.get(self.matcher.graph.representative(update.wrt))
            if wanted is None:
                continue
            left_out |= update.change not in reached
            for node in self._within(update, reached):
                factor = _factor(reached[node], wanted) if node > max(outputs) else None
                if factor is not None:
                    found[update.node] = factor * update.sign
                    certain |= _factor(wanted, total) is None
                    break
        # A bias alone says nothing where other steps lack what goes into its output, as that of what was sampled.
        return found if certain or not left_out else {}

    def _within(self, update: Update, reached: Shares) -> list[int]:
        """What a step is made of in the shape of its parameter and is linear in a value as a whole, the last first."""
        if update.node not in self._inside:
            self._inside[update.node] = self.matcher.all_ancestors(update.change)
        inside, tape = self._inside[update.node], self.tape
        shape = _shape(tape.nodes[update.wrt])
        ends = [
            k
            for k in inside
            if k in reached
            and _shape(tape.nodes[k]) == shape
            and (k == update.change or any(u in inside and u not in reached for u in tape.users(k)))
        ]
        return sorted(ends, reverse=True)

    @cached_property
    def _inside(self) -> dict[int, frozenset[int]]:
        return {}

    def _shares(self, values: tuple[int, ...], replay: int = 0) -> Shares:
        if (values, replay) not in self._all_shares:
            cuts = self.matcher.updates.keys()
            alike = self._computed_again(values)
            one, other = (shares(self.tape, self.values[replay], alike, cuts, f, is_real) for f in _FACTORS)
            linear = {n: part for n, part in one.items() if n in other and np.allclose(part, other[n], rtol=_SAME, atol=0)}
            self._all_shares[values, replay] = linear
        return self._all_shares[values, replay]

    def _computed_again(self, values: tuple[int, ...]) -> tuple[int, ...]:
        """Some values, and where they are computed once more."""
        return tuple(sorted(set(values).union(*map(self.equal, values))))

    def equal(self, value: int) -> list[int]:
        """The nodes that compute the same as one, with it."""
        return self._equal.get(self.matcher.graph.representative(value), []) or [value]

    @cached_property
    def _equal(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for node in self.tape.window_nodes():
            if node.id in self.trained:  # a constant that is written twice may be changed at one place
                found[self.matcher.graph.representative(node.id)].append(node.id)
        return found

    @cached_property
    def _all_shares(self) -> dict[tuple[tuple[int, ...], int], Shares]:
        return {}

    def _adjoints(self, values: tuple[int, ...], outputs: tuple[int, ...], replay: int) -> dict[int, NDArray[Any]]:
        """The gradient of ⟨values, outputs⟩ by all that the outputs were computed from; equal values together."""
        matcher, total = self.matcher, dict[int, NDArray[Any]]()
        for value, output in zip(values, outputs, strict=True):
            at = self.values[replay]
            seed = np.reshape(np.asarray(at[value], dtype=float), np.shape(at[output]))
            relevant = matcher.all_ancestors(output) & matcher.live
            with np.errstate(all="ignore"):
                swept = numeric_adjoints(
                    self.tape, matcher.rules, at, output, relevant, matcher.updates.keys(), seed
                )
            for node, part in swept.full.items():
                first = matcher.graph.representative(node)
                total[first] = total[first] + part if first in total else np.asarray(part)
        return total


def _line_of(node: Node) -> _Line:
    """What the values that one line computes in turn have in common."""
    return node.site, node.op, tuple(call.site for call in node.calls), _shape(node)


def _shape(node: Node) -> tuple[int, ...]:
    """The shape without axes of length 1: a mask is a column where its margins are a list."""
    return tuple(n for n in node.shape or () if n != 1)


def _factor(one: Any, other: NDArray[Any]) -> float | None:
    """The factor by which two arrays of more than one number differ; None if they do by something else."""
    one, other = np.asarray(one, dtype=float).ravel(), np.asarray(other, dtype=float).ravel()
    square = float(other @ other)
    if one.shape != other.shape or not 0 < square < np.inf:
        return None
    factor = float(one @ other) / square
    error = float(np.max(np.abs(one - factor * other)))
    return factor if factor != 0 and error <= _SAME * float(np.max(np.abs(one))) else None
