"""The callbacks of what is read: variables, numbers written in the program, and values that were computed natively."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np

from tracer.recording.box import SHARED, Box, Place, is_number
from tracer.recording.structured import Structured
from tracer.tape.node import Kind, Node

LEAF = Kind.LEAF
_COMPREHENSIONS = frozenset(("<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>"))


def _stands_for_an_item(code: types.CodeType, name: str, value: Any) -> bool:
    """Whether a variable is of a comprehension, so that its value is one that is held elsewhere; integers are shared."""
    return code.co_name in _COMPREHENSIONS and name in code.co_varnames and not isinstance(value, SHARED)


class Names(Structured):
    """Callbacks that give the `Box` of a value that is there already."""

    def literal(self, index: int, value: Any) -> Box:
        place = self.places[index]
        if not self.mode or isinstance(value, bool) or not isinstance(value, (int, float, complex)):
            if isinstance(value, (str, bytes)):
                self.texts[id(value)] = value
            return Box(value, None, place)
        if isinstance(value, float):
            value = float(repr(value))  # A new object: its identity now means this literal.
        node = self.node(Kind.LITERAL, "", (), {}, value, place)
        self.remember(value, node)
        return Box(value, node, place)

    def name(self, index: int, value: Any) -> Box:
        place = self.places[index]
        if not self.mode:
            return Box(value, None, place)
        if type(value) is np.ndarray and (made := self._seen(value)) is not None:
            return Box(value, made, place)
        return self._read(place, value, sys._getframe(1))

    def _seen(self, value: np.ndarray) -> Node | None:
        """The node of an array that was made in this window, and has not changed since it was looked at."""
        record = self.memory.records.get(id(value))
        if record is not None and record.version == record.storage.version:
            made = record.node
            if (made.kind is not LEAF or made.origin is not None) and (
                made.value is value or (made.window >= 0 and id(value) in self.memory.checked and record() is value)
            ):
                return made
        return None

    def _read(self, place: Place, value: Any, frame: types.FrameType) -> Box:
        if not is_number(value):
            return Box(value, None, place)
        location = None if _stands_for_an_item(frame.f_code, place.name, value) else self.where(frame, place.name)
        return Box(value, self.lookup(value, place, place.name, location), place)

    def natively(self, index: int) -> int:
        """The expression at this place runs as it stands; `native` gets its value."""
        self.memory.anything_may_change()
        self.memory.lending.foreign += 1
        return index

    def native(self, index: int, value: Any) -> Box:
        """A value of an expression that ran as it stands."""
        self.memory.checked.clear()
        self.memory.lending.foreign -= 1
        return self.wrap(index, value)

    def unrecorded(self) -> None:
        """A statement that runs as it stands comes next, or has just run."""
        self.memory.anything_may_change()

    def wrap(self, index: int, value: Any) -> Box:
        """A value that was computed natively."""
        place = self.places[index]
        if self.mode and value is None and place.site.text.startswith("exec("):
            self.notice("What exec() does cannot be followed.", place)
        known = self.memory.known(value) is not None if isinstance(value, np.ndarray) else self.known(value)
        if self.windowed and is_number(value) and not isinstance(value, (*SHARED, range)) and not known:
            self.notice("This value is computed in a way that cannot be followed.", place)
            node = self.node(Kind.OPAQUE, "native", (), {}, value, place)
            self.remember(value, node)
        return self.boxed(value, place)

    def boxed(self, value: Any, place: Place, name: str = "") -> Box:
        """A box for a plain value that has no location."""
        if not self.mode or isinstance(value, SHARED) or not is_number(value):
            return Box(value, None, place)
        if isinstance(value, range) and not self.known(value):
            return Box(value, None, place)
        return Box(value, self.lookup(value, place, name), place)
