"""What a program was given: numbers, arrays and texts from modules, from files, from before the window.

In: values that no recorded operation made.  Out: whether they may be read as given, or a notice that where they were
computed could not be followed.
"""

from __future__ import annotations

import weakref
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tracer.recording.box import SHARED, Box, Place, is_number
from tracer.recording.lending import ultimate
from tracer.recording.provenance import values_alive
from tracer.recording.state import State
from tracer.tape.node import Kind

#: Texts in longer lists are not known.
_LENGTH = 2000


class Given(State):
    """Values from elsewhere."""

    def look_around(self) -> None:
        """A window opens: whatever is there now may be read in it as given."""
        self.alive = values_alive()

    def given(self, value: Any) -> None:
        """``value`` comes from outside the program's arithmetic: from a module, a file, the clock."""
        if isinstance(value, np.ndarray):
            self.alive.update((id(value), id(ultimate(value))))
        elif is_number(value):
            self.alive.add(id(value))
        elif isinstance(value, (str, bytes)):
            self.texts[id(value)] = value
        elif value is not None and not isinstance(value, bool):
            try:
                # A file that only this dictionary held would be closed too late.
                self.outside[id(value)] = weakref.ref(value)
            except TypeError:
                self.outside[id(value)] = value
            if isinstance(value, (list, tuple)):
                self.texts.update(
                    (id(item), item) for item in value[:_LENGTH] if isinstance(item, (str, bytes))
                )

    def is_outside(self, value: Any) -> bool:
        if isinstance(value, ModuleType):
            return True
        known = self.outside.get(id(value))
        return known is not None and (known() if isinstance(known, weakref.ref) else known) is value

    def depends(self, boxes: tuple[Box, ...]) -> bool:
        """Whether anything that was recorded goes into a call with these arguments."""
        return any(
            (box.node is not None and box.node.kind is not Kind.LITERAL) or self.holds_recorded(box.value)
            for box in boxes
        )

    def holds_recorded(self, value: Any, depth: int = 0) -> bool:
        """Whether a value may be, or hold, something that was recorded."""
        if isinstance(value, np.ndarray):
            return is_number(value) and self.memory.known(value) is not None
        if isinstance(value, (float, complex, np.generic)):
            found = self.identities.get(id(value))
            return found is not None and found[0] is value and found[1].kind is not Kind.LITERAL
        if isinstance(value, (str, bytes)):
            return len(value) > 0 and (value in self.written_to or id(value) not in self.texts)
        if isinstance(value, (list, tuple)) and depth < 3:
            return any(self.holds_recorded(item, depth + 1) for item in value[:100])
        if isinstance(value, dict) and depth < 3:
            return any(self.holds_recorded(item, depth + 1) for item in list(value.values())[:100])
        if callable(value):
            return isinstance(value, FunctionType)
        return not (isinstance(value, (type(None), int, bool)) or self.is_outside(value))

    def told(self, value: Any, *sources: Box) -> None:
        """A text, or the path of a file, was put together: it comes from outside if all its parts do."""
        if isinstance(value, (str, bytes, PurePath)) and not self.depends(sources):
            self.given(value)

    def arrives(self, value: Any, place: Place | None) -> bool:
        """A leaf is made for ``value`` in a window: whether it was not there before the window, which is said."""
        if not self.windowed or isinstance(value, SHARED):
            return False
        part: Any = value
        while id(part) not in self.alive:
            part = getattr(part, "base", None) if isinstance(part, np.ndarray) else None
            if part is None and self.look_again:
                self.look_again, part = False, value
                self.alive |= values_alive()
            elif part is None:
                self.notice(
                    "Where this value was computed could not be followed; it is taken as given.", place
                )
                return True
        return False
