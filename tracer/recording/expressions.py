"""The callbacks of expressions: attributes, subscripts, slices and displays."""

from __future__ import annotations

import functools
import types
from functools import cache
from typing import Any

import numpy as np

from tracer.recording.box import NUMBERS, Box, Place, is_number
from tracer.recording.harmless import is_recorded
from tracer.recording.names import LEAF
from tracer.recording.operators import Operators
from tracer.recording.structured import has_fields
from tracer.tape.node import Call


def getter_of(kind: type, name: str) -> str:
    """The name of the program's own function that reading a property calls; ``""`` if it is no property."""
    try:
        return _getter(kind, name)
    except TypeError:  # A class may be one that cannot be a key.
        return ""


@cache
def _getter(kind: type, name: str) -> str:
    found = next((each.__dict__[name] for each in kind.__mro__ if name in each.__dict__), None)
    if isinstance(found, functools.cached_property):
        function: Any = found.func
    else:
        function = found.fget if isinstance(found, property) else None
    recorded = isinstance(function, types.FunctionType) and is_recorded((function.__code__,))
    return function.__name__ if recorded else ""


class Expressions(Operators):
    """Callbacks that give a `Box`."""

    def plain(self, box: Any) -> Any:
        return box.value if isinstance(box, Box) else box

    def truth(self, box: Box) -> bool:
        return bool(box.value)

    def text_begins(self) -> int:
        """An f-string begins: how many recorded values have been put into texts so far."""
        return self.put_into_texts

    def formatted(self, box: Any) -> Any:
        """The plain value of a part of an f-string."""
        if self.mode and isinstance(box, Box) and self.depends((box,)):
            self.put_into_texts += 1
        return self.plain(box)

    def text(self, index: int, before: int, value: str) -> Box:
        """An f-string; it comes from outside if nothing recorded was put into it since it began."""
        if self.mode and before == self.put_into_texts:
            self.given(value)
        return Box(value, None, self.places[index])

    def imported(self, values: list[Any]) -> None:
        """Names that an ``import`` has just bound."""
        if self.mode:
            for value in values:
                self.given(value)

    def following(self) -> bool:
        """Whether code that runs natively where nothing is recorded is to be recorded here."""
        return self.room()

    def attribute(self, index: int, owner: Box, name: str) -> Box:
        place = self.places[index]
        if not self.mode:
            return Box(getattr(owner.value, name), None, place)
        getter = getter_of(type(owner.value), name)
        if getter:
            outside = self.calls
            self.calls = (*outside, Call(getter, place.site))
            try:
                value = getattr(owner.value, name)
            finally:
                self.calls = outside
        else:
            value = getattr(owner.value, name)
        if isinstance(owner.value, (np.ndarray, np.generic)):
            return self._of_array(owner, name, value, place)
        if self.is_outside(owner.value) and self.outside.get(id(value)) is not value:
            self.given(value)
        if name in ("real", "imag") and isinstance(owner.value, (int, float, complex)):
            return self.emit(name, [owner], {}, value, place)
        if callable(value) or not isinstance(value, (*NUMBERS, range)):
            return Box(value, None, place)
        node = self.lookup(value, place, place.site.text, (id(owner.value), name), owner.value)
        if node is not None and not node.names and node.window >= 0 and node.kind is not LEAF:
            # It was stored by code that is not recorded: a named tuple, the `__init__` of a data class.
            node.names.append(place.site.text)
        return Box(value, node, place)

    def _of_array(self, owner: Box, name: str, value: Any, place: Place) -> Box:
        if name == "T":
            return self.emit("transpose", [owner], {"axes": None}, value, place)
        if name == "shape":
            items = [self.emit("axis_size", [owner], {"axis": k}, n, place) for k, n in enumerate(value)]
            for at, item in enumerate(items):
                self.locate_item(value, at, item)
            return Box(value, None, place, items)
        if name in ("size", "ndim", "real", "imag") and not callable(value):
            return self.emit(name, [owner], {}, value, place)
        if callable(value):
            return Box(value, None, place, owner=owner)
        if has_fields(owner.value) and name in owner.value.dtype.names:
            return self.field(owner.value, name, value, place)
        if name in ("A", "A1") and isinstance(owner.value, np.matrix):
            return self.emit("reshape", [owner], {"shape": np.shape(value)}, value, place)
        return Box(value, None, place)

    def slice(self, index: int, *parts: Any) -> Box:
        boxes = [p if isinstance(p, Box) else Box(None) for p in parts]
        return Box(slice(*(b.value for b in boxes)), None, self.places[index], boxes)

    def display(self, index: int, kind: str, boxes: list[Box]) -> Box:
        place = self.places[index]
        values = [b.value for b in boxes]
        container: Any = tuple(values) if kind == "tuple" else set(values) if kind == "set" else values
        if self.mode and kind != "set" and len(boxes) < 1000:
            for at, box in enumerate(boxes):
                self.locate_item(container, at, box)
        return Box(container, None, place, boxes if self.mode else None)

    def dictionary(self, index: int, keys: list[Any], stars: list[bool], values: list[Box]) -> Box:
        found: dict[Any, Any] = {}
        for key, star, box in zip(keys, stars, values, strict=True):
            if star:
                found.update(box.value)
            else:
                found[key] = box.value
                if self.mode:
                    self.locate_item(found, key, box)
                    if box.node is not None and isinstance(box.value, np.ndarray):
                        self.bound(f"[{key!r}]", box, self.places[index])
        return Box(found, None, self.places[index])

    def subscript(self, index: int, owner: Box, key: Box) -> Box:
        place = self.places[index]
        value = owner.value[key.value]
        return self.item(owner, key, value, place) if self.mode else Box(value, None, place)

    def item(self, owner: Box, key: Box, value: Any, place: Place) -> Box:
        """The box of ``owner[key]``, which is ``value``."""
        container = owner.value
        if isinstance(container, (np.ndarray, np.void)) and has_fields(container):
            return self.field(container, key.value, value, place)
        if isinstance(container, np.ndarray) and not is_number(container):
            return Box(value, self.lookup(value, place), place)
        if isinstance(container, (np.ndarray, np.generic)):
            return self.emit("getitem", [owner, self.index(key)], {}, value, place)
        if isinstance(container, range):
            return self.emit("getitem", [owner, self.index(key)], {}, value, place)
        if isinstance(container, np.flatiter) and is_number(container.base):
            array = container.base
            whole = array.reshape(-1).view() if array.flags.c_contiguous else array.reshape(-1)
            base = Box(array, self.memory.read(array, place), place)
            flat = self.emit("reshape", [base], {"shape": whole.shape}, whole, place)
            return self.emit("getitem", [flat, self.index(key)], {}, value, place)
        if owner.items is not None and isinstance(container, (tuple, list)) and isinstance(key.value, int):
            return (
                owner.items[key.value]
                if -len(owner.items) <= key.value < len(owner.items)
                else self.boxed(value, place)
            )
        if container is np.c_ or container is np.r_:
            parts = key.items if isinstance(key.value, tuple) and key.items is not None else [key]
            return self.emit("c_" if container is np.c_ else "r_", list(parts), {}, value, place)
        if isinstance(value, (list, tuple)) and isinstance(container, (tuple, list, dict)):
            return Box(value, None, place)
        if self.is_outside(container):
            self.given(value)
        if not is_number(value):
            return Box(value, None, place)
        location = (id(container), key.value) if isinstance(key.value, (str, int)) else None
        return Box(value, self.lookup(value, place, place.site.text, location, container), place)

    def index(self, key: Box) -> Any:
        """An index as the tape keeps it: written numbers stand for themselves, and a list stays a list."""
        if isinstance(key.value, list):
            return list(self.reference(key, literals=True))
        if isinstance(key.value, tuple) and key.items is not None:
            return tuple(self.index(item) for item in key.items)
        return self.reference(key, literals=True)
