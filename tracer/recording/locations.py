"""Where each plain value of the program came from: the node of a number, by where it stands.

In: numbers as the program holds them, with the variable, attribute or item that they were read from.  Out: their nodes.
Scalars are known by location (scope and name, or container and key) and, where Python does not share objects, by
identity too.

Invariant: set-up nodes have no values; the first read of one inside a window makes a leaf with the set-up node as its
``origin``.
"""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Hashable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tracer.recording.box import SHARED, Box, Place, is_number
from tracer.recording.given import Given
from tracer.recording.held_numbers import Reading
from tracer.recording.state import Mode
from tracer.tape.node import UNTRACKED, Binding, Kind, Node

_CONSTANTS = {math.pi: "pi", math.e: "e"}


def _constant(value: Any) -> str | None:
    """The name of a mathematical constant: all sixteen digits of it are no coincidence."""
    return _CONSTANTS.get(value) if type(value) is float else None


class Locations(Given):
    """Finding the node of a plain value."""

    def remember(self, value: Any, node: Node, parent: np.ndarray | None = None) -> None:
        """``value`` was just made by ``node``."""
        if isinstance(value, np.ndarray):
            self.memory.register(value, node, parent)
        elif not isinstance(value, SHARED):
            self.identities[id(value)] = (value, node)

    def known(self, value: Any) -> bool:
        found = self.identities.get(id(value))
        return found is not None and found[0] is value

    def lookup(
        self, value: Any, place: Place, name: str = "", location: Hashable = None, holder: Any = None
    ) -> Node | None:
        """The node of a plain value; a leaf if nothing is known of it.

        Arguments:
            name: what the program calls it, if anything.
            location: where it was read.  Small integers are told apart by this alone.
            holder: the container or object that it is a part of there.
        """
        if not is_number(value):
            return None
        if isinstance(value, np.ndarray):
            node = self.memory.current(value)
            if node is not None and (node.kind is not Kind.LEAF or node.origin is not None):
                return node
            node = self.memory.read(value, place, name)
            origin = self.origins.get(location)
            if (
                node.kind is Kind.LEAF
                and node.origin is None
                and origin is not None
                and origin.shape == node.shape
            ):
                node.origin = origin.id
            return node
        found = self.locations.get(location) if location is not None else None
        known = found is not None and found[0] is value
        if not known:
            found = self.identities.get(id(value)) if not isinstance(value, SHARED) else None
        if found is None and location is None and not isinstance(value, SHARED):
            found = self.loose.get(id(value))
        if found is not None and found[0] is value:
            return self._present(found[1], value, place, name, Reading(location, known, holder))
        if isinstance(value, SHARED) and (location is None or isinstance(value, (bool, np.bool_))):
            return None
        if (constant := _constant(value)) is not None:
            return self._known_number(constant, value, place, location)
        origin = self.origins.get(location)
        op = UNTRACKED if self.arrives(value, place) else ""
        new = self.node(
            Kind.LEAF, op, (), {}, value, place, origin.id if origin else None, (name,) if name else ()
        )
        self._locate(location, value, new)
        if location is None:
            self.remember(value, new)
        elif not isinstance(value, SHARED):
            # Known by its place; but a container that was not seen being filled may give the same object.
            self.loose.setdefault(id(value), (value, new))
        return new

    def _present(self, node: Node, value: Any, place: Place, name: str, reading: Reading) -> Node:
        """A node of the windows for a scalar that the set-up made."""
        if not self.windowed or node.window >= 0:
            return node
        location = reading.location
        if (constant := _constant(value)) is not None:
            return self._known_number(constant, value, place, location)
        leaf = self.held.leaf(value, node, reading)
        if leaf is None:
            names = (name,) if name else tuple(node.names[:1])
            leaf = self.node(Kind.LEAF, "", (), {}, value, place, node.id, names)
            self.held.keep(value, leaf, reading)
        elif name and not leaf.names:
            leaf.names.append(name)
        if location is not None:
            self._locate(location, value, leaf)
        if not isinstance(value, SHARED) and location is None:
            self.identities[id(value)] = (value, leaf)
        return leaf

    def _known_number(self, constant: str, value: float, place: Place, location: Hashable) -> Node:
        """π and e are themselves wherever they are read, and no numbers that another run could have otherwise."""
        node = self.node(Kind.OPERATION, constant, (), {}, value, place)
        self._locate(location, value, node)
        return node

    def _locate(self, location: Hashable, value: Any, node: Node) -> None:
        if location is None:
            return
        if self.mode is Mode.SETUP:
            before = self.locations.get(location)
            if before is None or before[0] is not value:
                self.held.put(value)
            self.origins[location] = node
        self.locations[location] = (value, node)

    def locate_item(self, container: Any, key: Any, box: Box) -> None:
        """``container[key]`` (or its attribute) now holds the value of ``box``."""
        if box.node is not None and isinstance(key, (str, int)):
            if not isinstance(box.value, np.ndarray):
                self._keep(container, key)
                self._locate((id(container), key), box.value, box.node)
            elif self.mode is Mode.SETUP:
                self._keep(container, key)
                self.origins[(id(container), key)] = box.node

    def _keep(self, container: Any, key: Any) -> None:
        """What is known of places in ``container`` goes when it goes; lists and dicts are held instead."""
        number = id(container)
        held = self.kept.get(number)
        if held is not None:
            held[1].add(key)
            return

        def gone(_: Any) -> None:
            for each in self.kept.pop(number, (None, ()))[1]:
                self.locations.pop((number, each), None)
                self.origins.pop((number, each), None)

        try:
            self.kept[number] = (weakref.ref(container, gone), {key})
        except TypeError:
            self.kept[number] = (container, {key})

    def where(self, frame: FrameType, name: str) -> Hashable:
        """The location of a variable that code in ``frame`` reads or binds."""
        code = frame.f_code
        found = self.kinds.get(id(code))
        if found is None:
            found = self.kinds[id(code)] = (code, {})
        kind = found[1].get(name)
        if kind is None:
            kind = found[1][name] = _kind_of(code, name)
        if kind == "local":
            return (self.scopes.get(id(frame), -id(frame)), name)
        if kind == "cell":
            return ("cell", name)
        if kind == "any" and frame.f_locals is not frame.f_globals:
            return ("class", id(frame.f_locals), name)
        return ("global", id(frame.f_globals), name)

    def bound(self, name: str, box: Box, place: Place) -> None:
        """A name was given to a value."""
        node = box.node
        if node is None:
            return
        if name not in node.names:
            node.names.append(name)
        tape = self.tape
        tape.bindings.append(Binding(name, node.id, len(tape.nodes), place.site, place.scope))


def _kind_of(code: CodeType, name: str) -> str:
    """What a name is to a piece of code; that of a class or a module may be either's own, or global."""
    if name in code.co_freevars or name in code.co_cellvars:
        return "cell"
    if name in code.co_varnames:
        return "local"
    return "global" if code.co_flags & inspect.CO_NEWLOCALS else "any"
