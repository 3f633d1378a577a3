"""Which arrays the recorder has seen: a record for each array, a storage with a version for each piece of memory.

In: arrays as the program holds them, each with the node that made it.  Out: the record of an array, by its identity.

Invariant: a record's node is what its array holds as long as the record's version is its storage's.  Nothing here keeps
the program's arrays alive, but for a view whose memory belongs to an array that was never seen.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from msgspec import Struct

from tracer.recording.box import Place
from tracer.recording.lending import Lending, is_plain, ultimate
from tracer.tape.node import Kind, Node


class Emitter(Protocol):
    """What the memory needs of the recorder."""

    gap: int

    @property
    def windowed(self) -> bool: ...

    def node(self, kind: Kind, op: str, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any,
             place: Place | None, origin: int | None = None, names: tuple[str, ...] = ()) -> Node: ...  # fmt: skip

    def notice(self, what: str, place: Place | None) -> None: ...

    def needs_setup(self, argument: Any) -> bool: ...

    def arrives(self, value: Any, place: Place | None) -> bool: ...


class Storage(Struct, eq=False):
    """One piece of memory: the first array seen in it, that array's present node, and a version."""

    first: Callable[[], np.ndarray | None]
    owned: np.ndarray | None
    node: Node
    version: int = 0

    def root(self) -> np.ndarray | None:
        return self.owned if self.owned is not None else self.first()


def _nobody() -> None:
    """What refers to an array that has been freed."""


class Record(weakref.ref):  # type: ignore[type-arg]
    """What is known of the array that it refers to: its node as of ``version``, and the operation that made it a view.

    One is made for every recorded operation; without an ``__init__`` that takes half the time.
    """

    __slots__ = ("gap", "key", "made", "node", "parent", "storage", "version")
    gap: int
    key: int
    made: Node | None
    node: Node
    parent: np.ndarray | None
    storage: Storage
    version: int


class KnownArrays:
    """All arrays that the recorder has seen and that are still alive."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        self.records: dict[int, Record] = {}
        #: Storages whose first array is not the owner of the memory, by the owner.
        self.storages: dict[int, tuple[weakref.ref[np.ndarray], Storage]] = {}
        self.checked: set[int] = set()
        #: What came from nobody knows where, by the names under which it was read last.
        self.strays: dict[str, Node] = {}
        self.lending = Lending()
        self.entangled = False
        self._when_gone = self._gone

    def _gone(self, record: Any) -> None:
        """An array has been freed: its identity may be another's from now on."""
        key = record.key
        self.checked.discard(key)
        if self.records.get(key) is record:
            del self.records[key]
        record.parent = None
        if record.storage.first is record:
            record.storage.first = _nobody  # Else the two would keep each other.

    def _record(
        self,
        array: np.ndarray,
        storage: Storage | None,
        node: Node,
        parent: np.ndarray | None = None,
        made: Node | None = None,
    ) -> Record:
        """A new record of ``array``, and a new storage if it has none."""
        record = Record(array, self._when_gone)
        if storage is None:
            storage = Storage(record, None, node)
        record.key = key = id(array)
        record.storage, record.node, record.version = storage, node, storage.version
        record.gap, record.parent, record.made = self.emitter.gap, parent, made
        self.records[key] = record
        return record

    def known(self, array: np.ndarray) -> Record | None:
        record = self.records.get(id(array))
        return record if record is not None and record() is array else None

    def current(self, array: np.ndarray) -> Node | None:
        """The node of an array of the window, if it is certain without looking at the entries."""
        record = self.records.get(id(array))
        if record is None or record.version != record.storage.version or record() is not array:
            return None
        node = record.node
        return node if node.value is array or (id(array) in self.checked and node.window >= 0) else None

    def storage_of(self, array: np.ndarray) -> Storage | None:
        owner = ultimate(array)
        record = self.records.get(id(owner))
        if record is not None and record.storage.first() is owner:
            return record.storage
        found = self.storages.get(id(owner))
        return found[1] if found is not None and found[0]() is owner else None

    def made(self, array: np.ndarray, node: Node) -> None:
        """``array``, which has memory of its own, was just made by ``node``."""
        record = Record(array, self._when_gone)
        record.storage = Storage(record, None, node)
        record.key = key = id(array)
        record.node, record.version, record.gap = node, 0, self.emitter.gap
        record.parent = record.made = None
        self.records[key] = record

    def register(self, array: np.ndarray, node: Node, parent: np.ndarray | None = None) -> Record:
        """``array`` was just made by ``node``; ``parent`` is the array that it is a view of."""
        storage = self.storage_of(array)
        made = node if parent is not None and node.op in REPEATABLE else None
        if storage is not None and storage.root() is not None:
            return self._record(array, storage, node, parent if made else None, made)
        record = self._record(array, None, node, parent if made else None, made)
        owner = ultimate(array)
        self.entangled = self.entangled or not is_plain(owner)
        if owner is not array:
            record.storage.owned = array
            self._tie(owner, record.storage)
        return record

    def set_apart(self, array: np.ndarray, node: Node) -> None:
        """``array`` is ``node``; no other array that is known shows its part of the memory of its owner."""
        self._record(array, None, node)

    def _tie(self, owner: np.ndarray, storage: Storage) -> None:
        """The memory of ``owner``, which was not seen itself, is ``storage``."""
        key = id(owner)

        def gone(reference: Any) -> None:
            stored = self.storages.get(key)
            if stored is not None and stored[0] is reference:
                del self.storages[key]

        self.storages[key] = weakref.ref(owner, gone), storage

    def forget(self, array: np.ndarray) -> None:
        """Nothing is known of ``array`` any more, and no reference points to it."""
        record = self.records.get(id(array))
        if record is not None:
            self._gone(record)
        self.storages.pop(id(array), None)

    def attach(self, array: np.ndarray, node: Node, parent: np.ndarray) -> None:
        """``array``, made by ``node``, shows memory of ``parent``, though NumPy's ``base`` does not say so."""
        above = self.known(parent)
        assert above is not None
        self._record(array, above.storage, node, parent, node)

    def reshaped(self, array: np.ndarray, node: Node) -> None:
        """``array`` itself got another shape; its entries are the same, and ``node`` is what it is now."""
        record = self.known(array)
        assert record is not None
        record.node, record.made, record.parent = node, None, None
        if record.storage.root() is array:
            record.storage.node = node
        for other in self.records.values():
            if other.parent is array:
                other.made = other.parent = None


#: View operations that can be carried out again on another version of their first argument.
REPEATABLE = frozenset(
    [
        "getitem",
        "transpose",
        "reshape",
        "squeeze",
        "expand_dims",
        "swapaxes",
        "diagonal",
        "broadcast_to",
        "real",
        "imag",
        "split",
        "array_split",
        "flip",
        "moveaxis",
        "atleast_2d",
        "atleast_1d",
    ]
)
