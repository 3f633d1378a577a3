"""The callback of calls: it decides what a call is, carries it out, and records it.

A call of the program's own function records itself; a call of NumPy becomes a canonical operation; any other is kept
as one step, with a notice.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import types
from typing import Any

import numpy as np

from tracer.recording.box import Box, Place, is_arithmetic, is_number
from tracer.recording.call_rows import Canonical
from tracer.recording.calls import canonical
from tracer.recording.drawing import REARRANGING
from tracer.recording.foreign_calls import carried_out, is_walker, source_of
from tracer.recording.harmless import is_harmless
from tracer.recording.operator_calls import ARITHMETIC_KEYS
from tracer.recording.own_functions import is_users
from tracer.recording.positions import flat_positions
from tracer.recording.results import Results
from tracer.recording.stepping import Stepping
from tracer.recording.structured import FRESH, has_fields
from tracer.recording.ufunc_calls import ALIASES, LOGICAL
from tracer.tape.node import Kind, Ref

#: Functions that use up an iterator.
_CONSUMERS = frozenset(id(function) for function in (sum, max, min, list, tuple, sorted, math.fsum, math.prod))
#: NumPy's own, also where the program has put something else in their place.
_UFUNCS = frozenset(id(function) for function in vars(np).values() if isinstance(function, np.ufunc))
_AS_STRIDED = np.lib.stride_tricks.as_strided
#: These give an attribute of an array.
_SIZES = (np.shape, np.size, np.ndim)
#: Which argument of these they call.
_CALLED_BY = {"map": 0, "filter": 0, "reduce": 0, "starmap": 0, "accumulate": 1}
#: Which arguments of these they walk through; the others walk through all.
_WALKED = {"reduce": (1,), "accumulate": (0,), "enumerate": (0,), "iter": (0,)}


class Calling(Results):
    """Callbacks of calls."""

    def call(
        self, index: int, function_box: Box, args: list[Box], keywords: list[tuple[str | None, Box]]
    ) -> Box:
        place, function = self.places[index], function_box.value
        kwargs: dict[str, Box] = {}
        for key, box in keywords:
            if key is None:
                for name in box.value:
                    kwargs[name] = self._entry(box.value, name, place)
            else:
                kwargs[key] = box
        if not self.mode:
            return Box(carried_out(function, args, kwargs), None, place)
        return self.invoke(place, function, args, kwargs, function_box)

    def invoke(
        self,
        place: Place,
        function: Any,
        args: list[Box],
        kwargs: dict[str, Box],
        function_box: Box | None = None,
    ) -> Box:
        """Carry out a call, and record it."""
        numpys = type(function) is np.ufunc and id(function) in _UFUNCS
        if numpys and not kwargs and len(args) == function.nin and function.nout == 1:
            return self._of_each_entry(function, args, place)
        if type(function) is Stepping:
            return function.step(lambda step: self._step(place, step, args, kwargs))
        if is_users(function):
            return self._call_user(function, args, kwargs, place)
        if isinstance(function, operator.itemgetter) and len(function.__reduce__()[1]) == 1:
            key = function.__reduce__()[1][0]
            return self.item(args[0], Box(key), function(args[0].value), place)
        if isinstance(function, functools.partial):
            args = [*(self.boxed(value, place) for value in function.args), *args]
            kwargs = {**{k: self.boxed(value, place) for k, value in function.keywords.items()}, **kwargs}
            return self.invoke(place, function.func, args, kwargs)
        if type(function) is types.MethodDescriptorType and function.__objclass__ is np.ndarray and args:
            method = getattr(args[0].value, function.__name__)
            return self.invoke(place, method, args[1:], kwargs, Box(method, None, place, None, args[0]))
        if function in _SIZES and len(args) == 1 and not kwargs and type(args[0].value) is np.ndarray:
            return self._of_array(args[0], function.__name__, function(args[0].value), place)
        parts = None
        if function is np.frompyfunc and args:
            ufunc = carried_out(function, args, kwargs)
            self.python_functions[id(ufunc)] = ufunc, args[0].value
            return Box(ufunc, None, place)
        if type(function) is np.ufunc and not numpys:
            parts = self.from_python(function, args, kwargs, place)
        elif isinstance(function, np.vectorize):
            parts = self.vectorised(function, args, kwargs, place)
        elif function is np.apply_along_axis:
            parts = self.along_axis(args, kwargs, place)
        elif function is _AS_STRIDED:
            parts = self._strided(args, kwargs, place)
        if parts is not None:
            return parts
        if function is setattr and len(args) == 3 and not kwargs:
            name = args[1].value
            named = Place(place.site, f"{source_of(args[0])}.{name}", place.scope)
            self.put_attribute(named, args[2], args[0], name)
            return Box(None, None, place)
        if id(function) in _CONSUMERS:
            args = [self.consumed(args[0], place), *args[1:]] if len(args) == 1 or function is sum else args
        if function in ARITHMETIC_KEYS:
            return self.operator(function, args, place)
        owner = function_box.owner if function_box is not None else None
        bound = getattr(function, "__self__", None)
        if owner is None and isinstance(bound, np.ndarray) and is_number(bound):
            owner = Box(bound, self.memory.read(bound, place), place)
        by_name = self.operator_by_name(function, owner, args, place)
        if by_name is not None:
            return by_name
        if function is np.fromiter and 0 < len(args) <= 2 and not kwargs.keys() - {"dtype", "count"}:
            kind = args[1] if len(args) > 1 else kwargs["dtype"]
            count = kwargs["count"].value if "count" in kwargs else -1
            if count >= 0:
                args[0] = Box(itertools.islice(args[0].value, count), None, place)
            listed = self.consumed(args[0], place)
            entries = carried_out(np.fromiter, [listed, kind], {})
            return self.canonical_call(Canonical("array", [listed], {"dtype": entries.dtype.name}), entries, place)
        plan = self._plan(function, owner, args, kwargs, None)
        if plan is not None and function.__name__ == "choice" and isinstance(args[0].value, (list, tuple)):
            items = self.star(args[0])
            result = carried_out(function, args, kwargs)
            drawn = next((item for item in items if item.value is result and item.node is not None), None)
            return drawn if drawn is not None else self.canonical_call(plan, result, place)
        if plan is not None and plan.random and _draws_rows(function, args):
            return self._rearranged(function, args, kwargs, place)
        if plan is not None and (plan.target is not None or plan.out is not None):
            return self._in_place_call(plan, function, args, kwargs, place)
        return self._plain_call(function, owner, args, kwargs, plan, place)

    def _step(self, place: Place, function: Any, args: list[Box], kwargs: dict[str, Box]) -> Box:
        """An iteration that is recorded, or not."""
        if not self.mode:
            return Box(carried_out(function, args, kwargs), None, place)
        return self.invoke(place, function, args, kwargs)

    def _strided(self, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box | None:
        """``as_strided(x, shape, strides)``: entries of x by their places; ``None`` if it shows others too.

        Strides are bytes, which say something only of entries of that type that lie as those of x do.
        """
        array = args[0].value if args else None
        if not (isinstance(array, np.ndarray) and is_number(array)):
            return None
        result = carried_out(np.lib.stride_tricks.as_strided, args, kwargs)
        positions = flat_positions(array, result)
        if positions is None or not self.mode:
            return Box(result, None, place) if not self.mode else None
        above = self.memory.read(array, place)
        node = self.node(Kind.VIEW, "take_flat", (Ref(above.id), positions), {}, result, place)
        self.memory.attach(result, node, array)
        return Box(result, node, place)

    def _entry(self, container: Any, key: Any, place: Place) -> Box:
        value = container[key]
        node = self.lookup(value, place, "", (id(container), key), container) if is_number(value) else None
        return Box(value, node, place)

    def _of_each_entry(self, function: np.ufunc, args: list[Box], place: Place) -> Box:
        """A function of each entry, called in its plain form."""
        values, name = [box.value for box in args], function.__name__
        result = function(*values)
        if self.mode and is_arithmetic(result, *values) and name not in LOGICAL:
            return self.computed(ALIASES.get(name, name), args, result, place)
        plan = self._plan(function, None, args, {}, result) if self.mode else None
        return Box(result, None, place) if plan is None else self.canonical_call(plan, result, place)

    def _plan(
        self, function: Any, owner: Box | None, args: list[Box], kwargs: dict[str, Box], result: Any
    ) -> Canonical | None:
        try:
            return canonical(function, owner, args, kwargs, result)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            return None  # A call that NumPy itself will refuse, or a form that no row describes.

    def _plain_call(
        self,
        function: Any,
        owner: Box | None,
        args: list[Box],
        kwargs: dict[str, Box],
        plan: Canonical | None,
        place: Place,
    ) -> Box:
        values = [b.value for b in args]
        if function is reversed and values and isinstance(values[0], np.ndarray) and is_number(values[0]):
            return Box(self._rows(values[0], place, -1), None, place)
        if is_walker(function):
            walked = _WALKED.get(function.__name__, range(len(values)))
            values = [self.rows(v, place) if k in walked else v for k, v in enumerate(values)]
            at = _CALLED_BY.get(function.__name__)
            if at is not None and at < len(values):
                values[at] = self._followed(values[at], place)
            if function is itertools.accumulate and len(values) == 1 and not kwargs:
                values.append(self._followed(operator.add, place))
        boxes = [*args, *kwargs.values(), *([owner] if owner is not None else [])]
        arrays = [b for b in boxes if isinstance(b.value, np.ndarray) and is_number(b.value)]
        if plan is None and arrays:
            self.memory.lending.give_up()
        before = [(b, self.memory.read(b.value, place)) for b in arrays] if plan is None else []
        entered = self.entered
        if plan is not None or is_harmless(function):
            result = function(*values, **{k: b.value for k, b in kwargs.items()})
        else:
            result = self.unrecorded_call(function, values, {k: b.value for k, b in kwargs.items()})
        if not self.mode:
            return Box(result, None, place)
        if plan is not None:
            plan = self._plan(function, owner, args, kwargs, result)
        for box, old in before:
            self._changed_unseen(function, box, old, place)
        if has_fields(result) and (function in FRESH or not self.depends((*args, *kwargs.values()))):
            self.given(result)
        if isinstance(owner, Box) and getattr(function, "__name__", "") == "tolist":
            return self.listed(owner, result, place)
        if plan is not None and self.entered == entered:
            return self.canonical_call(plan, result, place)
        return self._unknown(function, args, kwargs, result, place)

    def _followed(self, value: Any, place: Place) -> Any:
        """A function of NumPy's or Python's own that is handed to ``map`` and the like: its calls are recorded."""
        if not callable(value) or is_users(value) or (isinstance(value, type) and not _arithmetical(value)):
            return value

        def call(*values: Any) -> Any:
            if not self.mode:
                return value(*values)
            return self.invoke(place, value, [self.boxed(v, place) for v in values], {}).value

        return call


def _draws_rows(function: Any, args: list[Box]) -> bool:
    array = args[0].value if args else None
    return (
        getattr(function, "__name__", "") in REARRANGING
        and isinstance(array, np.ndarray)
        and array.ndim > 0
        and is_number(array)
    )


def _arithmetical(value: Any) -> bool:
    """Whether a function of NumPy, `math` or `operator`, or a type of numbers."""
    if isinstance(value, np.ufunc) or value in (float, int, abs, round, pow, sum, max, min):
        return True
    module = getattr(value, "__module__", None) or ""
    return (
        callable(value)
        and not isinstance(value, type)
        and module.split(".")[0] in ("math", "_operator", "numpy")
    )
