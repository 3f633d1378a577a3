"""What each node of a tape is: the gradients of the likely losses are swept, and every node is looked up among them.

Comes in: the formulas of a tape, its updates and replays.  Goes out: for each node that was recognised its possible
identities, best first.  Invariant: a match holds in numbers, on every replay; whether it holds always is for
`tracer.matching.proof`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tracer.gradients.adjoints import (
    Adjoints,
    ancestors,
    is_continuous,
    local_derivatives,
    numeric_adjoints,
    sensitive,
)
from tracer.gradients.graph import Graph
from tracer.gradients.rules import NumericRules
from tracer.matching.candidate_index import CandidateIndex
from tracer.matching.candidates import Candidate, Hit, Match, Sort
from tracer.matching.entries import Entry, Versions
from tracer.matching.entry_gradients import EntryGradients
from tracer.matching.factors import Factors, NodeFactors
from tracer.matching.fingerprint import fingerprint
from tracer.matching.losses.errors import trained_nodes
from tracer.matching.losses.roots import Root, find_roots
from tracer.matching.ranking import Ranking
from tracer.matching.replays import Replays
from tracer.matching.row_gradients import by_rows
from tracer.matching.scale import NamedScale, Scalar, plain_number
from tracer.matching.updates import Update
from tracer.matching.variables import Variables
from tracer.tape.node import Kind

#: Further roots are tried for what is left, but no more than these, the last ones.
_MOST_FURTHER_ROOTS = 8


#: In a program with more single numbers than these, their slopes are not looked for.
_MOST_NUMBERS = 60
#: So many of the numbers that a single change is made of are looked up.
_MOST_TERMS = 8
_TERMS = ("add", "subtract", "multiply", "divide", "negative")


@dataclass
class Matcher:
    """Finds what the nodes of a tape are.

    Attributes:
        matches: for each node that was recognised, its possible identities, best first.
        adjoints: for each root, its adjoints on every replay; nodes that are one value computed again share their sum.
        forward: the nodes that some root is computed from.
        inferred: losses that the program does not compute → the error that each was inferred from, or the last of
            what it starts from.
        fitted: whether such a loss was written to fit the backward pass; its own operations are no variables then.
        reach: roots that only some values can be gradients of → those values.
        unnamed: those of ``inferred`` that the program computes and does not call a loss.
        zeros: what was recognised only by being 0, as the gradient is: any factor would do.
        unmoved: scalars that were the same on every replay, so that there is no gradient of them to recognise.
        penalties: for roots that were asked for, the terms that rest on parameters and settings alone.
        factors: what may be the factor of a value over a gradient; known once the likely roots are.
    """

    graph: Graph
    updates: Mapping[int, Update]
    replays: Replays
    rules: NumericRules
    wanted_loss: str | None = None
    inferred: Mapping[int, int] = field(default_factory=dict)
    fitted: bool = False
    reach: Mapping[int, frozenset[int]] = field(default_factory=dict)
    unnamed: frozenset[int] = frozenset()
    matches: dict[int, list[Match]] = field(default_factory=dict)
    adjoints: dict[int, list[Adjoints]] = field(default_factory=dict)
    forward: frozenset[int] = frozenset()
    roots: list[Root] = field(default_factory=list)
    unmoved: list[Root] = field(default_factory=list)
    penalties: dict[int, tuple[int, ...]] = field(default_factory=dict)
    zeros: set[int] = field(default_factory=set)
    index: CandidateIndex = field(default_factory=CandidateIndex)
    factors: Factors = field(init=False)
    _steps: Mapping[int, frozenset[int]] = field(init=False)

    def run(self) -> None:
        """Derive the gradients of the likely roots, look every node up; further roots only for what is left."""
        tape = self.graph.tape
        first, rest = find_roots(tape, self.updates, self.live, self.wanted_loss)
        if self.inferred:
            first, rest = tuple(Root(node, node not in self.unnamed) for node in self.inferred), ()
        with np.errstate(all="ignore"):
            for root in first:
                self._add_root(root)
            self._add_forward()
            self._steps = self.by_entries.made_of(self.forward)
            self.factors = Factors(
                self.graph,
                self.replays,
                cuts=self.updates.keys(),
                live=self.live,
                roots=[r.node for r in self.roots],
                compound=self._steps.keys(),
                parameters=frozenset(u.before for u in self.updates.values()),
            )
            self._look_up(range(len(tape.nodes)))
            known = self.forward | self.matches.keys() | self.updates.keys() | {r.node for r in self.roots}
            unknown = [n.id for n in tape.window_nodes() if n.id not in known and n.names and self.is_askable(n.id)]
            if unknown and rest:
                for root in rest[-_MOST_FURTHER_ROOTS:]:
                    self._add_root(root)
                self._look_up(unknown)

    # What there is to ask of a recording.

    @cached_property
    def live(self) -> frozenset[int]:
        """The nodes that depend smoothly on a leaf."""
        return sensitive(self.graph.tape, self.updates.keys())

    @cached_property
    def variables(self) -> Variables:
        """Parameters, data, and what each value rests on."""
        return Variables(self.graph.tape, self.updates)

    @cached_property
    def by_entries(self) -> EntryGradients:
        """The arrays that are updated entry by entry."""
        return EntryGradients(self.graph.tape, self.updates)

    @property
    def reading(self) -> Versions:
        """Which nodes read which entries of arrays that are written entry by entry."""
        return self.by_entries.reading

    @property
    def entries(self) -> Mapping[int, Entry]:
        """The entries of arrays that are updated entry by entry, by the first node that reads each in an iteration."""
        return self.by_entries.entries

    @property
    def versions(self) -> frozenset[int]:
        """All versions of all parameters, and the arrays that some of them are views of."""
        return self.variables.versions

    @cached_property
    def behind_steps(self) -> frozenset[int]:
        """What the steps are computed from, in their iterations: the backward pass and all that it reads."""
        return frozenset().union(*(self.all_ancestors(u.change) for u in self.updates.values()))

    @cached_property
    def moving(self) -> frozenset[int]:
        """The nodes that some parameter goes into as a number."""
        return frozenset(trained_nodes(self.graph.tape, frozenset(u.before for u in self.updates.values())))

    def all_ancestors(self, node: int) -> frozenset[int]:
        """What a node of an iteration is computed from there, itself among it."""
        return self.variables.ancestors(node)

    def goes_into(self, wrt: int, node: int) -> bool:
        """Whether a value is computed from a parameter, or from the array that an entry belongs to."""
        entry = self.entries.get(wrt)
        behind = self.all_ancestors(node)
        return wrt in behind or (entry is not None and entry.whole in behind)

    @cached_property
    def end(self) -> int:
        """Where the program ends: only what a moved or inferred loss adds stands behind the last window."""
        return max((w.stop for w in self.graph.tape.windows), default=0)

    # What there is to ask of its roots.

    def picked(self, root: int, wrt: int) -> Entry | None:
        """The entry that a gradient is by, if the root reads it with others: with a row, or with all of its array."""
        return self.by_entries.picked(root, wrt)

    def may_be_of(self, node: int, root: int) -> bool:
        """Whether a value may be a gradient of a root: of ⟨dout, out⟩ only what is computed from that ``dout``."""
        return root not in self.reach or node in self.reach[root]

    def only_of(self, node: int) -> tuple[int, ...]:
        """The roots of layers called by hand that a value may be a gradient of; empty if it is behind none."""
        return tuple(root for root, reached in self.reach.items() if node in reached)

    def position(self, root: int) -> int:
        """Where a root stands in the order of the program."""
        return self._ranking.position(root)

    def computed_alike(self, nodes: Iterable[int], root: int) -> list[list[int]]:
        """The nodes; those together that are one value computed again, as ``w[1:]`` that is read twice."""
        found: dict[int, list[int]] = {}
        for node in sorted(nodes):
            if node != root:
                found.setdefault(self.graph.representative(node), []).append(node)
        return list(found.values())

    # What there is to ask of a match.

    def best(self, node: int) -> Match | None:
        """The identity that a reader would name first."""
        found = self.matches.get(node)
        return found[0] if found else None

    def rank(self, match: Match) -> tuple[Any, ...]:
        """The order in which a reader would name the identities of one node; the smallest first."""
        return self._ranking.rank(match, {r.node for r in self.roots if r.named})

    def named_factor(self, node: int, root: int, measured: Sequence[float]) -> NamedScale | None:
        """The name of the factor of a node over a gradient of ``root``; None if nothing constant or named fits."""
        return self.factors.of(node).name(measured, root)

    def scalars(self, node: int, root: int) -> list[Scalar]:
        """The scalars that may name a factor between ``node`` and a gradient of ``root``."""
        return self.factors.scalars(node, root)

    def scalar_factors(self, node: int) -> list[float]:
        """The sizes, on the first replay, of the factors that a number may differ by from a gradient."""
        return self.factors.sizes(node)

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking(self.graph.tape, self.variables.trained, self.inferred)

    # What is put into the index.

    def _add_root(self, root: Root) -> None:
        if not self.replays.moves(root.node):
            self.unmoved.append(root)
            return
        tape = self.graph.tape
        relevant = ancestors(tape, root.node, self.updates.keys()) & self.live
        sweeps = [
            numeric_adjoints(tape, self.rules, values, root.node, relevant, self.updates.keys())
            for values in self.replays.values
        ]
        self.adjoints[root.node] = sweeps
        self.roots.append(root)
        self.forward |= relevant
        for same in self.computed_alike(sweeps[0].full, root.node):
            if self.fitted and same[0] >= self.end:
                continue  # what only the written loss goes through is no variable of the program
            if same[0] in self.variables.grown:
                continue  # a gradient by a parameter that NumPy gave another shape is not meant by anyone
            whole = [sum((s.full[n] for n in same[1:]), s.full[same[0]]) for s in sweeps]
            for sweep, value in zip(sweeps, whole, strict=True):
                sweep.full.update(dict.fromkeys(same, value))
            if same[0] not in self.by_entries.readers:
                self.index.add(Candidate(Sort.FULL, root.node, same[0], False), whole)
        for node, values in self.by_entries.added_to(root.node, sweeps):
            self.forward |= set(self.reading.readers(node))
            self.index.add(Candidate(Sort.FULL, root.node, node, False), values)
        for row, values in list(by_rows(tape, self.updates, self.replays.values, sweeps)):
            for sweep, value in zip(sweeps, values, strict=True):
                sweep.full[row] = value
            self.index.add(Candidate(Sort.FULL, root.node, row, False), values)
        self.index.add_paths(root.node, sweeps)

    def _add_forward(self) -> None:
        """Add the arrays of the forward pass, and the slopes of what is computed entry by entry."""
        tape = self.graph.tape
        leaves = {
            n.id for n in tape.window_nodes() if is_continuous(n) and (n.kind is Kind.LEAF or n.id in self.updates)
        }
        for node in sorted(self.forward | leaves):
            if np.size(tape.nodes[node].value) < 2 or (self.fitted and node >= self.end):
                continue
            self.index.add(Candidate(Sort.VALUE, node, node, False), self.replays.of(node))
            local = local_derivatives(tape, self.rules, self.replays.values, node, self.live)
            for wrt, values in local.items():
                if all(float(np.ptp(v)) > 0 for v in values):
                    self.index.add(Candidate(Sort.LOCAL, node, wrt, False), values)

        self._add_slopes_of_numbers()

    def _add_slopes_of_numbers(self) -> None:
        """Add the slopes of single numbers with a name by others: ``d_out_d_w1``; few, since there are so many numbers."""
        tape = self.graph.tape
        single = [
            node
            for node in sorted(self.forward)
            if tape.nodes[node].names and tape.nodes[node].shape == () and not (self.fitted and node >= self.end)
        ]
        named = set(single)
        for node in single if len(single) <= _MOST_NUMBERS else []:
            if tape.nodes[node].kind is Kind.LEAF or node in self.adjoints:
                continue
            local = local_derivatives(tape, self.rules, self.replays.values, node, self.live, limit=4 * len(single))
            for wrt, values in local.items():
                if wrt in named and wrt != node and float(np.ptp([np.sum(v) for v in values])) > 0:
                    self.index.add(Candidate(Sort.LOCAL, node, wrt, False), values)

    # What is looked up in it.

    def is_askable(self, node: int) -> bool:
        """Whether a node may be a gradient: computed in an iteration, and an array or a number that is kept."""
        recorded = self.graph.tape.nodes[node]
        if (
            recorded.window < 0
            or recorded.kind in (Kind.LEAF, Kind.LITERAL, Kind.RANDOM)
            or recorded.shape is None
        ):
            return False
        if recorded.dtype == "bool":
            return bool(recorded.shape)
        if not is_continuous(recorded):
            return False
        if self._is_schedule(node):
            return False
        return bool(recorded.shape or recorded.names) or node in self._changes or self._is_kept(node)

    def _is_schedule(self, node: int) -> bool:
        """Whether a number is a setting that is given another value: ``rate *= 0.97``."""
        tape, variables = self.graph.tape, self.variables
        names = tape.nodes[node].names
        if tape.nodes[node].shape != () or not any(set(names) & set(tape.nodes[k].names) for k in tape.operands(node)):
            return False
        todo, seen = [node], set[int]()
        while todo:
            current = todo.pop()
            if tape.nodes[current].shape != () or current in variables.data_numbers or current in variables.parameters:
                return False
            if current not in seen and tape.nodes[current].window >= 0:
                seen.add(current)
                todo += tape.operands(current)
        return True

    def _is_kept(self, node: int) -> bool:
        """Whether a nameless number is all of an expression, so that it is kept in a list or handed on."""
        tape = self.graph.tape
        site = tape.nodes[node].site
        users = [tape.nodes[user].site for user in tape.users(node)]
        return site is not None and bool(users) and not any(
            u is None or (u.path == site.path and u.span.contains(site.span)) for u in users
        )

    @cached_property
    def _changes(self) -> frozenset[int]:
        """What is added to parameters; of single numbers also those that it is made of."""
        changes = frozenset(u.change for u in self.updates.values())
        return changes.union(self._steps.keys(), *map(self._made_of_numbers, changes))

    def _made_of_numbers(self, change: int) -> Iterator[int]:
        """The nameless numbers that a number is a multiple of or adds up: ``e * x`` of ``rate * (e * x - decay * w)``."""
        tape, todo = self.graph.tape, [change]
        for _ in range(_MOST_TERMS):
            node = tape.nodes[todo.pop()]
            if node.shape == () and node.op in _TERMS:
                below = (tape.nodes[k] for k in tape.operands(node.id))
                todo += [n.id for n in below if n.kind is Kind.OPERATION and not n.names]
            yield node.id
            if not todo:
                break

    def _look_up(self, nodes: Iterable[int]) -> None:
        for node in nodes:
            if node in self.updates or not self.is_askable(node) or not self.replays.moves(node):
                continue
            found = fingerprint(self.replays.of(node))
            if found is None:
                continue
            hits = self.index.find(found, self.factors.sizes(node))
            hits = self._ranking.likely([h for h in hits if self._is_possible(node, h[0])])
            names = self.factors.of(node)
            matches = [match for hit in hits for match in self._matches_of(node, hit, names)]
            if matches:
                self.matches[node] = sorted(matches, key=self.rank)

    def _is_possible(self, node: int, candidate: Candidate) -> bool:
        """Whether a node may be what it equals: a forward value that was there before, a gradient of what it may be of."""
        if candidate.sort in (Sort.VALUE, Sort.LOCAL):
            return not node <= candidate.root < self.end
        return self.may_be_of(node, candidate.root)

    def _matches_of(self, node: int, hit: Hit, names: NodeFactors) -> Iterator[Match]:
        """A hit with the name of its factor, if it has one; also with the plain number, if a size may name it by chance."""
        candidate, measured, error = hit
        scale = names.name(measured, candidate.root)
        if scale is None or (candidate.sort is Sort.VALUE and scale.rank > 0):
            return
        if candidate.wrt in self.entries and candidate.wrt not in self._steps.get(node, (candidate.wrt,)):
            return  # ``W[i, j] -= d[j] * x[i]`` is the gradient by another entry
        single = self.graph.tape.nodes[node].shape == ()
        if candidate.sort is Sort.LOCAL and scale.rank > (0 if single else 2):  # any number is a multiple of any other
            return
        yield Match(node, candidate, scale, error)
        number = plain_number(measured) if scale.scale.symbols else None
        if number is not None:  # the proof will tell
            yield Match(node, candidate, number, error)
