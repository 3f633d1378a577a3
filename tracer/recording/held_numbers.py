"""Numbers that the set-up made, once a window has read them: the leaf of each, wherever else it is read.

In: a number as the program holds it, and the place that it is read from.  Out: its leaf, if it has one by now.  A list
hands the same object to a loop that walks along it and to who reads the entry; but it may hold one object at several
places, ``[0.0] * 3``, and so may two variables.  Invariant: two places that may change apart have leaves of their own.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from tracer.recording.box import SHARED
from tracer.tape.node import Node

#: Longer containers are not searched for a number that they hold more than once.
_LONGEST = 2000


class Reading(NamedTuple):
    """How a number was read.

    Attributes:
        location: the place; None where only the object is known.
        known: whether the set-up was seen to put it there.
        holder: the container or object that it is a part of; None for a variable.
    """

    location: Hashable = None
    known: bool = False
    holder: Any = None


class _Seen(NamedTuple):
    value: Any
    leaf: Node
    location: Hashable


class HeldNumbers:
    """Which leaf stands for a number of the set-up."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._places: dict[int, int] = {}

    def put(self, value: Any) -> None:
        """The set-up puts a number in one more place."""
        if not isinstance(value, SHARED):
            self._places[id(value)] = self._places.get(id(value), 0) + 1

    def leaf(self, value: Any, made: Node, reading: Reading) -> Node | None:
        """The leaf that a window has for what the set-up's node ``made`` gave; None if there is none for this place."""
        seen = self._seen.get(id(value))
        if seen is None or seen.value is not value or seen.leaf.origin != made.id or not self._is_single(value, reading):
            return None
        if reading.known or reading.holder is not None:
            if seen.location not in (None, reading.location):
                return None
            self._seen[id(value)] = seen._replace(location=reading.location)
        return seen.leaf

    def keep(self, value: Any, leaf: Node, reading: Reading) -> None:
        """A window has made a leaf."""
        if self._is_single(value, reading):
            place = reading.location if reading.known or reading.holder is not None else None
            self._seen.setdefault(id(value), _Seen(value, leaf, place))

    def clear(self) -> None:
        self._seen.clear()
        self._places.clear()

    def _is_single(self, value: Any, reading: Reading) -> bool:
        """Whether nothing else that the program can tell apart is known to be the same object."""
        if isinstance(value, SHARED):
            return False
        if reading.known:
            return self._places.get(id(value)) == 1
        match reading.holder:
            case None:
                return True
            case list() | tuple() as items:
                pass
            case dict() as table:
                items = list(table.values())
            case _:
                return False
        return len(items) <= _LONGEST and sum(item is value for item in items) == 1
