"""Arrays that are written entry by entry: ``W[i][j] -= rate * delta[i] * h[j]`` in two loops.

Such a write goes to a row, and the row goes back into the array; and each write makes a version of the whole array, so that
what an update reads is an entry of a version that no forward pass has seen.  Comes in: a tape.  Goes out: the same tape, in
which entries are read and written as entries of the array itself, and each is read from the oldest version that has it
as it is (the one that the forward pass reads, if it reads any).  So ``W[1][2]`` before a step is an entry of the W that the
loss was computed from, also if ``W[1][1]`` has moved by then, and one that has moved itself is not.

The gradient by an entry is then the entry of the gradient by the array: ∂L/∂(W[i, j]) = (∂L/∂W)[i, j].  The array is not put
together from its entries to differentiate by them: with n entries that would take n steps of n terms, and formulas
that nobody can read.

Invariants: every node has the value that it had; only indices that no real number goes into are looked at, so that this
holds on replays too.  The time is proportional to the nodes (but for a search among the versions of one array that are read
as a whole between two updates of one entry, of which there are few).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.matching.places import Part, Place, Places, is_within
from tracer.tape.node import Binding, Kind, Node, Ref
from tracer.tape.tape import Tape

#: How many operations are looked through between an entry and its new value.
_LONGEST_SUM = 8


class Entry(Struct, frozen=True):
    """One entry of one version of an array."""

    whole: int
    place: tuple[int, ...]


def with_entries(tape: Tape) -> Tape:
    """The tape with entries in the place of rows, where some array is written entry by entry."""
    if not any(n.op == "setitem" and n.window >= 0 for n in tape.nodes):
        return tape
    found = Versions(tape)
    if not found.changed:
        return tape
    return Tape(found.nodes, found.bindings(), tape.windows, tape.notices)


class Versions:
    """The versions of the arrays of a tape that are written entry by entry.

    Attributes:
        nodes: the nodes, with entries in the place of rows.
        changed: whether they are others than those of the tape.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.nodes = list(tape.nodes)
        self._places = Places(tape)
        self._parts = self._places.parts
        self._written: dict[int, Part] = {}
        self._values: dict[int, int] = {}  # write → the number that is written
        self._updated: set[int] = set()  # first versions of the arrays whose entries get new values made from the old ones
        self._rows: dict[int, Part] = {}
        self._line: dict[int, tuple[int, int]] = {}  # version → the first one of its array, and its number
        self._versions: dict[int, list[int]] = {}
        self._writes: dict[tuple[int, Place], list[int]] = {}
        for node in tape.nodes:
            self._places.see(node)
            if node.window >= 0 and len(node.args) > 1 and isinstance(node.args[0], Ref):
                if node.op == "getitem":
                    self._read(node)
                elif node.op == "setitem" and len(node.args) == 3:
                    self._write(node)
        self._seen = self._read_whole()
        for number, part in self._written.items():
            if self._is_updated(part.whole):
                self._replace(number, Ref(part.whole), part.items, Ref(self._values[number]))
        for number, part in self._parts.items():
            if part.is_entry and self._is_updated(part.whole):
                oldest = self._oldest(part.whole, part.place, tape.nodes[number].window)
                self._parts[number] = replace(part, whole=oldest)
                self._replace(number, Ref(oldest), part.items)
        self.changed = any(new is not old for new, old in zip(self.nodes, tape.nodes, strict=True))

    def written(self, node: int) -> Entry | None:
        """The entry that a write changes, in the version before it; None if it is no write of one entry."""
        part = self._written.get(node)
        return _entry(part) if part is not None and self._is_updated(part.whole) else None

    def read(self, node: int) -> Entry | None:
        """The entry of an array written entry by entry that a node reads."""
        part = self._parts.get(node)
        return _entry(part) if part is not None and part.is_entry and self._is_updated(part.whole) else None

    def first_readers(self, updates: Iterable[int]) -> dict[int, Entry]:
        """The first node of each iteration that reads an entry, with the entry, of the arrays that some writes update."""
        lines = {self._line[u][0] for u in updates if u in self._line}
        return {nodes[0]: entry for (entry, _), nodes in self._readers.items() if self._first(entry.whole) in lines}

    @cached_property
    def _readers(self) -> dict[tuple[Entry, int], list[int]]:
        """The nodes that read each entry in each iteration, in order."""
        found: dict[tuple[Entry, int], list[int]] = {}
        for node in self._parts:
            entry = self.read(node)
            if entry is not None:
                found.setdefault((entry, self.nodes[node].window), []).append(node)
        return found

    def readers(self, node: int) -> list[int]:
        """The nodes that read the same entry as another one in the same iteration, in order."""
        entry = self.read(node)
        return [node] if entry is None else self._readers[entry, self.nodes[node].window]

    def larger(self, whole: int, places: Collection[tuple[int, ...]]) -> Iterator[int]:
        """The nodes that read exactly these entries of an array: the array itself, or rows of it."""
        shape = self.nodes[whole].shape or ()
        if int(np.prod(shape)) == len(places):
            yield whole
        for node, part in self._parts.items():
            if part.whole != whole or part.is_entry:
                continue
            length = int(np.prod([n for n, at in zip(shape, part.place, strict=True) if at is None]))
            if length == len(places) and all(is_within(place, part.place) for place in places):
                yield node

    def same_in(self, entry: Entry, versions: Mapping[int, Sequence[int]]) -> list[int]:
        """Those of some versions of an array in which an entry is the same.

        Arguments:
            versions: the first version of each array → numbers of versions, in order.
        """
        first, number = self._line[entry.whole]
        numbers, writes = versions.get(first, ()), self._writes.get((first, entry.place), [])
        at = bisect_right(writes, number)
        start = writes[at - 1] if at else 0
        end = writes[at] if at < len(writes) else len(self._versions[first])
        return [self._versions[first][n] for n in numbers[bisect_left(numbers, start) : bisect_left(numbers, end)]]

    def numbers(self, nodes: Iterable[int]) -> dict[int, list[int]]:
        """The versions among some nodes, by array and number."""
        found: dict[int, list[int]] = {}
        for line in sorted(self._line[n] for n in nodes if n in self._line):
            found.setdefault(line[0], []).append(line[1])
        return found

    def is_same(self, one: Entry, other: Entry) -> bool:
        """Whether two entries are one, because nothing was written there between the two versions."""
        first, second = (self._line.get(e.whole) for e in (one, other))
        if one.place != other.place or first is None or second is None or first[0] != second[0]:
            return False
        low, high = sorted((first[1], second[1]))
        numbers = self._writes.get((first[0], one.place), [])
        return bisect_right(numbers, low) == bisect_right(numbers, high)

    def _is_updated(self, version: int) -> bool:
        return version in self._line and self._line[version][0] in self._updated

    def _is_updating(self, part: Part, made: int) -> bool:
        """Whether the number that is written to an entry is made from the one that was there, by adding something."""
        todo = [made]
        for node in todo:
            for operand in self._tape.operands(node):
                read = self._parts.get(operand)
                if read is not None and read.place == part.place and self._first(read.whole) == self._first(part.whole):
                    return True
                if self._tape.nodes[operand].op in ("add", "subtract", "multiply") and len(todo) < _LONGEST_SUM:
                    todo.append(operand)
        return False

    def _first(self, version: int) -> int:
        return self._line.get(version, (version, 0))[0]

    def _is_kept(self, array: int) -> bool:
        """Whether an array was there before the iteration, perhaps laid out in another way."""
        node = self._tape.nodes[array]
        while node.kind is Kind.VIEW and node.op in ("transpose", "reshape"):
            node = self._tape.nodes[self._tape.operands(node.id)[0]]
        return node.kind is Kind.LEAF or node.id in self._line

    def bindings(self) -> list[Binding]:
        """The bindings, in which the array gets a new value where a row of it was written, and not the row."""
        return [
            replace(b, node=part.whole, name=self.nodes[part.whole].names[-1])
            if (part := self._rows.get(b.node)) is not None and self._is_updated(part.whole) and self.nodes[part.whole].names
            else b
            for b in self._tape.bindings
        ]

    def _read(self, node: Node) -> None:
        part = self._places.of(node.args[0].node, node.args[1])
        if part is not None and (part.is_entry or node.kind is Kind.VIEW):
            self._parts[node.id] = part

    def _write(self, node: Node) -> None:
        """A write of an entry; also one of a row in which only an entry was written."""
        array, index, new = node.args
        part = self._places.of(array.node, index) if array.node not in self._parts else None
        if part is None:
            return
        if not part.is_entry and isinstance(new, Ref):
            row = self._tape.nodes[new.node]
            base = row.args[0] if row.op == "setitem" and row.kind is Kind.MUTATION else None
            known = self._parts.get(base.node) if isinstance(base, Ref) else None
            if known is None or (known.whole, known.place) != (part.whole, part.place):
                return
            assert isinstance(base, Ref)
            self._parts[new.node] = self._rows[new.node] = Part(node.id, part.items, part.place)
            part, new = self._places.of(base.node, row.args[1]), row.args[2]
        if part is None or not part.is_entry or not isinstance(new, Ref) or not is_real(node):
            return
        if array.node not in self._line and not self._is_kept(array.node):
            return
        first, number = self._line.setdefault(array.node, (array.node, 0))
        versions = self._versions.setdefault(first, [first])
        if number + 1 != len(versions):
            return  # a copy that goes its own way
        versions.append(node.id)
        self._line[node.id] = first, number + 1
        self._written[node.id], self._values[node.id] = part, new.node
        self._writes.setdefault((first, part.place), []).append(number + 1)
        if self._is_updating(part, new.node):
            self._updated.add(first)

    def _replace(self, node: int, array: Ref, items: tuple[Any, ...], *value: Ref) -> None:
        """Let a node read or write an entry of an array."""
        before, new = self.nodes[node], (array, items[0] if len(items) == 1 else items, *value)
        if before.args != new:
            self.nodes[node] = replace(before, args=new, read_from=None)

    def _read_whole(self) -> dict[int, list[tuple[int, Place]]]:
        """For the first version of each array, which versions are read in larger parts than entries, by number."""
        found: dict[int, list[tuple[int, Place]]] = {}
        for version, (first, number) in self._line.items():
            size = len(self.nodes[version].shape or ())
            for place in self._larger(version, size):
                found.setdefault(first, []).append((number, place))
        return {first: sorted(seen, key=_number) for first, seen in found.items()}

    def _larger(self, version: int, size: int) -> Iterator[Place]:
        todo = [version]
        while todo:
            current = todo.pop()
            for user in self._tape.users(current):
                node = self.nodes[user]
                part = self._parts.get(user)
                if node.kind is Kind.MUTATION or (part is not None and part.is_entry):
                    continue
                if part is not None and part.whole == version:
                    todo.append(user)  # a row counts if something but its entries is read
                else:
                    known = self._parts.get(current)
                    yield (None,) * size if known is None else known.place

    def _oldest(self, version: int, place: Place, window: int) -> int:
        """The version in whose place an entry of another one may be read: of those with a reader the oldest."""
        first, number = self._line[version]
        versions = self._versions[first]
        numbers = self._writes.get((first, place), [])
        at = bisect_right(numbers, number)
        ended = bisect_left(versions, window, hi=number + 1, key=lambda v: self.nodes[v].window) - 1
        start = max(numbers[at - 1] if at else 0, ended)  # the iteration begins with the last version of the one before
        seen = self._seen.get(first, [])
        own = seen[bisect_left(seen, number, key=_number) : bisect_right(seen, number, key=_number)]
        if any(is_within(place, read) for _, read in own):
            return version  # as a loss does that adds up rows and single entries: to it both are one variable
        for other, read in seen[bisect_left(seen, start, key=_number) :]:
            if other > number:
                break
            if is_within(place, read):
                return versions[other]
        return versions[start]


def _number(pair: tuple[int, Place]) -> int:
    return pair[0]


def _entry(part: Part) -> Entry:
    return Entry(part.whole, tuple(p for p in part.place if p is not None))
