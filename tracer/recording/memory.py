"""Which node an array's present contents are: one storage with a version for each piece of memory.

In: arrays as the program holds them.  Out: the node whose value an array now is.  Arrays are known by
identity; views are read again lazily: when the memory below a view was written, the view's own
operation (``transpose``, ``getitem``…) is emitted again on the new version, as a fresh `Kind.VIEW`.

Invariant: after `write`, the storage's version is one higher, and each array that shares the memory
gets a node of the new version when it is next read.  Nothing here keeps the program's arrays alive.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tracer.recording.box import Place, same
from tracer.recording.lending import Lending, is_plain, ultimate
from tracer.tape.node import UNTRACKED, Kind, Node, Ref


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


class _Reference(weakref.ref):  # type: ignore[type-arg]
    """A weak reference to an array that knows the array's identity when it is gone."""

    __slots__ = ("key",)
    key: int


class Storage:
    """One piece of memory: the first array seen in it, that array's present node, and a version."""

    __slots__ = ("_owned", "_weak", "node", "version")

    def __init__(
        self, root: np.ndarray, node: Node, owner: np.ndarray, reference: weakref.ref[np.ndarray]
    ) -> None:
        self._owned = root if root is not owner else None
        self._weak = reference
        self.node, self.version = node, 0

    def root(self) -> np.ndarray | None:
        return self._owned if self._owned is not None else self._weak()


@dataclass(slots=True, eq=False)
class Record:
    """What is known of one array: its node as of ``version``, and the operation that made it a view."""

    array: weakref.ref[np.ndarray]
    storage: Storage
    node: Node
    version: int
    gap: int
    parent: np.ndarray | None = None
    made: Node | None = None


