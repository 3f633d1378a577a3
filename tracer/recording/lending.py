"""Which values of the tape are the program's own arrays: a copy is made only when one is about to change.

In: each new node's value, and word of every write that is coming.  Out: the value as the tape keeps it.

An array is lent to the tape if a recorded operation made it and no code but the recorded has run since that could
hold it: then nothing can write to it unannounced.  Views of it are lent with it.  Before a recorded write the nodes
that show its memory get copies (`before_write`); before anything runs that is not recorded, all that is still held
elsewhere is copied and never lent again (`give_up`), and while such code runs every value is copied (`foreign`).
Invariant: a lent value never changes.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tracer.recording.box import snapshot
from tracer.tape.node import Kind, Node

_MADE = frozenset({Kind.OPERATION, Kind.RANDOM})


def ultimate(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory, as far as NumPy knows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def is_plain(owner: np.ndarray) -> bool:
    """Whether the memory is NumPy's own, so that only arrays whose ``base`` says so can show it."""
    return bool(owner.flags.owndata)


class Lending:
    """The arrays that are lent, each with the nodes that show its memory.

    Attributes:
        foreign: how many calls of code that is not recorded are under way.
    """

    __slots__ = ("_owners", "foreign")

    def __init__(self) -> None:
        #: A node that alone shows its array, which it keeps, stands for both of them.
        self._owners: dict[int, Node | tuple[np.ndarray, list[Node]]] = {}
        self.foreign = 0

    def borrowers(self, value: Any, kind: Kind) -> list[Node] | None:
        """The nodes that share the memory of an array, for a new one to join; ``None`` if it must be copied."""
        if type(value) is not np.ndarray:
            return None
        owner = value if value.base is None else ultimate(value)
        found = self._owners.get(id(owner))
        if type(found) is tuple:
            return found[1]
        if type(found) is Node and found.value is owner:
            self._owners[id(owner)] = both = (owner, [found])
            return both[1]
        if owner is not value or self.foreign or kind not in _MADE or not is_plain(value):
            return None
        nodes: list[Node] = []
        self._owners[id(value)] = (value, nodes)
        return nodes

    def lend(self, array: np.ndarray, node: Node) -> bool:
        """Whether ``array``, fresh and nobody else's, is what ``node`` keeps as its value."""
        if self.foreign:
            return False
        self._owners[id(array)] = node
        return True

    def before_write(self, array: np.ndarray) -> None:
        """Recorded code is about to change the array."""
        owner = ultimate(array)
        if not is_plain(owner):
            self.give_up()  # Other arrays may show this memory, and NumPy does not say which.
            return
        found = self._owners.get(id(owner))
        if type(found) is tuple:
            _copy(found[1])
        elif type(found) is Node and found.value is owner:
            self._owners[id(owner)] = (owner, [])
            found.value = snapshot(found.value)

    def give_up(self) -> None:
        """Code that is not recorded comes next, and may write to whatever it can reach."""
        for entry in self._owners.values():
            if type(entry) is Node:
                if sys.getrefcount(entry.value) > _ALONE_WITH_ITS_NODE:
                    entry.value = snapshot(entry.value)
            elif type(entry) is tuple and not _alone(entry):
                _copy(entry[1])
        self._owners.clear()


def _copy(nodes: list[Node]) -> None:
    for node in nodes:
        node.value = snapshot(node.value)
    nodes.clear()


def _alone(entry: tuple[np.ndarray, list[Node]]) -> bool:
    """Whether the tape alone holds an array."""
    return not entry[1] or (
        len(entry[1]) == 1 and entry[1][0].value is entry[0] and sys.getrefcount(entry[0]) <= _ALONE
    )


def _count() -> int:
    """References to an array that a tape holds and nothing else: its node's, its entry's and those of the question."""
    array = np.empty(1)
    node = Node(0, Kind.OPERATION, "", (), {}, array, (1,), "float64")
    entry = (array, [node])
    del array
    return sys.getrefcount(entry[0])


def _count_of_node() -> int:
    """The same where its node stands for the entry."""
    node = Node(0, Kind.OPERATION, "", (), {}, np.empty(1), (1,), "float64")
    return sys.getrefcount(node.value)


_ALONE, _ALONE_WITH_ITS_NODE = _count(), _count_of_node()
