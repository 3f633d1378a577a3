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
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.ops.selection import LOOKED_UP
from tracer.tape.functions import Slice
from tracer.tape.node import Binding, Kind, Node, Ref
from tracer.tape.tape import Tape

#: For each axis of an array a position, or None for all of it.
Place = tuple[int | None, ...]


class Entry(Struct, frozen=True):
    """One entry of one version of an array."""

    whole: int
    place: tuple[int, ...]


class _Part(Struct, frozen=True):
    """Entries of an array: its node, for each axis what the index says, and the same in numbers."""

    whole: int
    items: tuple[Any, ...]
    place: Place

    @property
    def is_entry(self) -> bool:
        return None not in self.place


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
        self._fixed: list[bool] = []
        self._parts: dict[int, _Part] = {}
        self._written: dict[int, _Part] = {}
        self._rows: dict[int, _Part] = {}
        self._line: dict[int, tuple[int, int]] = {}  # version → the first one of its array, and its number
        self._versions: dict[int, list[int]] = {}
        self._writes: dict[tuple[int, Place], list[int]] = {}
        for node in tape.nodes:
            self._fixed.append(self._is_fixed(node))
            if node.window >= 0 and len(node.args) > 1 and isinstance(node.args[0], Ref):
                if node.op == "getitem":
                    self._read(node)
                elif node.op == "setitem" and len(node.args) == 3:
                    self._write(node)
        self._seen = self._read_whole()
        for node, part in self._parts.items():
            if part.is_entry and part.whole in self._line:
                oldest = self._oldest(part.whole, part.place, tape.nodes[node].window)
                self._parts[node] = replace(part, whole=oldest)
                self._replace(node, "getitem", Ref(oldest), part.items)
        self.changed = any(new is not old for new, old in zip(self.nodes, tape.nodes, strict=True))

    def written(self, node: int) -> Entry | None:
        """The entry that a write changes, in the version before it; None if it is no write of one entry."""
        part = self._written.get(node)
        return None if part is None else _entry(part)

    def read(self, node: int) -> Entry | None:
        """The entry of an array written entry by entry that a node reads."""
        part = self._parts.get(node)
        if part is None or not part.is_entry or part.whole not in self._line:
            return None
        return _entry(part)

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
            if length == len(places) and all(_is_within(place, part.place) for place in places):
                yield node

    def is_same(self, one: Entry, other: Entry) -> bool:
        """Whether two entries are one, because nothing was written there between the two versions."""
        first, second = (self._line.get(e.whole) for e in (one, other))
        if one.place != other.place or first is None or second is None or first[0] != second[0]:
            return False
        low, high = sorted((first[1], second[1]))
        numbers = self._writes.get((first[0], one.place), [])
        return bisect_right(numbers, low) == bisect_right(numbers, high)

    def bindings(self) -> list[Binding]:
        """The bindings, in which the array gets a new value where a row of it was written, and not the row."""
        return [
            replace(b, node=part.whole, name=self.nodes[part.whole].names[-1])
            if (part := self._rows.get(b.node)) is not None and self.nodes[part.whole].names
            else b
            for b in self._tape.bindings
        ]

    def _is_fixed(self, node: Node) -> bool:
        """Whether a whole number is the same on every replay: no real number goes into it."""
        if node.shape is None or not node.dtype.startswith(("int", "uint")):
            return False
        return node.op in ("axis_size", "len") or all(self._fixed[k] for k in self._tape.operands(node.id))

    def _part_of(self, whole: int, index: Any) -> _Part | None:
        """The entries that an index of whole numbers and full slices selects."""
        inner = self._parts.get(whole)
        array = self.nodes[whole if inner is None else inner.whole]
        if array.shape is None or not is_real(array):
            return None
        items = list(inner.items if inner is not None else [Slice()] * len(array.shape))
        places: list[int | None] = list(inner.place if inner is not None else [None] * len(items))
        free = [at for at, place in enumerate(places) if place is None]
        given = index if isinstance(index, tuple) else (index,)
        if len(given) > len(free):
            return None
        for at, item in zip(free, given, strict=False):
            if isinstance(item, Slice) and item == Slice():
                continue
            position = self._position(item, array.shape[at])
            if position is None:
                return None
            items[at], places[at] = self._item(item, position), position
        return _Part(array.id, tuple(items), tuple(places))

    def _position(self, item: Any, size: int) -> int | None:
        value = item
        if isinstance(item, Ref):
            value = self._tape.nodes[item.node].value if self._fixed[item.node] else None
        if value is None or isinstance(value, (bool, Slice)) or getattr(value, "shape", ()) != ():
            return None
        try:
            position = int(value.__index__())
        except AttributeError:
            return None
        return position + size if position < 0 else position

    def _item(self, item: Any, position: int) -> Any:
        """An index as it is written down: one that was looked up in data keeps its formula."""
        looked_up = isinstance(item, Ref) and self._tape.nodes[item.node].op in LOOKED_UP
        return item if looked_up else position

    def _read(self, node: Node) -> None:
        part = self._part_of(node.args[0].node, node.args[1])
        if part is not None and (part.is_entry or node.kind is Kind.VIEW):
            self._parts[node.id] = part

    def _write(self, node: Node) -> None:
        """A write of an entry; also one of a row in which only an entry was written."""
        array, index, new = node.args
        part = self._part_of(array.node, index) if array.node not in self._parts else None
        if part is None:
            return
        if not part.is_entry and isinstance(new, Ref):
            row = self.nodes[new.node]
            base = row.args[0] if row.op == "setitem" and row.kind is Kind.MUTATION else None
            known = self._parts.get(base.node) if isinstance(base, Ref) else None
            if known is None or (known.whole, known.place) != (part.whole, part.place):
                return
            assert isinstance(base, Ref)
            self._parts[new.node] = self._rows[new.node] = _Part(node.id, part.items, part.place)
            part, new = self._part_of(base.node, row.args[1]), row.args[2]
        if part is None or not part.is_entry or not isinstance(new, Ref) or not is_real(node):
            return
        self._replace(node.id, "setitem", Ref(array.node), part.items, new)
        first, number = self._line.setdefault(array.node, (array.node, 0))
        versions = self._versions.setdefault(first, [first])
        if number + 1 != len(versions):
            return  # a copy that goes its own way
        versions.append(node.id)
        self._line[node.id] = first, number + 1
        self._written[node.id] = part
        self._writes.setdefault((first, part.place), []).append(number + 1)

    def _replace(self, node: int, op: str, *args: Any) -> None:
        before = self.nodes[node]
        at = args[1][0] if len(args[1]) == 1 else args[1]
        new = (args[0], at, *args[2:])
        if before.args != new:
            self.nodes[node] = replace(before, op=op, args=new, read_from=None)

    def _read_whole(self) -> dict[int, list[tuple[int, Place]]]:
        """For the first version of each array, which versions are read in larger parts than entries, by number."""
        found: dict[int, list[tuple[int, Place]]] = {}
        for version, (first, number) in self._line.items():
            size = len(self.nodes[version].shape or ())
            for place in self._larger(version, size):
                found.setdefault(first, []).append((number, place))
        return {first: sorted(seen, key=lambda pair: pair[0]) for first, seen in found.items()}

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
        for other, read in seen[bisect_left(seen, start, key=lambda pair: pair[0]) :]:
            if other > number:
                break
            if _is_within(place, read):
                return versions[other]
        return versions[start]


def _is_within(place: Place, larger: Place) -> bool:
    return all(other is None or other == own for own, other in zip(place, larger, strict=True))


def _entry(part: _Part) -> Entry:
    return Entry(part.whole, tuple(p for p in part.place if p is not None))
