"""Walking through containers, arrays and iterators: each item comes out with its node.

In: a container as the program holds it.  Out: the same items in the same order, recorded as they are taken:
the rows of an array, the entries behind ``.flat``, ``np.nditer`` and ``np.ndenumerate``.
"""

from __future__ import annotations

import collections
import itertools
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tracer.recording import stubs
from tracer.recording.box import Box, Place, is_number
from tracer.recording.expressions import Expressions
from tracer.recording.held_numbers import Reading
from tracer.recording.positions import index_of
from tracer.tape.node import Kind, Node, Ref

_ITERATORS = (
    types.GeneratorType, map, zip, filter, enumerate, reversed, itertools.chain, itertools.islice,
    itertools.accumulate, itertools.repeat, itertools.starmap,
)  # fmt: skip
_CONTAINERS: tuple[type, ...] = (
    list, tuple, set, frozenset, collections.deque, type({}.values()), type({}.keys()), type({}.items()),
)  # fmt: skip


#: So many names at most does a loop bind before one that was handed on is among them.
_NAMES_BOUND_AT_ONCE = 4


class Walking(Expressions):
    """Callbacks of loops and unpackings, and what calls need to look into iterators."""

    #: The whole number that was taken from a tuple last, its node, and how many nodes there were then.
    handed: tuple[Any, Node | None, int] = (None, None, 0)

    def star(self, box: Box) -> list[Box]:
        """The boxes behind ``*items`` in a call or a display."""
        if (
            box.items is not None
            and isinstance(box.value, (list, tuple))
            and len(box.items) == len(box.value)
        ):
            return box.items
        return self.items_of(box.value, box.place or self.places[0])

    def items_of(self, container: Any, place: Place) -> list[Box]:
        """The boxes of the items of a container or an array."""
        found = []
        for at, value in enumerate(self.rows(container, place)):
            known = self.locations.get((id(container), at))
            if self.mode and known is not None and known[0] is value:
                node = self._present(known[1], value, place, "", Reading((id(container), at), True, container))
                found.append(Box(value, node, place))
            else:
                found.append(self.boxed(value, place))
        return found

    def consumed(self, box: Box, place: Place) -> Box:
        """What a call would use up or walk through anyway, as the list of what it gives."""
        value = box.value
        other = isinstance(value, np.flatiter) or (
            hasattr(type(value), "__next__") and not isinstance(value, np.nditer)
        )
        if not (other or isinstance(value, (*_ITERATORS, *_CONTAINERS))) or type(value) in (list, tuple):
            return box
        items = self.items_of(value, place)
        values = [item.value for item in items]
        return Box(values, None, place, items if any(item.node for item in items) else None)

    def iterate(self, index: int, box: Box, form: Any = None) -> Iterable[Any]:
        """What a recorded loop runs over.

        Arguments:
            form: how the loop unpacks each item: a tuple with one form, or None, for each part of it.
        """
        place = self.places[index]
        found: Iterable[Any] = self.rows(box.value, place)
        return found if form is None or not self.mode else self._unpacked(found, form, place)

    def _unpacked(self, items: Iterable[Any], form: Any, place: Place) -> Iterator[Any]:
        for item in items:
            yield self._entries_of(item, form, place) if self.mode else item

    def _entries_of(self, item: Any, form: tuple[Any, ...], place: Place) -> Any:
        """An item that is going to be unpacked: of an array the entries, recorded one by one."""
        if isinstance(item, np.ndarray) and item.ndim and is_number(item):
            return list(self._rows(item, place))
        if type(item) is tuple and len(item) == len(form):
            parts = [p if f is None else self._entries_of(p, f, place) for p, f in zip(item, form, strict=True)]
            return item if all(a is b for a, b in zip(item, parts, strict=True)) else tuple(parts)
        return item

    def rows(self, value: Any, place: Place) -> Any:
        """What a loop runs over; the parts of an array are recorded as they are taken."""
        if not self.mode:
            return value
        if isinstance(value, stubs.Progress):
            return self.rows(value.iterable, place)
        if isinstance(value, np.ndarray) and is_number(value):
            return self._rows(value, place)
        if isinstance(value, np.flatiter) and is_number(value.base):
            return self._entries(value, place)
        if isinstance(value, np.ndenumerate):
            return self._numbered(value, place)
        if isinstance(value, np.nditer):
            return self._nditer(value, place)
        if self.is_outside(value) and hasattr(type(value), "__next__"):
            return self._from_outside(value)
        if self.windowed and type(value) is tuple and any(type(item) is int for item in value):
            return self._handed_on(value)
        return value

    def _handed_on(self, items: tuple[Any, ...]) -> Iterator[Any]:
        """The items of a tuple; of a whole number, which Python shares, it is remembered which one comes next."""
        for at, item in enumerate(items):
            known = self.locations.get((id(items), at))
            if type(item) is int and known is not None and known[0] is item:
                self.handed = item, known[1], len(self.tape.nodes)
            yield item

    def _from_outside(self, values: Any) -> Iterator[Any]:
        """The lines of a file and the like: what they hold is given."""
        for value in values:
            if self.mode:
                self.given(value)
            yield value

    def _rows(self, array: np.ndarray, place: Place, step: int = 1) -> Iterator[Any]:
        for at in range(len(array))[::step]:
            row = array[at]
            self._part(array, at, row, place)
            yield row

    def _entries(self, flat: np.flatiter, place: Place) -> Iterator[Any]:
        array = flat.base
        while flat.index < array.size:
            at = flat.coords
            value = next(flat)
            self._part(array, tuple(int(k) for k in at), value, place)
            yield value

    def _numbered(self, numbered: Any, place: Place) -> Iterator[Any]:
        array = numbered.iter.base
        for at, value in numbered:
            self._part(array, at, value, place)
            yield at, value

    def _nditer(self, walk: Any, place: Place) -> Iterator[Any]:
        """Entries of the operands, which writes through ``v[...] = …`` change."""
        arrays = walk.operands
        for values in walk:
            for array, value in zip(arrays, values if isinstance(values, tuple) else (values,), strict=True):
                if not (self.mode and is_number(array)):
                    continue
                at = _index_in(array, value)
                if at is None:
                    self.notice("This walk of np.nditer cannot be followed entry by entry.", place)
                else:
                    above = self.memory.read(array, place)
                    node = self.node(Kind.VIEW, "getitem", (Ref(above.id), (*at, ...)), {}, value, place)
                    self.memory.attach(value, node, array)
            yield values

    def _part(self, array: np.ndarray, at: Any, value: Any, place: Place) -> None:
        if self.mode:
            self.emit("getitem", [Box(array, self.memory.read(array, place), place), at], {}, value, place)

    def loop_variable(self, index: int, value: Any) -> Box:
        """A name that a loop or a ``with`` has just bound."""
        place = self.places[index]
        if not self.mode or not is_number(value) or isinstance(value, bool):
            return Box(value, None, place)
        if isinstance(value, int):
            item, node, time = self.handed
            recent = len(self.tape.nodes) <= time + _NAMES_BOUND_AT_ONCE
            if recent and item is value and node is not None and node.kind is Kind.LITERAL:
                return Box(value, node, place)
            return Box(value, self.node(Kind.LEAF, "", (), {}, value, place), place)
        return Box(value, self.lookup(value, place, place.name), place)


def _index_in(array: np.ndarray, entry: Any) -> tuple[int, ...] | None:
    """The index of the one entry of ``array`` that ``entry`` shows; ``None`` if that is several, or a copy."""
    if not isinstance(entry, np.ndarray) or entry.ndim or entry.dtype != array.dtype:
        return None
    return index_of(array, entry)