class Memory:
    """All arrays that the recorder has seen and that are still alive."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        self.records: dict[int, Record] = {}
        self.storages: dict[int, tuple[weakref.ref[np.ndarray], Storage]] = {}
        self.checked: set[int] = set()
        self.lending = Lending()
        self.entangled = False

    def _reference(self, array: np.ndarray) -> _Reference:
        reference = _Reference(array, self._gone)
        reference.key = id(array)
        return reference

    def _gone(self, reference: Any) -> None:
        """An array has been freed: its identity may be another's from now on."""
        key = reference.key
        self.checked.discard(key)
        record = self.records.get(key)
        if record is not None and record.array is reference:
            del self.records[key]
        stored = self.storages.get(key)
        if stored is not None and stored[0] is reference:
            del self.storages[key]

    def known(self, array: np.ndarray) -> Record | None:
        record = self.records.get(id(array))
        return record if record is not None and record.array() is array else None

    def current(self, array: np.ndarray) -> Node | None:
        """The node of an array of the window, if it is certain without looking at the entries."""
        record = self.records.get(id(array))
        if record is None or record.version != record.storage.version or record.array() is not array:
            return None
        node = record.node
        return node if node.value is array or (id(array) in self.checked and node.window >= 0) else None

    def storage_of(self, array: np.ndarray) -> Storage | None:
        owner = ultimate(array)
        found = self.storages.get(id(owner))
        return found[1] if found is not None and found[0]() is owner else None

    def made(self, array: np.ndarray, node: Node) -> None:
        """``array``, which has memory of its own, was just made by ``node``."""
        key, reference = id(array), self._reference(array)
        storage = Storage(array, node, array, reference)
        self.storages[key] = (reference, storage)
        self.records[key] = Record(reference, storage, node, 0, self.emitter.gap)

    def register(self, array: np.ndarray, node: Node, parent: np.ndarray | None = None) -> Record:
        """``array`` was just made by ``node``; ``parent`` is the array that it is a view of."""
        storage = self.storage_of(array)
        reference = self._reference(array)
        if storage is None or storage.root() is None:
            owner = ultimate(array)
            self.entangled = self.entangled or not is_plain(owner)
            storage = Storage(array, node, owner, reference)
            held = reference if owner is array else self._reference(owner)
            self.storages[id(owner)] = (held, storage)
        made = node if parent is not None and node.op in _REPEATABLE else None
        record = Record(
            reference, storage, node, storage.version, self.emitter.gap, parent if made else None, made
        )
        self.records[id(array)] = record
        return record

    def read(self, array: np.ndarray, place: Place | None, name: str = "", verify: bool = True) -> Node:
        """The node of what ``array`` now holds; a leaf if it was not made in recorded code."""
        record = self.known(array)
        if record is None:
            storage = self.storage_of(array)
            root = storage.root() if storage is not None else None
            if storage is not None and root is not None and root is not array:
                return self._unseen_view(array, root, storage, place, name)
            unseen = self.emitter.arrives(array, place)
            leaf = self._leaf(array, place, name, None)
            leaf.op = UNTRACKED if unseen else leaf.op
            return self.register(array, leaf).node
        if record.version != record.storage.version:
            self._refresh(record, array, place)
        if self.emitter.windowed and record.node.window < 0:
            self._open(record, array, place, name)
        if verify and self.emitter.windowed and id(array) not in self.checked:
            self._verify(record, array, place, name)
        return record.node

    def forget(self, array: np.ndarray) -> None:
        """Nothing is known of ``array`` any more, and no reference points to it."""
        self.records.pop(id(array), None)
        self.storages.pop(id(array), None)

    def attach(self, array: np.ndarray, node: Node, parent: np.ndarray) -> None:
        """``array``, made by ``node``, shows memory of ``parent``, though NumPy's ``base`` does not say so."""
        above = self.known(parent)
        assert above is not None
        reference = self._reference(array)
        self.records[id(array)] = Record(
            reference, above.storage, node, above.storage.version, self.emitter.gap, parent, node
        )

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

    def present(self, array: np.ndarray, node: Node, place: Place | None) -> Node:
        """The node of what ``array`` now holds, where ``node`` is what it held when it was read."""
        record = self.records.get(id(array))
        if record is not None and record.node is node and record.version == record.storage.version:
            return node
        record = self.known(array)
        if record is None or (record.node is node and record.version == record.storage.version):
            return node
        return self.read(array, place)

    # -- what a read may have to do --------------------------------------------------------------

    def _leaf(self, array: np.ndarray, place: Place | None, name: str, origin: int | None) -> Node:
        return self.emitter.node(Kind.LEAF, "", (), {}, array, place, origin, (name,) if name else ())

    def _open(self, record: Record, array: np.ndarray, place: Place | None, name: str) -> None:
        """The first read in the windows of an array that the set-up made."""
        root = record.storage.root()
        made, parent = record.made, record.parent
        if made is not None and parent is not None and root is not None and root is not array:
            above = self.known(root)
            if array.size == root.size or (above is not None and above.node.window >= 0):
                record.node = self._again(made, parent, array, place)
                return
        origin = record.node.id
        # An item of a dict that was written down in one piece has no name but the one it is read by.
        names = [made_as for made_as in record.node.names if not made_as.startswith("[")]
        record.node = self._leaf(array, place, names[0] if names else name, origin)
        if root is array:
            record.storage.node = record.node
        record.gap = self.emitter.gap

    def _refresh(self, record: Record, array: np.ndarray, place: Place | None) -> None:
        storage = record.storage
        root = storage.root()
        if root is array or root is None:
            record.node = storage.node
        elif record.made is not None and record.parent is not None:
            record.node = self._again(record.made, record.parent, array, place, tuple(record.node.names))
        else:
            record.node = self._by_position(array, root, storage, place, tuple(record.node.names))
        record.version = storage.version

    def _again(
        self,
        made: Node,
        parent: np.ndarray,
        array: np.ndarray,
        place: Place | None,
        names: tuple[str, ...] = (),
    ) -> Node:
        above = self.read(parent, place, verify=False)
        kwargs = {"shape": tuple(array.shape)} if made.op == "reshape" else made.kwargs
        if self.emitter.windowed and self.emitter.needs_setup((made.args[1:], kwargs)):
            return self._placed_in(array, parent, above, place, names or tuple(made.names))
        args = (Ref(above.id), *made.args[1:])
        return self.emitter.node(
            Kind.VIEW, made.op, args, kwargs, array, place, None, names or tuple(made.names)
        )

    def _placed_in(
        self, array: np.ndarray, parent: np.ndarray, above: Node, place: Place | None, names: tuple[str, ...]
    ) -> Node:
        """A view whose own index was computed in the set-up, of which no values are kept."""
        index = _simple_index(parent, array)
        if index is not None:
            args = (Ref(above.id), *index[1])
            return self.emitter.node(Kind.VIEW, index[0], args, index[2], array, place, None, names)
        args = (Ref(above.id), flat_positions(parent, array))
        return self.emitter.node(Kind.VIEW, "take_flat", args, {}, array, place, None, names)

    def _unseen_view(
        self, array: np.ndarray, root: np.ndarray, storage: Storage, place: Place | None, name: str
    ) -> Node:
        """An array that shows memory we know, but that no recorded operation made."""
        index = _simple_index(root, array)
        names = (name,) if name else ()
        if index is not None:
            above = self.read(root, place)
            node = self.emitter.node(
                Kind.VIEW, index[0], (Ref(above.id), *index[1]), index[2], array, place, None, names
            )
            return self.register(array, node, root).node
        if flat_positions(root, array) is None and array.dtype == root.dtype:
            # Another part of memory whose owner was never seen: nothing ties it to the part that is known.
            node = self._leaf(array, place, name, None)
            reference = self._reference(array)
            self.records[id(array)] = Record(
                reference, Storage(array, node, array, reference), node, 0, self.emitter.gap
            )
            return node
        return self.register(array, self._by_position(array, root, storage, place, names)).node

    def _by_position(
        self,
        array: np.ndarray,
        root: np.ndarray,
        storage: Storage,
        place: Place | None,
        names: tuple[str, ...],
    ) -> Node:
        positions = flat_positions(root, array)
        if positions is None:
            self.emitter.notice(
                "This view of an array cannot be followed (its entries have another type).", place
            )
            return self.emitter.node(Kind.OPAQUE, "view", (), {}, array, place, None, names)
        above = self.read(root, place)
        return self.emitter.node(
            Kind.VIEW, "take_flat", (Ref(above.id), positions), {}, array, place, None, names
        )

    def _verify(self, record: Record, array: np.ndarray, place: Place | None, name: str) -> None:
        self.checked.add(id(array))
        if record.node.window < 0 or same(array, record.node.value):
            record.gap = self.emitter.gap
            return
        root = record.storage.root()
        names = record.node.names
        if record.gap != self.emitter.gap:
            new = self._leaf(array, place, names[0] if names else name, record.node.origin)
        else:
            self.emitter.notice("This array was changed where the recorder could not see it.", place)
            new = self.emitter.node(
                Kind.OPAQUE, "unseen change", (), {}, array, place, None, tuple(names[:1])
            )
        record.gap = self.emitter.gap
        if root is array:
            record.storage.node = new
            record.storage.version += 1
            record.version = record.storage.version
        else:
            record.made = record.parent = None
        record.node = new

    # -- writing ----------------------------------------------------------------------------------

    def anything_may_change(self) -> None:
        """Code that is not recorded runs next, or has just run."""
        self.lending.give_up()
        self.checked.clear()

    def before_write(self, array: np.ndarray, place: Place | None) -> None:
        """Read what a write through ``array`` will change below it, as long as it is unchanged."""
        self.read(array, place)
        record = self.known(array)
        while record is not None and record.parent is not None:
            self.read(record.parent, place)
            record = self.known(record.parent)
        root = record.storage.root() if record is not None else None
        if root is not None:
            self.read(root, place)
        self.lending.before_write(array)

    def before_write_unverified(self, array: np.ndarray) -> None:
        """Mark what ``array`` holds as seen, although it has changed already."""
        self.checked.update((id(array), *(k for k in self.records)))

    def written(self, array: np.ndarray, node: Node, place: Place | None) -> None:
        """``array`` was changed in place; ``node`` is what it holds now.  `before_write` came first."""
        self.checked.discard(id(array))
        record = self.known(array)
        if record is None:
            self.register(array, node)
            return
        storage = record.storage
        fresh: list[Record] = [record]
        record.node = node
        root = storage.root()
        current, below = record, array
        while below is not root and root is not None:
            parent = current.parent
            above = self.known(parent) if parent is not None else None
            if above is None or parent is None or current.made is None:
                above, parent = self.known(root), root
                form = None
            else:
                form = current.made
            if above is None:
                break
            new = self._put_back(above.node, form, below, current.node, parent, place)
            if new is None:
                self.emitter.notice("A write through this view cannot be followed.", place)
                new = self.emitter.node(
                    Kind.OPAQUE, "unseen change", (), {}, parent, place, None, tuple(above.node.names[:1])
                )
            above.node = new
            fresh.append(above)
            current, below = above, parent
        if root is not None and (top := self.known(root)) is not None:
            storage.node = top.node
        storage.version += 1
        if self.entangled:
            self.checked.clear()  # Some array shows memory that is not its own: perhaps this.
        for each in fresh:
            each.version, each.gap = storage.version, self.emitter.gap

    def _put_back(
        self,
        old: Node,
        made: Node | None,
        below: np.ndarray,
        node: Node,
        parent: np.ndarray,
        place: Place | None,
    ) -> Node | None:
        """The parent's new value, from the new value of a view of it."""
        names = tuple(old.names[:1])
        if made is not None and made.op == "getitem" and not self.emitter.needs_setup(made.args[1]):
            args: tuple[Any, ...] = (Ref(old.id), made.args[1], Ref(node.id))
            return self.emitter.node(Kind.MUTATION, "setitem", args, {}, parent, place, None, names)
        if made is not None and made.op in ("real", "imag"):
            args = (Ref(old.id), made.op, Ref(node.id))
            return self.emitter.node(Kind.MUTATION, "with_attribute", args, {}, parent, place, None, names)
        if made is not None and made.op == "transpose":
            axes = made.kwargs.get("axes")
            inverse = None if axes is None else tuple(int(k) for k in np.argsort(axes))
            return self.emitter.node(
                Kind.MUTATION, "transpose", (Ref(node.id),), {"axes": inverse}, parent, place, None, names
            )
        if made is not None and made.op == "reshape" and not made.kwargs.get("order"):
            kwargs = {"shape": tuple(parent.shape)}
            return self.emitter.node(
                Kind.MUTATION, "reshape", (Ref(node.id),), kwargs, parent, place, None, names
            )
        positions = flat_positions(parent, below)
        if positions is None:
            return None
        return self.emitter.node(
            Kind.MUTATION, "put_flat", (Ref(old.id), positions, Ref(node.id)), {}, parent, place, None, names
        )


