"""Functions that are called entry by entry or row by row: ``np.vectorize(f)(x)`` and ``np.apply_along_axis(f, 1, x)``.

In: such a call.  Out: the box of its result, made of what ``f`` gave for each part.  Up to a stated number of parts
each call is recorded; more of them, and forms with signatures, are kept as one step with a notice.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tracer.recording.box import Box, Place, is_number, same
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
        if function.signature is not None or function.cache or isinstance(function.pyfunc, type(np._NoValue)):
            return None
        walked: dict[int | str, Box] = dict(enumerate(args))
        walked.update(kwargs)
        whole = {key: walked.pop(key) for key in [*walked] if key in function.excluded}
        spread = _spread(walked)
        if spread is None:
            return None

        def called(parts: Mapping[int | str, Box]) -> Box:
            given: dict[int | str, Box] = {**parts, **whole}
            named = {key: box for key, box in given.items() if isinstance(key, str)}
            return self.invoke(place, function.pyfunc, [given[k] for k in range(len(args))], named)

        types = function.otypes
        if types is None:  # NumPy calls the function once more to see what it gives.
            first = called(self._entries_at((0,) * next(iter(spread.values())).ndim, walked, spread, place)).value
            types = "".join(np.asarray(part).dtype.char for part in _as_tuple(first))
        made = self._part_by_part(called, walked, spread, place)
        shape = next(iter(spread.values())).shape
        if len(types) == 1:
            return self._put_in_array(made, types[0], shape, place)
        columns = [self.items_of(box.value, place) if box.items is None else box.items for box in made]
        arrays = [self._put_in_array([c[k] for c in columns], kind, shape, place) for k, kind in enumerate(types)]
        return Box(tuple(box.value for box in arrays), None, place, arrays)

    def from_python(self, function: np.ufunc, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box | None:
        """The result of a call of what ``np.frompyfunc`` made; ``None`` if it is to be kept as one step."""
        made_of = self.python_functions.get(id(function))
        spread = _spread(dict(enumerate(args)))
        if made_of is None or kwargs or function.nout != 1 or len(args) != function.nin or spread is None:
            return None

        def called(parts: Mapping[int | str, Box]) -> Box:
            return self.invoke(place, made_of[1], [parts[k] for k in range(len(args))], {})

        made = self._part_by_part(called, dict(enumerate(args)), spread, place)
        shape = spread[0].shape
        if not shape:
            return made[0]
        result = np.empty(shape, dtype=object)
        for at, box in zip(np.ndindex(shape), made, strict=True):
            result[at] = box.value
        return Box(result, None, place)

    def _part_by_part(
        self,
        called: Callable[[Mapping[int | str, Box]], Box],
        walked: Mapping[int | str, Box],
        spread: Mapping[int | str, np.ndarray],
        place: Place,
    ) -> list[Box]:
        """What a function gives for each entry of the arrays that it is called with."""
        shape = next(iter(spread.values())).shape
        return [called(self._entries_at(at, walked, spread, place)) for at in np.ndindex(shape)]

    def _entries_at(
        self, at: tuple[int, ...], walked: Mapping[int | str, Box], spread: Mapping[int | str, np.ndarray], place: Place
    ) -> dict[int | str, Box]:
        """The entries of the arrays at one place of their common shape."""
        parts = {}
        for key, box in walked.items():
            own = np.shape(box.value)
            inside = at[len(at) - len(own) :]
            index = tuple(0 if n == 1 else k for k, n in zip(inside, own, strict=True))
            value = spread[key][at].item()
            alone = not own and not isinstance(box.value, np.ndarray)
            parts[key] = Box(value, box.node, place) if alone else self.emit("item", [box, *index], {}, value, place)
        return parts

    def _put_in_array(self, made: list[Box], kind: str, shape: tuple[int, ...], place: Place) -> Box:
        """The array of numbers that were made one by one."""
        flat = np.array([box.value for box in made], dtype=kind)
        items = Box([box.value for box in made], items=made)
        box = self.emit("array", [items], {"dtype": flat.dtype.name}, flat, place)
        if box.node is None or len(shape) == 1:
            return box if len(shape) == 1 else Box(flat.reshape(shape), None, place)
        result = flat.reshape(shape).copy()
        node = self.node(Kind.OPERATION, "reshape", (Ref(box.node.id),), {"shape": shape}, result, place)
        self.remember(result, node)
        return Box(result, node, place)

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
            if not self.mode:
                return function(part)
            made.append(self.invoke(place, function, [Box(part, self.memory.read(part, place), place)], {}))
            return made[-1].value

        result = np.apply_along_axis(row, axis, array)
        if not self.mode:  # Its calls were iterations of a loop, of which not all are recorded.
            return Box(result, None, place)
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


def _spread(walked: Mapping[int | str, Box]) -> dict[int | str, np.ndarray] | None:
    """Arrays as a function of each entry sees them, of one shape; ``None`` if they are no numbers, or too many."""
    values = {key: np.asarray(box.value) for key, box in walked.items()}
    if not values or not all(is_number(value) for value in values.values()):
        return None
    shape = np.broadcast_shapes(*(value.shape for value in values.values()))
    if not 0 < np.prod(shape, dtype=int) <= MOST_PARTS:
        return None
    return {key: np.broadcast_to(value, shape) for key, value in values.items()}


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
