"""Arrays of records: each field is an array of its own.

In: ``people["age"]``, ``people[0]["age"] = …``, ``people.age`` of a record array.  Out: the box of that field's entries,
which are a view of the whole field.

Invariant: of each field of the array that owns the memory one view is kept, which is the first array of its own storage;
what is written to records otherwise is seen when the field is read again.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from tracer.recording.box import Box, Place, is_number
from tracer.recording.emitting import Emitting
from tracer.recording.lending import ultimate
from tracer.recording.positions import flat_positions, index_of
from tracer.tape.node import UNTRACKED, Kind, Node, Ref

#: What these make holds zeros, ones or nothing.
FRESH = (np.zeros, np.empty, np.ones, np.zeros_like, np.empty_like, np.ones_like, np.recarray)


def has_fields(value: Any) -> bool:
    """Whether a value is an array of records, or one record of it."""
    return isinstance(value, (np.ndarray, np.void)) and value.dtype.names is not None


class Structured(Emitting):
    """Callbacks of fields."""

    @abstractmethod
    def store_item(self, box: Box, owner: Box, key: Box, place: Place) -> None:
        """``owner[key] = value``"""

    def field(self, container: Any, name: Any, value: Any, place: Place) -> Box:
        """The box of ``container[name]``, which is ``value``."""
        if not isinstance(name, str) or not is_number(value):
            return Box(value, None, place)
        whole, at = self._whole(container, name), _place_in(container)
        if whole is None or at is None:
            self.notice("This field of records cannot be followed.", place)
            return self.emit("field", [], {}, value, place, Kind.OPAQUE)
        above = self._node_of(whole, place.site.text, place)
        if not isinstance(value, np.ndarray):
            return self.emit("getitem", [Box(whole, above, place), at], {}, value, place)
        return self._shown(whole, above, at, value, place)

    def set_field(self, box: Box, container: Any, name: str, place: Place) -> None:
        """``container[name] = value``"""
        whole, at = self._whole(container, name), _place_in(container)
        if whole is None or at is None or not is_number(whole):
            self.memory.anything_may_change()
            container[name] = box.value
            return
        index: Any = (*at, ...)
        part = container[name] if isinstance(container, np.ndarray) else whole[index]
        above = self._node_of(whole, name, place)
        self.store_item(box, self._shown(whole, above, at, part, place), Box(Ellipsis), place)

    def _shown(self, whole: np.ndarray, above: Node, at: tuple[int, ...], part: np.ndarray, place: Place) -> Box:
        args: tuple[Any, ...] = (Ref(above.id), (*at, ...))
        op = "getitem"
        if not at and not _is_same_memory(part, whole):
            positions = flat_positions(whole, part)
            if positions is None:
                self.notice("This field of records cannot be followed.", place)
                return self.emit("field", [], {}, part, place, Kind.OPAQUE)
            op, args = "take_flat", (Ref(above.id), positions)
        node = self.node(Kind.VIEW, op, args, {}, part, place)
        self.memory.attach(part, node, whole)
        return Box(part, node, place)

    def _whole(self, container: Any, name: str) -> np.ndarray | None:
        """The field of the array that owns the memory."""
        holder = container if isinstance(container, np.ndarray) else container.base
        if not isinstance(holder, np.ndarray):
            return None
        owner = ultimate(holder)
        fields: Any = owner.dtype.fields or {}
        if fields.get(name) != container.dtype.fields[name]:
            return None
        found = self.fields.get((id(owner), name))
        if found is None or found[0] is not owner:
            found = self.fields[id(owner), name] = owner, np.asarray(owner)[name]
        return found[1]

    def _node_of(self, whole: np.ndarray, name: str, place: Place) -> Node:
        if self.memory.known(whole) is None:
            leaf = self.node(Kind.LEAF, UNTRACKED if self.arrives(whole, place) else "", (), {}, whole, place, None, (name,))
            self.memory.set_apart(whole, leaf)
        return self.memory.read(whole, place)


def _place_in(container: Any) -> tuple[int, ...] | None:
    """The index of one record in the array that owns it, ``()`` for an array; ``None`` if it owns itself."""
    if isinstance(container, np.ndarray):
        return ()
    owner = ultimate(container.base) if isinstance(container.base, np.ndarray) else None
    return None if owner is None else index_of(owner, container)


def _is_same_memory(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays of one type show the same entries in the same order."""
    first, second = (a.__array_interface__["data"][0] for a in (one, other))
    return first == second and one.shape == other.shape and one.strides == other.strides
