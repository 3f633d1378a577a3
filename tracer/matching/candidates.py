"""What a line of a backward pass may be, and what it is: candidates, look-up, ranking.

For each root: the full gradient of every node, the contribution of one path, partial sums in backward
order; local derivatives of elementwise functions; plain forward values.  All are put into one index of
fingerprints.  Two values in five have several equal hits, so the ranking decides which one a reader
would name; it never decides whether a line is right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.gradients.adjoints import (
    Adjoints,
    Contribution,
    ancestors,
    is_continuous,
    is_real,
    local_derivatives,
    numeric_adjoints,
    sensitive,
)
from tracer.gradients.graph import MEANS, Graph
from tracer.gradients.rules import NumericRules
from tracer.matching.entries import Entry, Versions
from tracer.matching.fingerprint import TOLERANCE, FingerprintIndex, OnDemand, fingerprint
from tracer.matching.losses.roots import Root, find_roots
from tracer.matching.replays import Replays
from tracer.matching.scale import ONE, NamedScale, Scalar, name_scale, plain_number
from tracer.matching.severed import is_severed
from tracer.matching.updates import Update
from tracer.tape.node import Kind


class Sort(StrEnum):
    """What a candidate is."""

    FULL = "full gradient"
    PATH = "one path"
    PARTIAL = "partial sum"
    TRUNCATED = "gradient over a limited number of steps"
    LOCAL = "local derivative"
    VALUE = "forward value"


#: The sorts of candidates that are gradients, or parts of them.
GRADIENTS = (Sort.FULL, Sort.PATH, Sort.PARTIAL)
#: What is left of a sum that cancels is smaller than this part of what went into it.
_NOTHING = 1e-10
#: Of more equal hits than these, only so many of each sort are compared: those nearest before the node.
_MANY_HITS, _MOST_ALIKE = 64, 16
#: Operations through which an integer may become a factor of a gradient.
_FACTORS = frozenset(("multiply", "divide", "power"))
_ORDER = {
    Sort.VALUE: -1.0,
    Sort.FULL: 0.0,
    Sort.TRUNCATED: 0.5,
    Sort.LOCAL: 1.0,
    Sort.PATH: 2.0,
    Sort.PARTIAL: 3.0,
}


class Candidate(Struct, frozen=True):
    """∂root/∂wrt (for a local derivative: ∂root[i]/∂wrt[i]; for a value: the node itself).

    A truncated gradient goes back over at most ``steps`` steps of time.  Of complex numbers ``conjugate`` says that it is
    ∂/∂Re + i ∂/∂Im, the direction in which the root rises most, instead of ∂/∂Re − i ∂/∂Im.
    """

    sort: Sort
    root: int
    wrt: int
    transposed: bool
    via: int | None = None
    steps: int | None = None
    conjugate: bool = False


#: A candidate, the factor of a node over it on every replay, and the error.
_Hit = tuple[Candidate, tuple[float, ...], float]


class Match(Struct, frozen=True):
    """A recorded node is ``scale`` × a candidate, on every replay, up to ``error``."""

    node: int
    candidate: Candidate
    scale: NamedScale
    error: float


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
        zeros: what was recognised only by being 0, as the gradient is: any factor would do.
        unmoved: scalars that were the same on every replay, so that there is no gradient of them to recognise.
        penalties: for roots that were asked for, the terms that rest on parameters and settings alone.
    """

    graph: Graph
    updates: Mapping[int, Update]
    replays: Replays
    rules: NumericRules
    wanted_loss: str | None = None
    inferred: Mapping[int, int] = field(default_factory=dict)
    fitted: bool = False
    reach: Mapping[int, frozenset[int]] = field(default_factory=dict)
    matches: dict[int, list[Match]] = field(default_factory=dict)
    adjoints: dict[int, list[Adjoints]] = field(default_factory=dict)
    forward: frozenset[int] = frozenset()
    roots: list[Root] = field(default_factory=list)
    unmoved: list[Root] = field(default_factory=list)
    penalties: dict[int, tuple[int, ...]] = field(default_factory=dict)
    index: FingerprintIndex[Candidate] = field(default_factory=FingerprintIndex)
    zeros: set[int] = field(default_factory=set)
    _picked: set[tuple[int, int]] = field(default_factory=set)

    @cached_property
    def entries(self) -> dict[int, Entry]:
        """The entries of arrays that are updated entry by entry, by the first node that reads each in an iteration."""
        return self.reading.first_readers(self.updates)

    @cached_property
    def _entries_read(self) -> frozenset[int]:
        """All nodes that read an entry of such an array."""
        return frozenset(reader for node in self.entries for reader in self.reading.readers(node))

    @cached_property
    def reading(self) -> Versions:
        """Which nodes read which entries of arrays that are written entry by entry."""
        return Versions(self.graph.tape)

    def picked(self, root: int, wrt: int) -> Entry | None:
        """The entry that a gradient is by, if the root reads it with others: with a row, or with all of its array."""
        return self.entries[wrt] if (root, wrt) in self._picked else None

    def goes_into(self, wrt: int, node: int) -> bool:
        """Whether a value is computed from a parameter, or from the array that an entry belongs to."""
        entry = self.entries.get(wrt)
        behind = self.all_ancestors(node)
        return wrt in behind or (entry is not None and entry.whole in behind)

    @cached_property
    def versions(self) -> frozenset[int]:
        """All versions of all parameters, and the arrays that some of them are views of."""
        tape = self.graph.tape
        found = set(self.updates) | {u.before for u in self.updates.values()}
        todo = [u.before for u in self.updates.values() if u.written is not None]
        while todo:
            node = todo.pop()
            if node not in self.updates and tape.nodes[node].kind is Kind.VIEW:
                todo += tape.operands(node)[:1]
            found.add(node)
        return frozenset(found)

    @cached_property
    def parameters(self) -> frozenset[int]:
        """All versions of parameters, and of parts of them such as ``P[u]``."""
        return self.versions | {u.part for u in self.updates.values() if u.part is not None}

    @cached_property
    def severed(self) -> frozenset[int]:
        """The values of which nobody knows what they rest on."""
        return frozenset(n.id for n in self.graph.tape.nodes if is_severed(n))

    @cached_property
    def given_in_loop(self) -> frozenset[str]:
        """The variables that are given a new value in the recorded iterations."""
        made = (n for n in self.graph.tape.window_nodes() if n.kind not in (Kind.LEAF, Kind.LITERAL))
        return frozenset(name for node in made for name in node.names)

    @cached_property
    def data_numbers(self) -> frozenset[int]:
        """Single numbers that are data: their place in the source read others in other iterations, or for other samples."""
        tape = self.graph.tape
        read: dict[Any, set[int]] = defaultdict(set)
        leaves = [n for n in tape.window_nodes() if n.kind is Kind.LEAF and n.shape == () and n.site]
        for leaf in leaves:
            read[leaf.site].add(leaf.id if leaf.origin is None else leaf.origin)

        def is_reckoned_with(node: int) -> bool:
            return any(tape.nodes[u].op not in ("getitem", "setitem") for u in tape.users(node))

        return frozenset(n.id for n in leaves if len(read[n.site]) > 1 and is_reckoned_with(n.id))

    def run(self) -> None:
        """Derive the gradients of the likely roots, look every node up; further roots only for what is left."""
        tape = self.graph.tape
        self.live = sensitive(tape, self.updates.keys())
        first, rest = find_roots(tape, self.updates, self.live, self.wanted_loss)
        if self.inferred:
            first, rest = tuple(Root(node, True) for node in self.inferred), ()
        self._parameters = {u.before for u in self.updates.values()}
        with np.errstate(all="ignore"):
            for root in first:
                self._add_root(root)
            self._add_forward()
            self._look_up(range(len(tape.nodes)))
            known = self.forward | self.matches.keys() | self.updates.keys() | {r.node for r in self.roots}
            unknown = [n.id for n in tape.window_nodes() if n.id not in known and n.names and self._askable(n.id)]
            if unknown and rest:
                for root in rest[-8:]:
                    self._add_root(root)
                self._look_up(unknown)
            for update in self.updates.values():
                self._recognise_zeros(update)

    def vanishes(self, node: int, root: int, wrt: int) -> bool:
        """Whether ∂root/∂wrt is 0 on every replay, and a node too but for rounding, as behind a mean that is subtracted."""
        for value, sweep in zip(self.replays.of(node), self.adjoints[root], strict=True):
            if wrt not in sweep.full or np.any(sweep.full[wrt]):
                return False
            passed = (sweep.full[u] for u in self.graph.tape.users(wrt) if u in sweep.full)
            size = max((float(np.max(np.abs(p), initial=0.0)) for p in passed), default=0.0)
            if not float(np.max(np.abs(np.asarray(value)), initial=0.0)) <= _NOTHING * size:
                return False
        return True

    def _recognise_zeros(self, update: Update) -> None:
        """A step along a gradient that is 0: what it is made of has no fingerprint, and is known by being 0."""
        tape = self.graph.tape
        for root in self.roots:
            todo = [update.change]
            while todo:
                node = todo.pop()
                same = tape.nodes[node].shape == tape.nodes[update.wrt].shape and self._askable(node)
                if not same or node in self.matches or not self.vanishes(node, root.node, update.wrt):
                    continue
                candidate = Candidate(Sort.FULL, root.node, update.wrt, False)
                self.matches[node] = [Match(node, candidate, ONE, 0.0)]
                self.zeros.add(node)
                todo += tape.operands(node)

    def may_be_of(self, node: int, root: int) -> bool:
        """Whether a value may be a gradient of a root: of ⟨dout, out⟩ only what is computed from that ``dout``."""
        return root not in self.reach or node in self.reach[root]

    def only_of(self, node: int) -> tuple[int, ...]:
        """The roots of layers called by hand that a value may be a gradient of; empty if it is behind none."""
        return tuple(root for root, reached in self.reach.items() if node in reached)

    def position(self, root: int) -> int:
        """Where a root stands in the order of the program."""
        return self.inferred.get(root, root)

    def best(self, node: int) -> Match | None:
        """The identity that a reader would name first."""
        found = self.matches.get(node)
        return found[0] if found else None

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
        totals = [{c.wrt: c.so_far for c in sweep.contributions} for sweep in sweeps]
        for same in self.computed_alike(sweeps[0].full, root.node):
            if self.fitted and same[0] >= self.end:
                continue  # what only the written loss goes through is no variable of the program
            if same[0] in self._grown:
                continue  # a gradient by a parameter that NumPy gave another shape is not meant by anyone
            whole = [sum((s.full[n] for n in same[1:]), s.full[same[0]]) for s in sweeps]
            for sweep, value in zip(sweeps, whole, strict=True):
                sweep.full.update(dict.fromkeys(same, value))
            if same[0] not in self._entries_read:
                self._add(Candidate(Sort.FULL, root.node, same[0], False), whole)
        self._add_entries(root.node, sweeps)
        several = Counter(c.wrt for c in sweeps[0].contributions)
        seen: Counter[int] = Counter()
        for position, contribution in enumerate(sweeps[0].contributions):
            wrt = contribution.wrt
            seen[wrt] += 1
            if several[wrt] < 2:
                continue
            via = contribution.consumer
            parallel = [s.contributions[position] for s in sweeps]
            self._add(Candidate(Sort.PATH, root.node, wrt, False, via), [c.value for c in parallel])
            if 1 < seen[wrt] < several[wrt] and _adds_something(contribution):
                self._add(Candidate(Sort.PARTIAL, root.node, wrt, False, via), [c.so_far for c in parallel])
                others = partial(_rest, totals, parallel)  # a loop may run either way
                self._add(Candidate(Sort.PARTIAL, root.node, wrt, False, via), OnDemand(len(sweeps), others))

    def _add_entries(self, root: int, sweeps: list[Adjoints]) -> None:
        """The gradients by entries that are updated one by one: entries of the gradients by their arrays.

        A root that reads one entry of several versions, between which others were written, has no gradient by it here.
        """
        versions = self.reading.numbers(sweeps[0].full)
        for node, entry in self.entries.items():
            if self.reading.same_in(entry, versions) != [entry.whole]:
                for sweep in sweeps:
                    for reader in self.reading.readers(node):
                        sweep.full.pop(reader, None)
                continue
            values = [np.asarray(s.full[entry.whole])[entry.place] for s in sweeps]
            own = [s.full.get(node) for s in sweeps]
            if not all(o is not None and np.allclose(o, v, rtol=1e-9, atol=0) for o, v in zip(own, values, strict=True)):
                self._picked.add((root, node))
            self.forward |= set(self.reading.readers(node))
            for sweep, value in zip(sweeps, values, strict=True):
                sweep.full.update(dict.fromkeys(self.reading.readers(node), value))
            self._add(Candidate(Sort.FULL, root, node, False), values)

    def computed_alike(self, nodes: Iterable[int], root: int) -> list[list[int]]:
        """The nodes; those together that are one value computed again, as ``w[1:]`` that is read twice."""
        found: dict[int, list[int]] = {}
        for node in sorted(nodes):
            if node != root:
                found.setdefault(self.graph.representative(node), []).append(node)
        return list(found.values())

    @cached_property
    def _grown(self) -> frozenset[int]:
        """The versions of parameters that have another shape than the one before them had."""
        nodes = self.graph.tape.nodes
        found: set[int] = set()
        for node, update in sorted(self.updates.items()):
            if update.part is None and (update.before in found or nodes[node].shape != nodes[update.before].shape):
                found.add(node)
        return frozenset(found)

    def _add_forward(self) -> None:
        tape = self.graph.tape
        leaves = {
            n.id for n in tape.window_nodes() if is_continuous(n) and (n.kind is Kind.LEAF or n.id in self.updates)
        }
        for node in sorted(self.forward | leaves):
            if np.size(tape.nodes[node].value) < 2 or (self.fitted and node >= self.end):
                continue
            self._add(Candidate(Sort.VALUE, node, node, False), self.replays.of(node))
            local = local_derivatives(tape, self.rules, self.replays.values, node, self.live)
            for wrt, values in local.items():
                if all(float(np.ptp(v)) > 0 for v in values):
                    self._add(Candidate(Sort.LOCAL, node, wrt, False), values)

    def _add(self, candidate: Candidate, values: Sequence[Any]) -> None:
        shape = np.shape(values[0])
        for transposed in (False, True):
            if transposed and (len(shape) < 2 or min(shape[-2:]) < 2):
                continue
            for conjugate in (False, True) if np.iscomplexobj(values[0]) and candidate.sort in GRADIENTS else (False,):
                given = OnDemand(len(values), partial(_conjugate, values)) if conjugate else values
                found = fingerprint(given, transposed)
                if found is not None:
                    self.index.add(found, replace(candidate, transposed=transposed, conjugate=conjugate))

    def _askable(self, node: int) -> bool:
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
        return bool(recorded.shape or recorded.names) or node in self._changes or self._is_kept(node)

    def _is_kept(self, node: int) -> bool:
        """Whether a nameless number is all of an expression, so that it is kept in a list or handed on."""
        tape = self.graph.tape
        site = tape.nodes[node].site
        users = [tape.nodes[user].site for user in tape.users(node)]
        return site is not None and bool(users) and not any(
            u is None or (u.path == site.path and u.span.contains(site.span)) for u in users
        )

    @cached_property
    def end(self) -> int:
        """Where the program ends: only what a moved or inferred loss adds stands behind the last window."""
        return max((w.stop for w in self.graph.tape.windows), default=0)

    @cached_property
    def _changes(self) -> frozenset[int]:
        """What is added to parameters; of single entries also the numbers that it is made of."""
        return frozenset(u.change for u in self.updates.values()) | self._steps.keys()

    @cached_property
    def _steps(self) -> dict[int, frozenset[int]]:
        """The numbers that steps by single entries are made of, with the entries that the steps are by."""
        nodes, found = self.graph.tape.nodes, dict[int, set[int]]()
        for update in self.updates.values():
            todo = [update.change] if update.written is not None else []
            while todo:
                node = todo.pop()
                entry = self.reading.read(node)
                before = None if entry is None or node in self.forward else self.reading.number_written(entry)
                if before is not None and nodes[before].window == nodes[node].window:
                    node = before  # ``v[i][j] = …`` and then ``W[i][j] += v[i][j]``
                seen = found.setdefault(node, set())
                if update.wrt in seen or nodes[node].kind is not Kind.OPERATION or nodes[node].op == "getitem":
                    continue
                seen.add(update.wrt)
                todo += [
                    k
                    for k in self.graph.tape.operands(node)
                    if nodes[k].shape == () and is_real(nodes[k]) and nodes[k].window == nodes[node].window
                ]
        return {node: frozenset(by) for node, by in found.items() if by and node not in self.forward}

    def _look_up(self, nodes: Any) -> None:
        for node in nodes:
            if node in self.updates or not self._askable(node) or not self.replays.moves(node):
                continue
            found = fingerprint(self.replays.of(node))
            if found is None:
                continue
            ranked = []
            scalars: dict[int, list[Scalar]] = {}
            hits = self.index.find(found, self.scalar_factors(node))
            if hits:
                hits = self._likely([h for h in hits if self._is_possible(node, h[0])])
                literals = self.literals(node)
            for candidate, measured, error in hits:
                if candidate.root not in scalars:
                    scalars[candidate.root] = self.scalars(node, candidate.root)
                scale = name_scale(measured, scalars[candidate.root], literals)
                if scale is None or (candidate.sort is Sort.VALUE and scale.rank > 0):
                    continue
                if candidate.wrt in self.entries and candidate.wrt not in self._steps.get(node, (candidate.wrt,)):
                    continue  # ``W[i, j] -= d[j] * x[i]`` is the gradient by another entry
                if candidate.sort is Sort.LOCAL and scale.rank > 2:
                    continue
                match = Match(node, candidate, scale, error)
                ranked.append((self.rank(match), match))
                number = plain_number(measured) if scale.scale.symbols else None
                if number is not None:  # a size may name it by chance; the proof will tell
                    other = Match(node, candidate, number, error)
                    ranked.append((self.rank(other), other))
            if ranked:
                ranked.sort(key=lambda pair: pair[0])
                self.matches[node] = [match for _, match in ranked]

    def _is_possible(self, node: int, candidate: Candidate) -> bool:
        """Whether a node may be what it equals: a forward value that was there before, a gradient of what it may be of."""
        if candidate.sort in (Sort.VALUE, Sort.LOCAL):
            return not node <= candidate.root < self.end
        return self.may_be_of(node, candidate.root)

    def _likely(self, hits: list[_Hit]) -> list[_Hit]:
        """Of very many equal hits, as the masks of a window at each of its places, those that rank first."""
        if len(hits) <= _MANY_HITS:
            return hits
        alike: dict[tuple[Any, ...], list[_Hit]] = defaultdict(list)
        for hit in hits:
            candidate, measured, _ = hit
            named = bool(self.graph.tape.nodes[candidate.wrt].names)
            root = None if candidate.sort in (Sort.VALUE, Sort.LOCAL) else candidate.root
            size = tuple(float(f"{m:.6g}") for m in measured)
            alike[candidate.sort, candidate.transposed, root, size, named].append(hit)
        kept = (sorted(same, key=lambda h: -h[0].wrt)[:_MOST_ALIKE] for same in alike.values())
        return [hit for same in kept for hit in same]

    def rank(self, match: Match) -> tuple[Any, ...]:
        """The order in which a reader would name the identities of one node; the smallest first."""
        node, candidate, scale = match.node, match.candidate, match.scale
        tape = self.graph.tape
        wrt = tape.nodes[candidate.wrt]
        of_value = candidate.sort in (Sort.VALUE, Sort.LOCAL)
        trained = not self._parameters or candidate.wrt in self._parameters
        data = not of_value and wrt.kind is Kind.LEAF and not trained
        order = _ORDER[candidate.sort] + 0.5
        if candidate.sort is Sort.LOCAL and scale.rank > 1:
            order = 2.75  # a multiple of a slope is rather one path of a gradient
        if scale.rank == 0:
            order = 0.25 if candidate.sort is Sort.VALUE else _ORDER[candidate.sort]
        named_root = of_value or any(r.node == candidate.root and r.named for r in self.roots)
        distance = tape.nodes[node].window - tape.nodes[candidate.root].window
        return (
            scale.rank > 3,
            data,
            order,
            candidate.transposed,
            scale.rank
            + 2 * (wrt.op == "negative" and not wrt.names),  # a reader differentiates by z, not by −z
            self.position(candidate.root) >= node,
            abs(distance),
            not wrt.names,
            not named_root,
            0 if of_value else -candidate.root,
            -candidate.wrt,
        )

    def scalars(self, node: int, root: int) -> list[Scalar]:
        """The scalars that may name a factor between ``node`` and a gradient of ``root``."""
        inside = sorted(self._factors_behind(root) | self._factors_behind(node))
        found = {s.key: s for n in inside if (s := self._named_scalars.get(n)) is not None}
        for count in self.graph.mean_counts(inside):
            text = " * ".join(self.graph.axis_text(a) for a in count.axes)
            values = (float(count.count),) * len(self.replays.values)
            found.setdefault(count.key, Scalar(count.key, text, values, True))
        return list(found.values())

    def _factors_behind(self, node: int) -> frozenset[int]:
        """The named scalars and the means that a node is computed from."""
        tape, found = self.graph.tape, self._factors_found
        for current in range(len(found), len(tape.nodes)):
            recorded = tape.nodes[current]
            own = current in self._named_scalars or recorded.op in MEANS
            behind = [] if current in self.updates else tape.operands(current)
            sets = {found[k] for k in behind if tape.nodes[k].window >= 0}
            largest = max(sets, key=len, default=frozenset[int]())
            whole = largest if all(s <= largest for s in sets) else largest.union(*sets)
            found.append(whole | {current} if own else whole)
        return found[node]

    def literals(self, node: int) -> frozenset[float]:
        """The numbers that an expression multiplies or divides by, down to what it has a name for."""
        tape = self.graph.tape
        found: set[float] = set()
        todo = [node]
        while todo:
            current = tape.nodes[todo.pop()]
            if current.op not in ("multiply", "divide", "negative", "true_divide"):
                continue
            numbers = [a for a in current.args if isinstance(a, int | float)]  # such as the length of a list
            for operand in tape.operands(current.id):
                inner = tape.nodes[operand]
                if inner.kind is Kind.LITERAL and isinstance(inner.value, int | float):
                    numbers.append(inner.value)
                elif not inner.names:
                    todo.append(operand)
            found |= {float(n) for n in numbers if n} | {1 / float(n) for n in numbers if n}
        return frozenset(found)

    def scalar_factors(self, node: int) -> list[float]:
        """The sizes, on the first replay, of the factors that a number may differ by from a gradient."""
        written = self.literals(node)
        several = [w * f for w in written for f in self._usual_factors] if node in self._steps else []
        return [*self._usual_factors, *written, *several]

    @cached_property
    def _usual_factors(self) -> list[float]:
        counts = {float(c.count) for r in self.roots for c in self.graph.mean_counts(self._factors_behind(r.node))}
        named = [*counts, *(s.values[0] for s in self._named_scalars.values() if s.values[0])][:40]
        single = [1.0, 2.0, 0.5, *named, *(1 / v for v in named)]
        pairs = [a * b for a in single[3:] for b in single[3:]] if len(named) <= 8 else []
        return list(dict.fromkeys([*single, *pairs]))

    @cached_property
    def _named_scalars(self) -> dict[int, Scalar]:
        """The scalars of the program that may be factors: hyper-parameters, sizes, counts that are divided by."""
        tape = self.graph.tape
        found: dict[int, Scalar] = {}
        for scalar in tape.window_nodes():
            if scalar.shape != () or scalar.dtype.startswith(("bool", "complex")) or scalar.kind is Kind.LITERAL:
                continue
            integer = not is_real(scalar)
            size = scalar.op == "axis_size"
            if not size and not (scalar.names and (scalar.kind is Kind.LEAF or integer)):
                continue
            if integer and not any(
                is_real(tape.nodes[u]) and tape.nodes[u].op in _FACTORS for u in tape.users(scalar.id)
            ):
                continue
            if scalar.id in self.live and scalar.kind is not Kind.LEAF:
                continue
            values = tuple(float(v) for v in self.replays.of(scalar.id))
            text = scalar.names[0] if scalar.names else self._size_text(scalar.id)
            found[scalar.id] = Scalar(self.graph.name(scalar.id), text, values, integer)
        return found

    def _size_text(self, node: int) -> str:
        """What the reader calls a size that has no name of its own: the name of the axis."""
        recorded = self.graph.tape.nodes[node]
        axis = self.graph.axes(recorded.args[0].node)[int(recorded.kwargs.get("axis", 0))]
        return self.graph.axis_text(axis)

    def all_ancestors(self, node: int) -> frozenset[int]:
        cached = self._ancestor_cache.get(node)
        if cached is None:
            tape = self.graph.tape
            seen: set[int] = set()
            todo = [node]
            while todo:
                current = todo.pop()
                if current in seen:
                    continue
                seen.add(current)
                if current not in self.updates:
                    todo += [k for k in tape.operands(current) if tape.nodes[k].window >= 0]
            cached = self._ancestor_cache[node] = frozenset(seen)
        return cached

    _factors_found: list[frozenset[int]] = field(default_factory=list)
    _ancestor_cache: dict[int, frozenset[int]] = field(default_factory=dict)


def _adds_something(contribution: Contribution) -> bool:
    """Whether a sum differs from the one before it: far back in time hardly anything is added, and many sums are one."""
    added = float(np.max(np.abs(contribution.value), initial=0.0))
    return not added <= TOLERANCE / 10 * float(np.max(np.abs(contribution.so_far), initial=0.0))


def _conjugate(values: Sequence[Any], replay: int) -> Any:
    return np.conj(values[replay])


def _rest(totals: list[dict[int, Any]], parallel: list[Contribution], replay: int) -> Any:
    """What a sum has from one contribution on."""
    contribution = parallel[replay]
    return totals[replay][contribution.wrt] - contribution.so_far + contribution.value
