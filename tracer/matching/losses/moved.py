"""The program's own loss, for a step that it was not computed for.

Many programs compute their loss after the step (``print(loss(X, y))`` at the end of an iteration) or of other data (all
of them, where the step saw a mini-batch).  Its gradient at the values that the step started from is what the backward
pass computes.  Comes in: a tape.  Goes out: for each such loss the tape with its operations once more at the end, with the
parameters that the step read and the data that it read them with.  That the loss was moved is always said.

Invariant: every value of the moved loss that rests on nothing else than before is the node it was, and what the
step computes too is the step's own node.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec.structs import replace

from tracer.gradients.adjoints import ancestors, is_real
from tracer.gradients.selection import MOVES_ENTRIES
from tracer.matching.losses.copied import copied, renamed, told_by_copies
from tracer.matching.losses.roots import find_roots
from tracer.matching.losses.written import Inferred
from tracer.matching.matcher import Matcher
from tracer.matching.updates import Update, direct
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import GIVEN, Tape, references

#: How many losses are tried for one step, the last ones first.
_MOST_LOSSES = 4
#: How many operations may lie between all the data and those of one step.
_LONGEST_PATH = 6


def own_losses(matcher: Matcher, windows: Container[int], kept: Mapping[int, int]) -> Iterator[Inferred]:
    """The tape with a loss of the program moved to the step of an explained iteration; none if there is none.

    Arguments:
        windows: the iterations that a loss is looked for.
        kept: the losses of the others, as `Inferred.losses` has them.
    """
    tape, updates = matcher.graph.tape, matcher.updates
    found = find_roots(tape, updates, matcher.live, matcher.wanted_loss)[0]
    roots = [r.node for r in found if r.named and r.node < matcher.end]
    for window in (w for w in tape.last_windows() if w in windows):
        own = [u for u in updates.values() if tape.nodes[u.node].window == window]
        for root in roots[: -_MOST_LOSSES - 1 : -1]:
            moved = _Move(matcher, own, root).moved() if own else None
            if moved is not None:
                yield replace(moved, losses={**kept, **moved.losses})


@dataclass
class _Move:
    """One loss and the step that it is moved to.

    Attributes:
        instead: what the loss is computed from → what the step has for it.
        inputs: the same for one operation of the loss only: data that the step changes before it reads them as an
            input, as by noise, still are the target that they were.
    """

    matcher: Matcher
    step: list[Update]
    root: int
    instead: dict[int, int] = field(default_factory=dict)
    inputs: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def tape(self) -> Tape:
        return self.matcher.graph.tape

    @property
    def updates(self) -> Mapping[int, Update]:
        return self.matcher.updates

    def moved(self) -> Inferred | None:
        tape = self.tape
        inside = sorted(self.matcher.all_ancestors(self.root))
        if not self._parameters(inside) or not self._data(inside):
            return None
        if all(old == new for old, new in self.instead.items()) and not self.inputs:
            return None
        copies = copied(tape, inside, self.instead, self.inputs, self.root, self.step[0])
        where = max(self.instead.values())
        return None if copies is None else told_by_copies(tape, self.root, copies, where, "moved")

    def _parameters(self, inside: list[int]) -> bool:
        """Find for each parameter the version that the step started from; whether there is one at all."""
        first: dict[int, int] = {}
        for update in self.updates.values():
            line = first.setdefault(update.before, update.before)
            first[update.node] = line
        origin = {node: self.tape.nodes[line].origin for node, line in first.items()}
        before: dict[int, int] = {}
        for update in self.step:
            before.setdefault(first[update.before], update.before)
        by_origin = {origin[version]: version for version in before.values() if origin[version] is not None}
        for node in inside:
            if node not in first:
                continue
            version = before.get(first[node], by_origin.get(origin[node]))
            if version is not None:
                self.instead[node] = self._looked_ahead(version)
        return bool(self.instead)

    def _looked_ahead(self, version: int) -> int:
        """The point that the step takes the gradient at: ``W + mu * v``, if that is all that it reads the parameter for."""
        tape = self.tape
        changes = {u.change for u in self.step}
        window = tape.nodes[self.step[0].node].window
        readers = [
            u
            for u in tape.users(version)
            if u not in self.updates and u not in changes and tape.nodes[u].window == window
        ]
        if len(readers) != 1:
            return version
        [reader] = [tape.nodes[u] for u in readers]
        ahead = reader.op in ("add", "subtract") and reader.shape == tape.nodes[version].shape
        return reader.id if ahead else version

    def _data(self, inside: list[int]) -> bool:
        """Find for everything that the loss takes beside parameters what the step takes; whether all was found."""
        tape = self.tape
        self._views(inside)
        trained = self._trained(inside)
        given = [n for n in inside if n not in trained and self._is_taken(n, inside, trained)]
        for node in inside:
            if node in trained and node not in self.instead and tape.nodes[node].kind is not Kind.LEAF:
                self._align(node, trained)
        paths = [path for old, new in self.instead.items() if old in given and (path := self._path(old, new))]
        other = any(old != new for old, new in self.instead.items() if old in given)
        for node in given:
            if node in self.instead or not tape.nodes[node].shape or not other:
                continue
            taken = next((n for path in paths if (n := self._along(node, path)) is not None), None)
            taken = self._only_alike(node, given) if taken is None else taken
            if taken is None and not self._follows(node):
                return False
            if taken is not None:
                self.instead[node] = taken
        return True

    def _follows(self, node: int) -> bool:
        """Whether data are worked out from others that were found, as weights from labels: so are they, then."""
        behind = self.matcher.all_ancestors(node) - {node}
        arrays = [k for k in behind if self.tape.nodes[k].kind in GIVEN and self.tape.nodes[k].shape]
        return bool(arrays) and all(k in self.instead for k in arrays)

    def _views(self, inside: list[int]) -> None:
        """What the loss takes as a view of a parameter, ``W.T``, the step may have taken as one, too."""
        nodes = self.tape.nodes
        for node in (nodes[n] for n in inside):
            old = node.args[0].node if node.kind is Kind.VIEW and node.args and isinstance(node.args[0], Ref) else None
            if old is None or node.id in self.instead or self.instead.get(old, old) == old:
                continue
            alike = (
                nodes[u]
                for u in self.tape.users(self.instead[old])
                if nodes[u].op == node.op and nodes[u].args[:1] == (Ref(self.instead[old]),)
            )
            twin = next((n.id for n in alike if self._is_alike_but_for_its_array(n, node)), None)
            if twin is not None:
                self.instead[node.id] = twin

    def _is_alike_but_for_its_array(self, one: Node, other: Node) -> bool:
        return self._are_alike(one.args[1:], other.args[1:]) and self._are_alike(one.kwargs, other.kwargs)

    def _trained(self, inside: list[int]) -> frozenset[int]:
        found: set[int] = set()
        for node in inside:
            if node in self.instead or not found.isdisjoint(self.tape.operands(node)):
                found.add(node)
        return frozenset(found)

    def _is_taken(self, node: int, inside: list[int], trained: frozenset[int]) -> bool:
        """Whether a value that rests on no parameter is what the loss starts from: data, read as they are."""
        return self.tape.nodes[node].kind in (Kind.LEAF, Kind.OPAQUE) or (
            self.tape.nodes[node].kind is not Kind.LITERAL
            and bool(self.tape.nodes[node].names)
            and any(user in trained for user in self.tape.users(node))
        )

    def _align(self, node: int, trained: frozenset[int]) -> None:
        """What the step combines the same parameter with, in the same operation."""
        tape = self.tape
        for place, parameter in direct(tape.nodes[node]):
            if parameter not in self.instead:
                continue
            others = [(p, k) for p, k in direct(tape.nodes[node]) if p != place and k not in trained]
            if len(others) != 1 or others[0][1] in self.instead:
                continue
            other_place, data = others[0]
            if not tape.nodes[data].shape:
                continue  # a setting, not data
            found = self._taken(node, parameter, place, other_place, trained)
            taken = self._counterpart(node, parameter, data, found)
            if taken is not None:
                self.instead[data] = self._selected(data, taken)
                if self.instead[data] != taken:
                    self.inputs[node, data] = taken

    def _taken(self, node: int, parameter: int, place: int, other: int, trained: frozenset[int]) -> list[int]:
        """What the step combines a parameter with, in the same operation, in the order of the program."""
        tape, version = self.tape, self.instead[parameter]
        found = []
        for twin in tape.users(version):
            same = tape.nodes[twin].op == tape.nodes[node].op and twin not in trained
            beside = dict(direct(tape.nodes[twin]))
            if same and beside.get(place) == version and other in beside:
                taken = beside[other]
                if is_real(tape.nodes[taken]) and not self._is_trained(taken):
                    found.append(taken)
        return found

    def _counterpart(self, node: int, parameter: int, data: int, taken: list[int]) -> int | None:
        """Of several, as in a loop over time, what has the same values; else what is taken at the same turn."""
        tape = self.tape
        same = (k for k in taken if np.array_equal(tape.nodes[k].value, tape.nodes[data].value))
        alike = [u for u in tape.users(parameter) if tape.nodes[u].site == tape.nodes[node].site]
        turn = alike.index(node) if node in alike and len(alike) == len(taken) else 0
        return next(same, taken[turn] if taken else None)

    def _selected(self, old: int, new: int) -> int:
        """What the step selected of the data, before it did anything else to them."""
        path = self._path(old, new)
        if path is None:
            return new
        chosen = old
        for node in reversed(path):
            if self.tape.nodes[node].op not in MOVES_ENTRIES:
                break
            chosen = node
        return chosen

    def _is_trained(self, node: int) -> bool:
        return not self.matcher.versions.isdisjoint(ancestors(self.tape, node, self.updates.keys()))

    def _path(self, old: int, new: int) -> list[int] | None:
        """The operations that made the data of the step from all the data, such as ``X[batch]``; the last one first."""
        origin = self.tape.nodes[old].origin
        paths: list[list[int]] = [[new]]
        while paths:
            path = paths.pop()
            last = self.tape.nodes[path[-1]]
            if last.id == old or (origin is not None and last.origin == origin):
                return path[:-1]
            if len(path) <= _LONGEST_PATH:
                paths += [[*path, k] for k in self.tape.operands(last.id) if is_real(self.tape.nodes[k])]
        return None

    def _along(self, node: int, path: list[int]) -> int | None:
        """What the same operations made from other data."""
        tape = self.tape
        starts = [node]
        if tape.nodes[node].origin is not None:
            starts += [n.id for n in tape.window_nodes() if n.origin == tape.nodes[node].origin]
        for start in starts:
            current: int | None = start
            for step in reversed(path):
                made = tape.nodes[step]
                current = next(
                    (
                        user
                        for user in tape.users(current if current is not None else -1)
                        if tape.nodes[user].op == made.op
                        and self._is_alike_but_for_its_array(tape.nodes[user], made)
                        and tape.nodes[user].args[0] == Ref(current if current is not None else -1)
                    ),
                    None,
                )
                if current is None:
                    break
            if current is not None:
                return current
        return None

    def _are_alike(self, one: Any, other: Any) -> bool:
        """Whether two arguments are the same, also where they were computed twice: ``start + 50``."""

        def first(argument: Any) -> str:
            return repr(renamed(argument, {k: self.matcher.graph.representative(k) for k in references(argument)}))

        return first(one) == first(other)

    def _only_alike(self, node: int, given: list[int]) -> int | None:
        """The only data of that kind which the step reads beside its inputs."""
        tape = self.tape
        recorded = tape.nodes[node]
        length = {tape.nodes[new].shape[:1] for old, new in self.instead.items() if old in given}  # type: ignore[index]
        behind = {k for update in self.step for k in self.matcher.all_ancestors(update.change)}
        found = [
            k
            for k in sorted(behind)
            if k not in self.instead.values()
            and (tape.nodes[k].kind in (Kind.LEAF, Kind.VIEW) or tape.nodes[k].op == "getitem")
            and k not in self.updates
            and len(tape.nodes[k].shape or ()) == len(recorded.shape or ())
            and is_real(tape.nodes[k]) == is_real(recorded)
            and (tape.nodes[k].shape or ())[:1] in length
            and not self._is_trained(k)
        ]
        return found[0] if len(found) == 1 else None
