"""The callbacks of calls: of the program's own functions, of NumPy's, and of all others.

A call of the program's own function is no operation: its body records itself, and its nodes know that
it was running.  A call of NumPy becomes a canonical operation.  Any other that gives a number becomes an
opaque node with a notice.
"""

from __future__ import annotations

import builtins
import copy
import functools
import itertools
import math
import operator
import sys
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.recording.assignments import Assignments
from tracer.recording.box import NUMBERS, SHARED, Box, Place, is_number, same
from tracer.recording.calls import Canonical, canonical
from tracer.recording.copying import walk_together
from tracer.recording.drawing import REARRANGING, positions, twin
from tracer.recording.state import SETUP_LIMIT, Mode
from tracer.tape.functions import resolve
from tracer.tape.node import Call, Kind, Node, Ref

#: Functions that walk their arguments: an array among them is recorded row by row.
_WALKERS = (
    zip,
    enumerate,
    map,
    filter,
    iter,
    reversed,
    list,
    tuple,
    functools.reduce,
    itertools.chain,
    itertools.accumulate,
    itertools.starmap,
    sorted,
)
#: Functions that use up an iterator.
_CONSUMERS = (sum, max, min, list, tuple, sorted, math.fsum, math.prod)
_THREADS = ("threading", "concurrent.futures.thread", "concurrent.futures.process", "multiprocessing.pool")
#: Arrays of more entries are not followed into lists.
_LISTED = 1000
#: Functions whose results are no part of the mathematics.
_SILENT = {
    builtins.len, builtins.ord, builtins.id, builtins.hash, builtins.isinstance, builtins.hasattr,
    builtins.callable, builtins.input, builtins.print, builtins.getattr, builtins.next, builtins.iter,
    builtins.any, builtins.all, np.allclose, np.array_equal, np.isscalar, np.ndim,
}  # fmt: skip
_SILENT_MODULES = {
    "time",
    "datetime",
    "os",
    "sys",
    "argparse",
    "timeit",
    "json",
    "pickle",
    "_pickle",
    "builtins",
    "io",
}
_ARITHMETIC = {
    operator.add: "add", operator.sub: "subtract", operator.mul: "multiply", operator.truediv: "divide",
    operator.neg: "negative", operator.matmul: "matmul", operator.pow: "power",
}  # fmt: skip
#: Names of operators in `operator` and, between underscores, in classes.
_BY_NAME = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
}  # fmt: skip


@dataclass
class _Pending:
    """A call of a function of the program that has not entered its body yet."""

    codes: tuple[types.CodeType, ...]
    args: list[Box]
    kwargs: dict[str, Box]
    function: Any


