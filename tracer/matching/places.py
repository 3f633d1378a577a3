"""What indices of whole numbers select: one entry of an array, or a row.

Comes in: a tape, node by node.  Goes out: for an array and an index the entries that it selects.  Invariant: only indices
that no real number goes into are known, so that they select the same on every replay.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tracer.gradients.adjoints import is_real
from tracer.ops.selection import LOOKED_UP
from tracer.tape.functions import Slice
from tracer.tape.node import Node, Ref
from tracer.tape.tape import Tape

#: For each axis of an array a position, or None for all of it.
Place = tuple[int | None, ...]


class Part(Struct, frozen=True):
    """Entries of an array: its node, for each axis what the index says, and the same in numbers."""

    whole: int
    items: tuple[Any, ...]
    place: Place

    @property
    def is_entry(self) -> bool:
        return None not in self.place


def is_within(place: Place, larger: Place) -> bool:
    """Whether an entry is one of others."""
    return all(other is None or other == own for own, other in zip(place, larger, strict=True))


class Places:
    """What the nodes of a tape select, as far as it was looked at.

    Attributes:
        parts: the nodes that read an entry or a row of an array, with what they read; rows of rows are rows of the array.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._fixed: list[bool] = []
        self.parts: dict[int, Part] = {}

    def see(self, node: Node) -> None:
        """Look at the next node."""
        self._fixed.append(self._is_fixed(node))

    def _is_fixed(self, node: Node) -> bool:
        """Whether a whole number is the same on every replay: no real number goes into it."""
        if node.shape is None or not node.dtype.startswith(("int", "uint")):
            return False
        return node.op in ("axis_size", "len") or all(self._fixed[k] for k in self._tape.operands(node.id))

    def of(self, whole: int, index: Any) -> Part | None:
        """The entries that an index of whole numbers and full slices selects."""
        inner = self.parts.get(whole)
        array = self._tape.nodes[whole if inner is None else inner.whole]
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
        return Part(array.id, tuple(items), tuple(places))

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
