"""Calls of what is neither the program's nor NumPy's: kept as one step, or tied to what it copies, or from outside.

In: a call that was carried out and its boxes.  Out: the box of its result.  A number that such a call made from
recorded ones is an opaque node with a notice; one that it made from nothing recorded is given.
"""

from __future__ import annotations

import builtins
import copy
import functools
import itertools
import random
from typing import Any

import numpy as np

from tracer.recording.augmenting import Augmenting
from tracer.recording.box import SHARED, Box, Place, is_number, same
from tracer.recording.copying import walk_together
from tracer.recording.python2_text import WRITING
from tracer.tape.node import Kind, Node

#: Functions that walk their arguments: an array among them is recorded row by row.
WALKERS = (
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
_WALKER_IDS = frozenset(id(walker) for walker in WALKERS)
_THREADS = ("threading", "concurrent.futures.thread", "concurrent.futures.process", "multiprocessing.pool")
#: Functions whose results are no part of the mathematics.
_SILENT = {
    builtins.len, builtins.ord, builtins.id, builtins.hash, builtins.isinstance, builtins.hasattr,
    builtins.callable, builtins.input, builtins.print, builtins.getattr, builtins.next, builtins.iter,
    builtins.any, builtins.all, np.allclose, np.array_equal, np.isscalar, np.ndim,
    *WRITING,
}  # fmt: skip
#: Methods of files that say how much they wrote.
_WRITING = frozenset(("write", "writelines", "writerow", "writerows"))
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


class ForeignCalls(Augmenting):
    """What is known of a call after it was carried out natively."""

    def unrecorded_call(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Carry out a call of code that is not recorded, and may change whatever it can reach."""
        lending = self.memory.lending
        self.memory.anything_may_change()
        lending.foreign += 1
        try:
            return function(*args, **kwargs)
        finally:
            lending.foreign -= 1
            self.memory.checked.clear()

    def _changed_unseen(self, function: Any, box: Box, old: Node, place: Place) -> None:
        if old.window < 0 or not self.windowed or same(box.value, old.value):
            return
        known = self.memory.known(box.value)
        if known is not None and known.node is not old and same(box.value, known.node.value):
            return  # it called code that is recorded, which changed the array
        self.notice(f"{name_of(function)}() changed an array; how is not known.", place)
        self.memory.before_write_unverified(box.value)
        self.mutated(box.value, "changed by a call", (), place, source_of(box), None, Kind.OPAQUE)

    def _unknown(
        self,
        function: Any,
        args: list[Box],
        kwargs: dict[str, Box],
        result: Any,
        place: Place,
    ) -> Box:
        bound = getattr(function, "__self__", None)
        if function in (copy.deepcopy, copy.copy) and args:
            return self._copied(args[0], result, place)
        fields = getattr(function, "_fields", None)
        if isinstance(function, type) and issubclass(function, tuple) and isinstance(fields, tuple):
            return self._named_tuple(fields, args, kwargs, result, place)
        sources = self.depends((*args, *kwargs.values())) or self._known_holder(bound)
        if sources:
            self._tainted([box.value for box in (*args, *kwargs.values())], result, function, place)
        else:
            self.given(result)
        if isinstance(function, type) and function.__module__ in _THREADS:
            self.notice("What threads do is recorded in the order in which they happen to run.", place)
        if not sources and is_number(result) and not isinstance(result, (SHARED, range)):
            return Box(result, self.lookup(result, place), place)
        if function in (float, int) and self.windowed and is_number(result):
            self.notice("This number is read from text: where it came from is not followed.", place)
            return self.emit("text", [], {}, result, place, Kind.OPAQUE)
        if isinstance(bound, (dict, list, set, tuple)) or _silent(function):
            return self._from_container(function, args, result, place)
        if is_walker(function) or not is_number(result):
            return Box(result, None, place)
        if isinstance(result, np.ndarray):
            if self.memory.known(result) is not None:
                return self.boxed(result, place)
        elif not isinstance(result, SHARED) and (
            self.known(result) or self.loose.get(id(result), "?")[0] is result
        ):
            return self.boxed(result, place)
        return self._opaque(function, args, kwargs, result, place)

    def _named_tuple(
        self, fields: tuple[str, ...], args: list[Box], kwargs: dict[str, Box], result: Any, place: Place
    ) -> Box:
        """A named tuple holds what it was given, by position and by name."""
        for at, name in enumerate(fields):
            box = args[at] if at < len(args) else kwargs.get(name)
            if box is not None:
                self.locate_item(result, at, box)
                self.locate_item(result, name, box)
        return Box(result, None, place)

    def _tainted(self, values: list[Any], result: Any, function: Any, place: Place) -> None:
        """Recorded numbers went into a call: what it was given, files too, may hold them now."""
        for value in values:
            self.outside.pop(id(value), None)
            if isinstance(value, str):
                self.written_to.add(value)
            elif isinstance(getattr(value, "name", None), str):
                self.written_to.add(value.name)
        whole = isinstance(result, (tuple, list)) and any(type(item) is int for item in result[:100])
        if (
            whole
            and not (_silent(function) or is_walker(function))
            and not isinstance(getattr(function, "__self__", None), (dict, list, tuple, str))
        ):
            self.notice(f"{name_of(function)}() gives whole numbers that are taken as given.", place)

    def _known_holder(self, bound: Any) -> bool:
        """Whether the object that a method belongs to may hold something that was recorded."""
        if isinstance(bound, (str, bytes)):
            return self.holds_recorded(bound)
        if bound is None or isinstance(
            bound, (type, random.Random, np.random.RandomState, np.random.Generator)
        ):
            return False
        return not self.is_outside(bound)

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
            called = f"{source_of(args[0])}.{args[1].value}"
            return Box(result, self.lookup(result, place, called, (id(args[0].value), args[1].value), args[0].value), place)
        if isinstance(bound, dict) and name in ("get", "pop", "setdefault") and args and is_number(result):
            return Box(result, self.lookup(result, place, place.site.text, (id(bound), args[0].value), bound), place)
        if isinstance(bound, list) and name == "append" and args:
            self.locate_item(bound, len(bound) - 1, args[0])
        return self.boxed(result, place)

    def _opaque(
        self, function: Any, args: list[Box], kwargs: dict[str, Box], result: Any, place: Place
    ) -> Box:
        if isinstance(result, SHARED) and not self.depends((*args, *kwargs.values())):
            return Box(result, None, place)
        if not is_number(result):
            return Box(result, None, place)
        box = self.emit(name_of(function), list(args), dict(kwargs), result, place, Kind.OPAQUE)
        if box.node is not None and box.node.kind is Kind.OPAQUE:
            self.notice(
                f"{name_of(function)}() is kept as one step: what it computes inside is not followed.", place
            )
        return box


def is_walker(function: Any) -> bool:
    return id(function) in _WALKER_IDS


def carried_out(function: Any, args: list[Box], kwargs: dict[str, Box]) -> Any:
    return function(*(b.value for b in args), **{k: b.value for k, b in kwargs.items()})


def source_of(box: Box) -> str:
    return box.place.site.text if box.place is not None else ""


def name_of(function: Any) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _silent(function: Any) -> bool:
    try:
        if function in _SILENT:
            return True
    except TypeError:
        return False
    if getattr(function, "__name__", "") in _WRITING:
        return True
    module = getattr(function, "__module__", None) or ""
    bound = getattr(function, "__self__", None)
    return (module.split(".")[0] in _SILENT_MODULES and function not in (sum, max, min)) or isinstance(
        bound, str
    )
