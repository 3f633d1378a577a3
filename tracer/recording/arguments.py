"""Arguments as the tape keeps them: what has a node becomes a reference, everything else a constant.

In: boxes, containers of boxes, and plain values.  Out: references, constants, and tuples, lists, dicts and slices of
them.  What is neither number nor text becomes a `Stranger`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.box import NUMBERS, SHARED, Box, Place, is_number
from tracer.recording.held_numbers import Reading
from tracer.recording.locations import Locations
from tracer.tape.functions import Slice
from tracer.tape.node import Kind, Ref, Site, Span

_DEPTH, _LENGTH = 4, 2000
_NOWHERE = Place(Site(Span(0, 0, 0, 0), ""))


class Stranger(str):
    """What stands for an argument that is neither a number nor an array nor a container of them."""

    __slots__ = ()


def stranger(argument: Any) -> str:
    """The first stranger in an argument, or nothing."""
    if isinstance(argument, Stranger):
        return str(argument)
    if isinstance(argument, dict):
        argument = tuple(argument.values())
    if isinstance(argument, (tuple, list)):
        return next((found for item in argument if (found := stranger(item))), "")
    return ""


class Arguments(Locations):
    """References to nodes."""

    def reference(self, item: Any, literals: bool = False) -> Any:
        """An argument as the tape keeps it.

        Arguments:
            item: a box, a container of boxes, or a constant.
            literals: whether numbers written in the program stand for themselves.
        """
        if type(item) is Box:
            return self._reference_box(item, literals)
        if isinstance(item, tuple):
            return tuple([self.reference(part, literals) for part in item])
        if isinstance(item, list):
            return [self.reference(part, literals) for part in item]
        return item

    def _reference_box(self, box: Box, literals: bool) -> Any:
        node = box.node
        if node is not None:
            if isinstance(box.value, np.ndarray):
                # It may have been changed since it was read: `a[0], a[1] = a[1], a[0]`.
                node = self.memory.present(box.value, node, box.place)
            elif literals and node.kind is Kind.LITERAL and not node.names:
                return box.value
            return Ref(node.id)
        if isinstance(box.value, slice):
            parts = box.items or [Box(p) for p in (box.value.start, box.value.stop, box.value.step)]
            return Slice(*(self.reference(part, True) for part in parts))
        if box.items is not None and isinstance(box.value, (list, tuple)):
            return tuple([self.reference(part, literals) for part in box.items])
        return self.deep(box.value, box.place)

    def deep(self, value: Any, place: Place | None, depth: int = 0) -> Any:
        """A plain value as an argument: what has a node inside it becomes a reference."""
        if isinstance(value, (*NUMBERS, range)):
            if (
                isinstance(value, np.ndarray)
                and value.dtype == object
                and value.size < _LENGTH
                and depth < _DEPTH
            ):
                return self.deep(value.tolist(), place, depth + 1)
            if isinstance(value, np.ndarray) and not is_number(value):
                return self._strange(f"<array of {value.dtype}>")
            if isinstance(value, SHARED) or not is_number(value):
                return value
            node = self.lookup(value, place or _NOWHERE)
            return Ref(node.id) if node is not None else value
        if isinstance(value, (list, tuple)) and depth < _DEPTH and len(value) < _LENGTH:
            return tuple(self._item(value, at, part, place, depth) for at, part in enumerate(value))
        if isinstance(value, type) and issubclass(value, (np.generic, int, float)):
            return np.dtype(value).name
        if isinstance(value, np.dtype):
            return value.name
        if isinstance(value, (str, bytes, type(None), type(Ellipsis))):
            return value
        if isinstance(value, slice):
            return Slice(
                *(self.deep(part, place, depth + 1) for part in (value.start, value.stop, value.step))
            )
        if isinstance(value, dict) and depth < _DEPTH and len(value) < _LENGTH:
            return {str(key): self._item(value, key, part, place, depth) for key, part in value.items()}
        return self._strange(f"<{type(value).__name__}>")

    def _strange(self, what: str) -> Stranger:
        self.strangers += 1
        return Stranger(what)

    def _item(self, container: Any, at: int, part: Any, place: Place | None, depth: int) -> Any:
        found = self.locations.get((id(container), at))
        if found is not None and found[0] is part and place is not None:
            return Ref(self._present(found[1], part, place, "", Reading((id(container), at), True, container)).id)
        return self.deep(part, place, depth + 1)