#: View operations that can be carried out again on another version of their first argument.
_REPEATABLE = frozenset(
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


def _simple_index(root: np.ndarray, view: np.ndarray) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
    """The plain operation that gives ``view`` from ``root``: a row, a transpose or a reshape."""
    if view.dtype != root.dtype or root.ndim == 0:
        return None
    offset = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    if (
        offset == 0
        and view.shape == root.shape[::-1]
        and view.strides == root.strides[::-1]
        and root.ndim > 1
    ):
        return "transpose", (), {"axes": None}
    if view.shape == root.shape[1:] and view.strides == root.strides[1:] and root.strides[0]:
        row, rest = divmod(offset, root.strides[0])
        if rest == 0 and 0 <= row < root.shape[0]:
            return "getitem", (int(row),), {}
    both = root.flags.c_contiguous and view.flags.c_contiguous
    if offset == 0 and view.size == root.size and both:
        return "reshape", (), {"shape": tuple(view.shape)}
    return None


def flat_positions(root: np.ndarray, view: np.ndarray) -> np.ndarray | None:
    """Positions in ``root`` (C order) of the entries that ``view`` shows; ``None`` if it shows others too."""
    size = root.dtype.itemsize
    if view.dtype.itemsize != size or root.size == 0 or view.size == 0:
        return None
    bounds = np.lib.array_utils.byte_bounds if hasattr(np.lib, "array_utils") else np.byte_bounds  # type: ignore[attr-defined]
    low, high = bounds(root)
    view_low, view_high = bounds(view)
    offset = view.__array_interface__["data"][0] - low
    if (
        view_low < low
        or view_high > high
        or offset % size
        or any(s % size for s in (*view.strides, *root.strides))
    ):
        return None
    memory = np.full((high - low) // size, -1, np.intp)
    start = (root.__array_interface__["data"][0] - low) // size
    strided = np.lib.stride_tricks.as_strided
    scale = memory.itemsize

    def shown(first: int, array: np.ndarray) -> np.ndarray:
        return strided(memory[first:], array.shape, tuple(s // size * scale for s in array.strides))

    shown(start, root)[...] = np.arange(root.size).reshape(root.shape)
    positions = shown(offset // size, view).copy()
    return None if (positions < 0).any() else positions
