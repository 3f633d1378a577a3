"""Which node an array's present contents are.

In: arrays as the program holds them.  Out: the node whose value an array now is.  Views are read again lazily: when the
memory below a view was written, the view's own operation (``transpose``, ``getitem``…) is emitted again on the new
version, as a fresh `Kind.VIEW`.

Invariant: what is read in a window has a node of the windows, and its entries were compared with that node's value
since code last ran that could have changed them.
"""

from __future__ import annotations

import numpy as np

from tracer.recording.box import Place, same
from tracer.recording.known_arrays import KnownArrays, Record, Storage
from tracer.recording.positions import flat_positions, simple_index
from tracer.tape.node import UNTRACKED, Kind, Node, Ref


class Reading(KnownArrays):
    """Reading arrays."""

    def read(self, array: np.ndarray, place: Place | None, name: str = "", verify: bool = True) -> Node:
        """The node of what ``array`` now holds; a leaf if it was not made in recorded code."""
        record = self.known(array)
        if record is None:
            storage = self.storage_of(array)
            root = storage.root() if storage is not None else None
            if storage is not None and root is not None and root is not array:
                return self._unseen_view(array, root, storage, place, name)
            if not self.emitter.arrives(array, place):
                return self.register(array, self._leaf(array, place, name, None)).node
            return self.register(array, self._stray(array, place, name)).node
        if record.version != record.storage.version:
            self._refresh(record, array, place)
        if self.emitter.windowed and record.node.window < 0:
            self._open(record, array, place, name)
        if verify and self.emitter.windowed and id(array) not in self.checked:
            self._verify(record, array, place, name)
        return record.node

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

    def _stray(self, array: np.ndarray, place: Place | None, name: str) -> Node:
        """A leaf for what came from nobody knows where, or what came before under the same name with the same entries.

        A library hands a copy of its parameters to the function for the loss, and another one to that for the gradient.
        """
        before = self.strays.get(name)
        again = before is not None and before.window >= 0 and same(before.value, array)
        if before is not None and again and np.any(array != array.flat[0]):  # many arrays are all 0
            return self.emitter.node(Kind.OPERATION, "copy", (Ref(before.id),), {}, array, place, None, (name,))
        leaf = self._leaf(array, place, name, None)
        leaf.op = UNTRACKED
        if name:
            self.strays[name] = leaf
        return leaf

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
        index = simple_index(parent, array)
        if index is not None:
            args = (Ref(above.id), *index[1])
            return self.emitter.node(Kind.VIEW, index[0], args, index[2], array, place, None, names)
        args = (Ref(above.id), flat_positions(parent, array))
        return self.emitter.node(Kind.VIEW, "take_flat", args, {}, array, place, None, names)

    def _unseen_view(
        self, array: np.ndarray, root: np.ndarray, storage: Storage, place: Place | None, name: str
    ) -> Node:
        """An array that shows memory we know, but that no recorded operation made."""
        index = simple_index(root, array)
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
            self._record(array, None, node)
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
