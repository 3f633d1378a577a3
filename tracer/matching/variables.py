"""What the values of a recording are before any gradient is known: parameters, data, and what each one rests on.

Comes in: a tape and its updates.  Goes out: sets of nodes, each made when it is first asked for.  Invariant: nothing
here depends on which scalar is the loss.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from tracer.matching.severed import is_severed
from tracer.matching.updates import Update, first_versions
from tracer.tape.node import Kind, Site
from tracer.tape.tape import Tape


class Variables:
    """What is a parameter, what is data, and what goes into what."""

    def __init__(self, tape: Tape, updates: Mapping[int, Update]) -> None:
        self._tape, self._updates = tape, updates
        self._ancestors: dict[int, frozenset[int]] = {}

    @cached_property
    def trained(self) -> frozenset[int]:
        """The versions of parameters that steps start from."""
        return frozenset(u.before for u in self._updates.values())

    @cached_property
    def versions(self) -> frozenset[int]:
        """All versions of all parameters, and the arrays that some of them are views of."""
        tape = self._tape
        found = self._updates.keys() | self.trained
        todo = [u.before for u in self._updates.values() if u.written is not None]
        while todo:
            node = todo.pop()
            if node not in self._updates and tape.nodes[node].kind is Kind.VIEW:
                todo += tape.operands(node)[:1]
            found.add(node)
        return frozenset(found)

    def first(self, version: int) -> int:
        """The version of a parameter that the recording starts from."""
        return self._firsts.get(version, version)

    @cached_property
    def _firsts(self) -> dict[int, int]:
        return first_versions(self._updates)

    @cached_property
    def parameters(self) -> frozenset[int]:
        """All versions of parameters, and of parts of them such as ``P[u]``."""
        return self.versions | {u.part for u in self._updates.values() if u.part is not None}

    @cached_property
    def grown(self) -> frozenset[int]:
        """The versions of parameters that have another shape than the one before them had."""
        nodes = self._tape.nodes
        found: set[int] = set()
        for node, update in sorted(self._updates.items()):
            if update.part is None and (update.before in found or nodes[node].shape != nodes[update.before].shape):
                found.add(node)
        return frozenset(found)

    @cached_property
    def severed(self) -> frozenset[int]:
        """The values of which nobody knows what they rest on."""
        return frozenset(n.id for n in self._tape.nodes if is_severed(n))

    @cached_property
    def given_in_loop(self) -> frozenset[str]:
        """The variables that are given a new value in the recorded iterations."""
        made = (n for n in self._tape.window_nodes() if n.kind not in (Kind.LEAF, Kind.LITERAL))
        return frozenset(name for node in made for name in node.names)

    @cached_property
    def data_numbers(self) -> frozenset[int]:
        """Single numbers that are data: their place in the source read others in other iterations, or for other samples."""
        tape = self._tape
        read: dict[Site | None, set[int]] = defaultdict(set)
        leaves = [n for n in tape.window_nodes() if n.kind is Kind.LEAF and n.shape == () and n.site]
        for leaf in leaves:
            read[leaf.site].add(leaf.id if leaf.origin is None else leaf.origin)

        def is_reckoned_with(node: int) -> bool:
            return any(tape.nodes[u].op not in ("getitem", "setitem") for u in tape.users(node))

        return frozenset(n.id for n in leaves if len(read[n.site]) > 1 and is_reckoned_with(n.id))

    def ancestors(self, node: int) -> frozenset[int]:
        """What a node of an iteration is computed from there, itself among it; a step of a parameter is a beginning."""
        cached = self._ancestors.get(node)
        if cached is None:
            tape = self._tape
            seen: set[int] = set()
            todo = [node]
            while todo:
                current = todo.pop()
                if current in seen:
                    continue
                seen.add(current)
                if current not in self._updates:
                    todo += [k for k in tape.operands(current) if tape.nodes[k].window >= 0]
            cached = self._ancestors[node] = frozenset(seen)
        return cached
