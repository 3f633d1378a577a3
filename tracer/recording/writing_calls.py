"""Calls that write into an array: ``out=``, ``np.add.at``, ``x.sort()``, ``np.random.shuffle``…

In: the canonical form of such a call.  Out: the box of its result; the array's new contents are a mutation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.box import Box, Place, is_number
from tracer.recording.call_rows import Canonical
from tracer.recording.drawing import positions, twin
from tracer.recording.foreign_calls import carried_out, source_of
from tracer.recording.own_functions import OwnFunctions
from tracer.tape.functions import resolve
from tracer.tape.node import Kind, Node, Ref

#: These take an array's new entries from a list as from an array.
_FILLING = frozenset(["put", "place", "putmask"])


class WritingCalls(OwnFunctions):
    """Callbacks of calls that change what they are given."""

    def _in_place_call(
        self, plan: Canonical, function: Any, args: list[Box], kwargs: dict[str, Box], place: Place
    ) -> Box:
        """A call that writes into an array: ``out=``, ``np.add.at``, ``x.sort()``…"""
        box = plan.out if plan.out is not None else plan.target
        assert box is not None
        array = box.value
        if not (isinstance(array, np.ndarray) and is_number(array)):
            return Box(carried_out(function, args, kwargs), None, place)
        self.memory.before_write(array, place)
        old = self.memory.read(array, place)
        if plan.op == "add_at" or plan.op.endswith(".at"):
            return self._scatter(plan, function, args, old, place)
        given = [self.as_array(o, place) for o in plan.operands] if plan.op in _FILLING else plan.operands
        operands = tuple(self.reference(o) for o in given)
        parameters = {k: self.reference(p, literals=True) for k, p in plan.parameters.items()}
        if plan.out is not None and "where" in plan.parameters and function is not np.copyto:
            return self._masked(plan, function, args, kwargs, old, place)
        if plan.op == "resized":
            return self._resized(plan, array, place)
        raw = self._before_cast(plan, function, args, kwargs) if plan.out is not None else None
        result = carried_out(function, args, kwargs)
        name = box.place.site.text if box.place is not None else ""
        kind = Kind.RANDOM if plan.random else Kind.MUTATION
        op = plan.op
        if raw is not None:
            inner = self.node(Kind.OPERATION, op, operands, parameters, raw, place)
            op, operands, parameters = (
                "into",
                (self.reference(Box(array, old)), self.reference(Box(raw, inner))),
                {},
            )
        node = self.mutated(array, op, operands, place, name, parameters, kind)
        return Box(result, node if result is array else None, place)

    def _resized(self, plan: Canonical, array: np.ndarray, place: Place) -> Box:
        """``x.resize(shape)``, which NumPy allows only to an array that nothing else points to."""
        old = self.memory.read(array, place)
        self.memory.forget(array)
        array.resize(plan.parameters["shape"], refcheck=False)
        node = self.node(Kind.MUTATION, "resized", (Ref(old.id), plan.parameters["shape"]), {}, array, place)
        self.memory.register(array, node)
        return Box(None, None, place)

    def _masked(
        self, plan: Canonical, function: Any, args: list[Box], kwargs: dict[str, Box], old: Node, place: Place
    ) -> Box:
        """``np.divide(a, b, out=o, where=m)``: new entries where the mask says so, the old ones elsewhere."""
        assert plan.out is not None
        parameters = {k: p for k, p in plan.parameters.items() if k != "where"}
        operands, mask = (
            tuple(self.reference(o) for o in plan.operands),
            self.reference(plan.parameters["where"]),
        )
        with np.errstate(all="ignore"):
            whole = resolve(plan.op)(*(o.value for o in plan.operands), **parameters)
        inner = self.node(Kind.OPERATION, plan.op, operands, parameters, whole, place)
        result = carried_out(function, args, kwargs)
        node = self.mutated(
            plan.out.value, "where", (mask, Ref(inner.id), Ref(old.id)), place, source_of(plan.out)
        )
        return Box(result, node if result is plan.out.value else None, place)

    def _before_cast(self, plan: Canonical, function: Any, args: list[Box], kwargs: dict[str, Box]) -> Any:
        """The result before it is cast to ``out``'s type; ``None`` if it is not cast."""
        assert plan.out is not None
        if plan.random or any(isinstance(o, tuple) for o in plan.operands):
            return None
        parameters = {k: p.value if isinstance(p, Box) else p for k, p in plan.parameters.items()}
        made = resolve(plan.op)(*(o.value for o in plan.operands), **parameters)
        if np.shape(made) == plan.out.value.shape and getattr(made, "dtype", None) == plan.out.value.dtype:
            return None
        return made

    def _scatter(self, plan: Canonical, function: Any, args: list[Box], old: Node, place: Place) -> Box:
        """``np.subtract.at`` is ``np.add.at`` of the negative; others stay as they are called."""
        array = args[0].value
        index = self.index(args[1])
        if len(args) == 2:
            unary = (self.reference(Box(array, old)), index)
            carried_out(function, args, {})
            self.mutated(array, plan.op, unary, place, source_of(args[0]))
            return Box(None, None, place)
        value = args[2]
        if plan.op == "subtract.at" and is_number(value.value):
            value = self.emit("negative", [value], {}, -value.value, place)
            operands = (self.reference(Box(array, old)), index, self.reference(value))
            carried_out(function, args, {})
            self.mutated(array, "add_at", operands, place, source_of(args[0]))
            return Box(None, None, place)
        operands = (self.reference(Box(array, old)), index, self.reference(value))
        carried_out(function, args, {})
        self.mutated(array, plan.op, operands, place, source_of(args[0]))
        return Box(None, None, place)

    def _rearranged(self, function: Any, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box:
        """A permutation, shuffle or choice of an array's own rows."""
        box, name, generator = args[0], function.__name__, twin(function)
        array = box.value
        in_place = name == "shuffle"
        before = np.array(array, subok=False)
        if in_place:
            self.memory.before_write(array, place)
        old = self.reference(Box(array, self.memory.read(array, place), place))
        result = carried_out(function, args, kwargs)
        after = array if in_place else result
        rest = [b.value for b in args[1:]], {k: b.value for k, b in kwargs.items()}
        index = positions(generator, name, before, after, *rest) if generator is not None else None
        if index is None:
            self.notice(f"{name}() took entries of an array; which ones is not known.", place)
            if in_place:
                self.mutated(array, name, (old,), place, source_of(box), None, Kind.OPAQUE)
                return Box(None, None, place)
            return self.emit(name, [Box(array)], {}, result, place, Kind.OPAQUE)
        drawn = self.node(Kind.RANDOM, f"random.{name}", (len(before),), {}, index, place)
        if in_place:
            self.mutated(array, "getitem", (old, Ref(drawn.id)), place, source_of(box))
            return Box(None, None, place)
        return self.emit("getitem", [old, Ref(drawn.id)], {}, result, place)
