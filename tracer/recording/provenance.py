"""What was there before a window opened: the numbers and arrays that a recorded program may read as given.

In: the objects of the process.  Out: the identities of the numbers and arrays that they hold.
Invariant: a value made inside a window by code that was not recorded is not among them, unless it came to lie
where one that is gone lay; so a leaf for it is not taken for an input.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

_VALUES = frozenset({float, complex, np.ndarray, np.matrix, np.memmap, *np.sctypeDict.values()})
_HOLDERS = frozenset({tuple, dict})
_WANTED = _VALUES | _HOLDERS
_WANTED_IDS = frozenset(id(kind) for kind in _WANTED)


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """Leave out of every look what is there now: a program that starts afresh cannot come by it.

    What it reads from modules is told apart by itself.  In a large process each look would take seconds.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def values_alive() -> set[int]:
    """The identities of all numbers and arrays that anything holds now.

    Small integers and truth values are left out: they are shared, so their identity says nothing.
    """
    found: set[int] = set()
    holders: list[Any] = gc.get_objects()
    frame = sys._getframe(1)
    while frame is not None:
        holders.append(frame.f_locals)
        frame = frame.f_back  # type: ignore[assignment]
    _collect(holders, found)
    return found


def _collect(holders: Iterable[Any], found: set[int]) -> None:
    """Add what the holders refer to; what the collector does not track is looked into as well."""
    todo: list[Any] = []
    for item in _wanted(gc.get_referents(*holders)):
        if type(item) in _VALUES:
            found.add(id(item))
            if isinstance(item, np.ndarray) and item.dtype == object:
                todo.append(item.ravel().tolist())
        elif not gc.is_tracked(item):
            todo.append(item)
    if todo:
        _collect(todo, found)


def _wanted(items: list[Any]) -> list[Any]:
    try:
        return [item for item in items if type(item) in _WANTED]
    except TypeError:  # A class of the program has no hash.
        return [item for item in items if id(type(item)) in _WANTED_IDS]
