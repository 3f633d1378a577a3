"""Functions that are called entry by entry or row by row: ``np.vectorize(f)(x)`` and ``np.apply_along_axis(f, 1, x)``.

In: such a call.  Out: the box of its result, made of what ``f`` gave for each part.  Up to a stated number of parts
each call is recorded; more of them, and forms with signatures, are kept as one step with a notice.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from tracer.recording.box import Box, Place, is_number, same
from tracer.recording.state import Mode
from tracer.recording.writing_calls import WritingCalls
from tracer.tape.node import Kind, Node, Ref

#: More parts than these are not recorded one by one.
MOST_PARTS = 2000


class Vectorised(WritingCalls):
    """Callbacks of calls that call a function for each part of an array."""

    @abstractmethod
    def invoke(
        self,
        place: Place,
        function: Any,
        args: list[Box],
        kwargs: dict[str, Box],
        function_box: Box | None = None,
    ) -> Box:
        """Carry out a call, and record it."""

    def vectorised(self, function: Any, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box | None:
        """The result of a call of an ``np.vectorize`` object; ``None`` if it is to be kept as one step."""
        plain = function.signature is None and not function.excluded and not function.cache
        values = [np.asarray(box.value) for box in args]
        if not plain or kwargs or not values or not all(is_number(value) for value in values):
            return None
        shape = np.broadcast_shapes(*(value.shape for value in values))
        size = int(np.prod(shape))
        if not 0 < size <= MOST_PARTS:
            return None
        types = function.otypes
        if types is None:  # NumPy calls the function once more to see what it gives.
            first = self._natively(function.pyfunc, [value.flat[0] for value in values])
            if isinstance(first, tuple):
                return None
            types = np.asarray(first).dtype.char
        spread = [np.broadcast_to(value, shape) for value in values]
        made = []
        for at in np.ndindex(shape):
            parts = []
            for box, value, whole in zip(args, values, spread, strict=True):
                inside = at[len(shape) - value.ndim :]
                index = tuple(0 if n == 1 else k for k, n in zip(inside, value.shape, strict=True))
                parts.append(self.emit("item", [box, *index], {}, whole[at].item(), place))
            made.append(self.invoke(place, function.pyfunc, parts, {}))
        result = np.array([box.value for box in made], dtype=types[0])
        flat = self.emit(
            "array",
            [Box([box.value for box in made], items=made)],
            {"dtype": result.dtype.name},
            result,
            place,
        )
        if flat.node is None:
            return Box(result.reshape(shape), None, place)
        if len(shape) == 1:
            return flat
        whole_result = result.reshape(shape).copy() if shape else result.reshape(())[()]
        node = self.node(
            Kind.OPERATION, "reshape", (Ref(flat.node.id),), {"shape": shape}, whole_result, place
        )
        self.remember(whole_result, node)
        return Box(whole_result, node, place)

    def _natively(self, function: Any, values: list[Any]) -> Any:
        mode = self.mode
        self.turn(Mode.OFF)
        try:
            return function(*values)
        finally:
            self.turn(mode)

    def along_axis(self, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box | None:
        """``np.apply_along_axis(f, axis, x)``; ``None`` if it is to be kept as one step."""
        if (
            len(args) != 3
            or kwargs
            or not isinstance(args[2].value, np.ndarray)
            or not is_number(args[2].value)
        ):
            return None
        function, axis, array = args[0].value, args[1].value, args[2].value
        if not isinstance(axis, int) or array.size > MOST_PARTS or array.size == 0:
            return None
        made: list[Box] = []

        def row(part: Any) -> Any:
            made.append(self.invoke(place, function, [Box(part, self.memory.read(part, place), place)], {}))
            return made[-1].value

        result = np.apply_along_axis(row, axis, array)
        node = self._put_together(made, array.ndim, axis % array.ndim, array.shape, result, place)
        if node is None:
            self.notice(
                "apply_along_axis() is kept as one step: what it computes inside is not followed.", place
            )
            return self.emit("apply_along_axis", [args[2]], {}, result, place, Kind.OPAQUE)
        self.remember(result, node)
        return Box(result, node, place)

    def _put_together(
        self, made: list[Box], ndim: int, axis: int, shape: tuple[int, ...], result: Any, place: Place
    ) -> Node | None:
        """The node of the whole, from the boxes of its rows; ``None`` where the rows do not give it."""
        rows = np.array([box.value for box in made])
        others = tuple(n for k, n in enumerate(shape) if k != axis)
        whole = rows.reshape(others + rows.shape[1:])
        if rows.ndim > 2:
            return None
        moved = np.moveaxis(whole, -1, axis) if rows.ndim == 2 else whole
        if not same(np.ascontiguousarray(moved), np.ascontiguousarray(result)):
            return None
        node = self.emit("array", [Box([box.value for box in made], items=made)], {}, rows, place).node
        if node is None:
            return None
        if whole.shape != rows.shape:
            node = self.node(Kind.OPERATION, "reshape", (Ref(node.id),), {"shape": whole.shape}, whole, place)
        if rows.ndim == 2 and axis != ndim - 1:
            node = self.node(Kind.OPERATION, "moveaxis", (Ref(node.id), -1, axis), {}, moved, place)
        return node