class Calling(Assignments):
    """Callbacks around calls and function bodies."""

    def __init__(self, places: list[Place]) -> None:
        super().__init__(places)
        self.pending: _Pending | None = None
        self.last_return: Box | None = None
        self.entered = 0

    # -- the program's own functions --------------------------------------------------------------

    def enter(self, index: int) -> bool:
        """A function body begins: whether the recorded version is the one to run."""
        pending, self.pending = self.pending, None
        if self.mode is Mode.SETUP and self.setup_nodes >= SETUP_LIMIT:
            self.mode = Mode.OFF
        if not self.mode:
            return False
        self.entered += 1
        frame = sys._getframe(1)
        code = frame.f_code
        self.scope_count += 1
        self.scopes[id(frame)] = self.scope_count
        self.last_return = None
        if pending is not None and code in pending.codes:
            self._bind_arguments(pending, frame)
        return True

    def expect(self, codes: tuple[types.CodeType, ...], parameters: dict[str, Box]) -> None:
        """The next function to enter is one of ``codes``; its parameters are these boxes."""
        self.pending = _Pending(codes, [], parameters, None)

    def _bind_arguments(self, pending: _Pending, frame: types.FrameType) -> None:
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        positional = list(names[: code.co_argcount])
        args = list(pending.args)
        if isinstance(pending.function, (types.MethodType, type)) or not isinstance(
            pending.function, types.FunctionType
        ):
            positional = positional[1:]
        for name, box in [*zip(positional, args, strict=False), *pending.kwargs.items()]:
            if box.node is not None and name in names:
                self._place_name(self.where(frame, name), box)
        rest = args[len(positional) :]
        at = len(names)
        if code.co_flags & 0x04:
            extra = frame.f_locals.get(code.co_varnames[at])
            for k, box in enumerate(rest):
                self.locate_item(extra, k, box)
            at += 1
        if code.co_flags & 0x08:
            extra = frame.f_locals.get(code.co_varnames[at])
            for name, box in pending.kwargs.items():
                if name not in names:
                    self.locate_item(extra, name, box)

    def returned(self, index: int, box: Any) -> Any:
        box = box if isinstance(box, Box) else Box(box)
        self.last_return = box
        return box.value

    def _call_user(self, function: Any, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box:
        codes = _codes(function)
        self.pending = _Pending(codes, args, kwargs, function)
        before = self.entered
        arrays = [
            b for b in (*args, *kwargs.values()) if isinstance(b.value, np.ndarray) and is_number(b.value)
        ]
        for box in arrays:
            self.memory.read(box.value, place)
        self.calls.append(Call(getattr(function, "__name__", type(function).__name__), place.site))
        try:
            result = function(*(b.value for b in args), **{k: b.value for k, b in kwargs.items()})
        finally:
            self.calls.pop()
            self.pending = None
        if not self.mode:
            return Box(result, None, place)
        if self.entered != before:
            given, self.last_return = self.last_return, None
            if given is not None and given.value is result:
                return Box(result, given.node, place, given.items)
            return self.boxed(result, place)
        self.memory.checked.clear()
        return self._opaque(function, args, kwargs, result, place)

    # -- calls ------------------------------------------------------------------------------------

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
            return Box(_run(function, args, kwargs), None, place)
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
        if isinstance(function, operator.itemgetter) and len(function.__reduce__()[1]) == 1:
            key = function.__reduce__()[1][0]
            return self.item(args[0], Box(key), function(args[0].value), place)
        while isinstance(function, functools.partial):
            args = [*(self.boxed(value, place) for value in function.args), *args]
            kwargs = {**{k: self.boxed(value, place) for k, value in function.keywords.items()}, **kwargs}
            function, function_box = function.func, None
        if _is_users(function):
            return self._call_user(function, args, kwargs, place)
        if any(function is consumer for consumer in _CONSUMERS):
            args = [self.consumed(args[0], place), *args[1:]] if len(args) == 1 or function is sum else args
        if function in _ARITHMETIC_KEYS:
            return self._operator(function, args, place)
        owner = function_box.owner if function_box is not None else None
        bound = getattr(function, "__self__", None)
        if owner is None and isinstance(bound, np.ndarray) and is_number(bound):
            owner = Box(bound, self.memory.read(bound, place), place)
        by_name = self._operator_by_name(function, owner, args, place)
        if by_name is not None:
            return by_name
        if function is np.fromiter and len(args) == 2 and not kwargs:
            args = [self.consumed(args[0], place), args[1]]
            return self._canonical_call(
                Canonical("array", [args[0]], {"dtype": np.dtype(args[1].value).name}),
                _run(function, args, {}),
                place,
            )
        plan = self._plan(function, owner, args, kwargs, None)
        if plan is not None and function.__name__ == "choice" and isinstance(args[0].value, (list, tuple)):
            items = self.star(args[0])
            result = _run(function, args, kwargs)
            return next((item for item in items if item.value is result), self.boxed(result, place))
        if plan is not None and plan.random and _draws_rows(function, args):
            return self._rearranged(function, args, kwargs, place)
        if plan is not None and (plan.target is not None or plan.out is not None):
            return self._in_place_call(plan, function, args, kwargs, place)
        return self._plain_call(function, owner, args, kwargs, plan, place)

    def _entry(self, container: Any, key: Any, place: Place) -> Box:
        value = container[key]
        return Box(
            value, self.lookup(value, place, "", (id(container), key)) if is_number(value) else None, place
        )

    def _operator(self, function: Any, args: list[Box], place: Place) -> Box:
        if len(args) == 1:
            return self.emit("negative", list(args), {}, function(args[0].value), place)
        return self.operation(_ARITHMETIC[function], args[0], args[1], place)

    def _operator_by_name(
        self, function: Any, owner: Box | None, args: list[Box], place: Place
    ) -> Box | None:
        """``operator.getitem(x, 0)``, ``x.__add__(y)``, ``operator.iadd(x, y)``; ``None`` for any other call."""
        name = getattr(function, "__name__", "")
        if owner is not None and name.startswith("__"):
            args, name = [owner, *args], name.strip("_")
        elif getattr(function, "__module__", "") != "_operator" or isinstance(function, type):
            return None
        if name == "getitem" and len(args) == 2:
            return self.item(args[0], args[1], args[0].value[args[1].value], place)
        if name == "setitem" and len(args) == 3:
            self.store_item(args[2], args[0], args[1], place)
            return Box(None, None, place)
        if name[:1] == "i" and name[1:] in _BY_NAME and len(args) == 2:
            return self.in_place(_BY_NAME[name[1:]], args[0], args[1], place)
        if name in _BY_NAME and len(args) == 2:
            return self.operation(_BY_NAME[name], args[0], args[1], place)
        if name[:1] == "r" and name[1:] in _BY_NAME and len(args) == 2:
            return self.operation(_BY_NAME[name[1:]], args[1], args[0], place)
        return None

    def _rearranged(self, function: Any, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box:
        """A permutation, shuffle or choice of an array's own rows."""
        box, name, generator = args[0], function.__name__, twin(function)
        array = box.value
        in_place = name == "shuffle"
        before = np.array(array, subok=False)
        if in_place:
            self.memory.before_write(array, place)
        old = self.reference(Box(array, self.memory.read(array, place), place))
        result = _run(function, args, kwargs)
        after = array if in_place else result
        rest = [b.value for b in args[1:]], {k: b.value for k, b in kwargs.items()}
        index = positions(generator, name, before, after, *rest) if generator is not None else None
        if index is None:
            self.notice(f"{name}() took entries of an array; which ones is not known.", place)
            if in_place:
                self._mutated(array, name, (old,), place, _text(box), None, Kind.OPAQUE)
                return Box(None, None, place)
            return self.emit(name, [Box(array)], {}, result, place, Kind.OPAQUE)
        drawn = self.node(Kind.RANDOM, f"random.{name}", (len(before),), {}, index, place)
        if in_place:
            self._mutated(array, "getitem", (old, Ref(drawn.id)), place, _text(box))
            return Box(None, None, place)
        return self.emit("getitem", [old, Ref(drawn.id)], {}, result, place)

    def _plan(
        self, function: Any, owner: Box | None, args: list[Box], kwargs: dict[str, Box], result: Any
    ) -> Canonical | None:
        try:
            return canonical(function, owner, args, kwargs, result)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            return None  # A call that NumPy itself will refuse, or a form that no row describes.

    def _in_place_call(
        self, plan: Canonical, function: Any, args: list[Box], kwargs: dict[str, Box], place: Place
    ) -> Box:
        """A call that writes into an array: ``out=``, ``np.add.at``, ``x.sort()``…"""
        box = plan.out if plan.out is not None else plan.target
        assert box is not None
        array = box.value
        if not (isinstance(array, np.ndarray) and is_number(array)):
            return Box(_run(function, args, kwargs), None, place)
        self.memory.before_write(array, place)
        old = self.memory.read(array, place)
        if plan.op == "add_at" or plan.op.endswith(".at"):
            return self._scatter(plan, function, args, old, place)
        operands = tuple(self.reference(o) for o in plan.operands)
        parameters = {k: self.reference(p, literals=True) for k, p in plan.parameters.items()}
        if plan.out is not None and "where" in plan.parameters and function is not np.copyto:
            return self._masked(plan, function, args, kwargs, old, place)
        if plan.op == "resized":
            return self._resized(plan, array, place)
        raw = self._before_cast(plan, function, args, kwargs) if plan.out is not None else None
        result = _run(function, args, kwargs)
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
        node = self._mutated(array, op, operands, place, name, parameters, kind)
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
        result = _run(function, args, kwargs)
        node = self._mutated(
            plan.out.value, "where", (mask, Ref(inner.id), Ref(old.id)), place, _text(plan.out)
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
            _run(function, args, {})
            self._mutated(array, plan.op, unary, place, _text(args[0]))
            return Box(None, None, place)
        value = args[2]
        if plan.op == "subtract.at" and is_number(value.value):
            value = self.emit("negative", [value], {}, -value.value, place)
            operands = (self.reference(Box(array, old)), index, self.reference(value))
            _run(function, args, {})
            self._mutated(array, "add_at", operands, place, _text(args[0]))
            return Box(None, None, place)
        operands = (self.reference(Box(array, old)), index, self.reference(value))
        _run(function, args, {})
        self._mutated(array, plan.op, operands, place, _text(args[0]))
        return Box(None, None, place)

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
        if any(function is walker for walker in _WALKERS):
            values = [self._followed(self.rows(v, place), place) for v in values]
            if function is itertools.accumulate and len(values) == 1 and not kwargs:
                values.append(self._followed(operator.add, place))
        boxes = [*args, *kwargs.values(), *([owner] if owner is not None else [])]
        arrays = [b for b in boxes if isinstance(b.value, np.ndarray) and is_number(b.value)]
        before = [(b, self.memory.read(b.value, place)) for b in arrays] if plan is None else []
        entered = self.entered
        result = function(*values, **{k: b.value for k, b in kwargs.items()})
        if not self.mode:
            return Box(result, None, place)
        if plan is not None:
            plan = self._plan(function, owner, args, kwargs, result)
        for box, old in before:
            self._changed_unseen(function, box, old, place)
        if isinstance(owner, Box) and getattr(function, "__name__", "") == "tolist":
            return self._list(owner, result, place)
        if plan is not None and self.entered == entered:
            return self._canonical_call(plan, result, place)
        return self._unknown(function, args, kwargs, result, place, self.entered != entered)

    def _followed(self, value: Any, place: Place) -> Any:
        """A function of NumPy's or Python's own that is handed to ``map`` and the like: its calls are recorded."""
        if not _arithmetical(value):
            return value

        def call(*values: Any) -> Any:
            if not self.mode:
                return value(*values)
            return self.invoke(place, value, [self.boxed(v, place) for v in values], {}).value

        return call

    def _canonical_call(self, plan: Canonical, result: Any, place: Place) -> Box:
        kind = Kind.RANDOM if plan.random else None
        if isinstance(result, (list, tuple)) and result and all(is_number(r) for r in result):
            return self._parts(plan, result, place)
        operands = list(plan.operands)
        literals = plan.random or plan.op in _SIZED
        if literals:
            operands = [self.reference(o, literals=True) for o in operands]
        if plan.op == "array" and isinstance(operands[0], Box) and not isinstance(operands[0].value, NUMBERS):
            operands = [self._nested(operands[0])]
        if isinstance(result, range):
            return self.emit("range", operands, {}, result, place)
        return self.emit(plan.op, operands, plan.parameters, result, place, kind)

    def _nested(self, box: Box) -> Any:
        """The items of ``np.array([...])``: numbers written in the program stand for themselves."""
        return self.reference(box, literals=True)

    def _parts(self, plan: Canonical, result: Any, place: Place) -> Box:
        """A function that gives several arrays: one node for each."""
        items = []
        for at, part in enumerate(result):
            if plan.random:
                items.append(
                    self.emit(plan.op, list(plan.operands), plan.parameters, part, place, Kind.RANDOM)
                )
            elif plan.op in ("split", "array_split", "hsplit", "vsplit") and len(plan.operands) == 2:
                axis = {"hsplit": 1 if np.ndim(plan.operands[0].value) > 1 else 0, "vsplit": 0}.get(plan.op)
                given = plan.parameters.get("axis", 0)
                axis = axis if axis is not None else given.value if isinstance(given, Box) else given
                op = "array_split" if plan.op == "array_split" else "split"
                sections = self.reference(plan.operands[1], literals=True)
                extra = {"sections": sections, "axis": axis, "part": at}
                items.append(self.emit(op, [plan.operands[0]], extra, part, place))
            else:
                items.append(
                    self.emit(
                        "part_of", [at, plan.op, *plan.operands], plan.parameters, part, place, Kind.OPERATION
                    )
                )
        return Box(result, None, place, items)

    def _list(self, owner: Box, result: Any, place: Place) -> Box:
        """``x.tolist()``: each number in the lists is an item of the array."""
        if np.size(owner.value) > _LISTED:
            self.notice("tolist() of a large array: its numbers are not followed.", place)
            return Box(result, None, place)
        if not isinstance(result, list):
            return self.emit("item", [owner], {}, result, place)
        for index in np.ndindex(np.shape(owner.value)):
            container = result
            for k in index[:-1]:
                container = container[k]
            self.locate_item(
                container, index[-1], self.emit("item", [owner, *index], {}, container[index[-1]], place)
            )
        return Box(result, None, place)

    # -- what is not NumPy's ------------------------------------------------------------------------

    def _changed_unseen(self, function: Any, box: Box, old: Node, place: Place) -> None:
        if old.window < 0 or not self.windowed or same(box.value, old.value):
            return
        self.notice(f"{_name(function)}() changed an array; how is not known.", place)
        self.memory.before_write_unverified(box.value)
        self._mutated(box.value, "changed by a call", (), place, _text(box), None, Kind.OPAQUE)

    def _unknown(
        self,
        function: Any,
        args: list[Box],
        kwargs: dict[str, Box],
        result: Any,
        place: Place,
        called_back: bool,
    ) -> Box:
        self.memory.checked.clear()
        bound = getattr(function, "__self__", None)
        if function in (copy.deepcopy, copy.copy) and args:
            return self._copied(args[0], result, place)
        sources = self._depends((*args, *kwargs.values())) or self._known_holder(bound)
        if not sources:
            self.given(result)
        if isinstance(function, type) and function.__module__ in _THREADS:
            self.notice("What threads do is recorded in the order in which they happen to run.", place)
        if function in (float, int) and self.windowed and is_number(result):
            self.notice("This number is read from text: where it came from is not followed.", place)
            return self.emit("text", [], {}, result, place, Kind.OPAQUE)
        if isinstance(bound, (dict, list, set, tuple)) or _silent(function):
            return self._from_container(function, args, result, place)
        if any(function is walker for walker in _WALKERS) or not is_number(result):
            return Box(result, None, place)
        if isinstance(result, np.ndarray):
            if self.memory.known(result) is not None:
                return self.boxed(result, place)
        elif not isinstance(result, SHARED) and self.known(result):
            return self.boxed(result, place)
        return self._opaque(function, args, kwargs, result, place)

    def _depends(self, boxes: tuple[Box, ...]) -> bool:
        """Whether anything that was recorded goes into a call with these arguments."""
        return any(box.node is not None or self._holds_recorded(box.value) for box in boxes)

    def _holds_recorded(self, value: Any, depth: int = 0) -> bool:
        if isinstance(value, np.ndarray):
            return is_number(value) and self.memory.known(value) is not None
        if isinstance(value, (float, complex, np.generic)):
            return self.known(value)
        if isinstance(value, (str, bytes)):
            return len(value) > 0 and not self._literal_text(value)
        if isinstance(value, (list, tuple)) and depth < 3:
            return any(self._holds_recorded(item, depth + 1) for item in value[:100])
        if isinstance(value, dict) and depth < 3:
            return any(self._holds_recorded(item, depth + 1) for item in list(value.values())[:100])
        return not (isinstance(value, (type(None), int, bool)) or callable(value) or self.is_outside(value))

    def _literal_text(self, value: Any) -> bool:
        return id(value) in self.texts

    def _known_holder(self, bound: Any) -> bool:
        return not (bound is None or isinstance(bound, type) or self.is_outside(bound))

    def _copied(self, box: Box, result: Any, place: Place) -> Box:
        """``copy.copy`` and ``copy.deepcopy``: of an array, or of what holds arrays and numbers."""
        if isinstance(box.value, np.ndarray) and is_number(box.value):
            return self.emit("copy", [box], {}, result, place)

        def pair(holder: Any, key: Any, original: Any, copied: Any) -> None:
            if isinstance(original, np.ndarray) and original is not copied and is_number(original):
                above = Box(original, self.memory.read(original, place), place)
                self.emit("copy", [above], {}, copied, place)
            elif isinstance(original, SHARED) and holder is not None and key is not None:
                known = self.locations.get((id(holder), key))
                if known is not None:
                    self.locate_item(holder, key, Box(copied, known[1]))

        walk_together(box.value, result, pair)
        return Box(result, box.node if result is box.value else None, place)

    def _from_container(self, function: Any, args: list[Box], result: Any, place: Place) -> Box:
        name = getattr(function, "__name__", "")
        bound = getattr(function, "__self__", None)
        if name == "getattr" and len(args) > 1 and is_number(result):
            return Box(result, self.lookup(result, place, "", (id(args[0].value), args[1].value)), place)
        if isinstance(bound, dict) and name in ("get", "pop", "setdefault") and args and is_number(result):
            return Box(result, self.lookup(result, place, place.site.text, (id(bound), args[0].value)), place)
        if isinstance(bound, list) and name == "append" and args:
            self.locate_item(bound, len(bound) - 1, args[0])
        return self.boxed(result, place)

    def _opaque(
        self, function: Any, args: list[Box], kwargs: dict[str, Box], result: Any, place: Place
    ) -> Box:
        if isinstance(result, SHARED) and not any(b.node is not None for b in (*args, *kwargs.values())):
            return Box(result, None, place)
        if not is_number(result):
            return Box(result, None, place)
        box = self.emit(_name(function), list(args), dict(kwargs), result, place, Kind.OPAQUE)
        if box.node is not None and box.node.kind is Kind.OPAQUE:
            self.notice(
                f"{_name(function)}() is kept as one step: what it computes inside is not followed.", place
            )
        return box


_ARITHMETIC_KEYS = tuple(_ARITHMETIC)
_SIZED = frozenset(
    [
        "zeros",
        "ones",
        "empty",
        "full",
        "eye",
        "identity",
        "tri",
        "arange",
        "linspace",
        "range",
        "getitem",
        "tile",
        "repeat",
        "broadcast_to",
    ]
)


def _run(function: Any, args: list[Box], kwargs: dict[str, Box]) -> Any:
    return function(*(b.value for b in args), **{k: b.value for k, b in kwargs.items()})


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


def _text(box: Box) -> str:
    return box.place.site.text if box.place is not None else ""


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _silent(function: Any) -> bool:
    try:
        if function in _SILENT:
            return True
    except TypeError:
        return False
    module = getattr(function, "__module__", None) or ""
    bound = getattr(function, "__self__", None)
    return (module.split(".")[0] in _SILENT_MODULES and function not in (sum, max, min)) or isinstance(
        bound, str
    )


def _is_users(function: Any) -> bool:
    """Whether a function, class or callable object is written in Python, outside NumPy and the like."""
    target: Any
    if isinstance(function, (types.FunctionType, types.MethodType)) or (
        isinstance(function, type) and not function.__module__.startswith("builtins")
    ):
        target = function
    elif isinstance(function, (types.BuiltinFunctionType, np.ufunc, functools.partial, type)):
        return False
    else:
        target = vars(type(function)).get("__call__")
        if not isinstance(target, types.FunctionType):
            return False
    module = (getattr(target, "__module__", "") or "").split(".")[0]
    if module in (
        "numpy",
        "scipy",
        "matplotlib",
        "pandas",
        "sklearn",
        "math",
        "random",
        "functools",
        "operator",
        "copy",
    ):
        return False
    if isinstance(function, type):
        return isinstance(getattr(function, "__init__", None), types.FunctionType)
    return True


def _codes(function: Any) -> tuple[types.CodeType, ...]:
    candidates = [function, getattr(function, "__func__", None), vars(type(function)).get("__call__")]
    if isinstance(function, type):
        candidates = [getattr(function, "__init__", None), getattr(function, "__new__", None)]
    return tuple(c.__code__ for c in candidates if isinstance(c, types.FunctionType))
