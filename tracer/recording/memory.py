"""What a write does to the arrays that share the memory: mutation becomes a new version.

In: word of a write that is coming, and of one that was carried out.  Out: nodes of the new version.

Invariant: after `written`, the storage's version is one higher, and each array that shares the memory
gets a node of the new version when it is next read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.box import Place
from tracer.recording.known_arrays import Record
from tracer.recording.positions import flat_positions
from tracer.recording.reading import Reading
from tracer.tape.node import Kind, Node, Ref


class Memory(Reading):
    """All arrays that the recorder has seen: which node each of them is, now and after it is changed."""

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
