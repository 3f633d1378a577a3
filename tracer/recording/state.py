"""The recorder's state: the tape under construction, and where each plain value of the program came from.

Arrays are known by identity (`Memory`), scalars by location (scope and name, or container and key) and,
where Python does not share objects, by identity too.  Set-up nodes have no values; the first read of one
inside a window makes a leaf with the set-up node as its ``origin``.
"""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Hashable
from enum import IntEnum
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from tracer.recording.box import (
    NUMBERS,
    SHARED,
    Box,
    Place,
    dtype_name,
    is_number,
    name_of,
    shape_of,
    snapshot,
)
from tracer.recording.lending import ultimate
from tracer.recording.memory import Memory
from tracer.recording.provenance import values_alive
from tracer.tape.functions import Slice, resolve
from tracer.tape.node import UNTRACKED, Binding, Call, Kind, Node, Notice, Ref
from tracer.tape.tape import Tape, references, substitute

#: More nodes than this are not kept of the code before the loops.
SETUP_LIMIT = 20_000
_DEPTH, _LENGTH = 4, 2000
#: Operations that give back one of their arguments.
_CHOOSING = ("max_of", "min_of")
#: A window takes no more nodes, and no more bytes of values, than these; the rest of it runs natively.
MOST_NODES, MOST_BYTES = 60_000, 3 * 2**29


class Mode(IntEnum):
    """What the rewritten code does at present."""

    OFF = 0
    SETUP = 1
    WINDOW = 2


_WINDOW, _OPERATION = Mode.WINDOW, Kind.OPERATION
_CONSTANTS = {math.pi: "pi", math.e: "e"}


def _constant(value: Any) -> str | None:
    """The name of a mathematical constant: all sixteen digits of it are no coincidence."""
    return _CONSTANTS.get(value) if type(value) is float else None


class Stranger(str):
    """What stands for an argument that is neither a number nor an array nor a container of them."""

    __slots__ = ()


def _stranger(argument: Any) -> str:
    """The first stranger in an argument, or nothing."""
    if isinstance(argument, Stranger):
        return str(argument)
    if isinstance(argument, dict):
        argument = tuple(argument.values())
    if isinstance(argument, (tuple, list)):
        return next((found for item in argument if (found := _stranger(item))), "")
    return ""


class State:
    """Nodes, names and locations; the callbacks of the rewritten program stand in subclasses."""

    def __init__(self, places: list[Place]) -> None:
        self.places = places
        self.tape = Tape()
        self.memory = Memory(self)
        self.mode = Mode.SETUP
        self.window = -1
        self.window_start = self.bytes = 0
        self.gap = 0
        self.setup_nodes = 0
        self.calls: tuple[Call, ...] = ()
        self.identities: dict[int, tuple[Any, Node]] = {}
        self.locations: dict[Hashable, tuple[Any, Node]] = {}
        self.origins: dict[Hashable, Node] = {}
        self.scopes: dict[int, int] = {}
        self.scope_count = 0
        self.kept: dict[int, tuple[Any, set[Any]]] = {}
        self.said: set[tuple[str, int, int]] = set()
        self.alive: set[int] = set()
        self.look_again = False
        self.outside: dict[int, Any] = {}
        self.texts: dict[int, Any] = {}
        self.written_to: set[Any] = set()
        self.loose: dict[int, tuple[Any, Node]] = {}
        self.main_path = ""

    @property
    def windowed(self) -> bool:
        return self.mode is Mode.WINDOW

    # -- values from elsewhere --------------------------------------------------------------------

    def look_around(self) -> None:
        """A window opens: whatever is there now may be read in it as given."""
        self.alive = values_alive()

    def given(self, value: Any) -> None:
        """``value`` comes from outside the program's arithmetic: from a module, a file, the clock."""
        if isinstance(value, np.ndarray):
            self.alive.update((id(value), id(ultimate(value))))
        elif is_number(value):
            self.alive.add(id(value))
        elif isinstance(value, (str, bytes)):
            self.texts[id(value)] = value
        elif value is not None and not isinstance(value, bool):
            try:
                # A file that only this dictionary held would be closed too late.
                self.outside[id(value)] = weakref.ref(value)
            except TypeError:
                self.outside[id(value)] = value
            if isinstance(value, (list, tuple)):
                self.texts.update(
                    (id(item), item) for item in value[:_LENGTH] if isinstance(item, (str, bytes))
                )

    def is_outside(self, value: Any) -> bool:
        if isinstance(value, ModuleType):
            return True
        known = self.outside.get(id(value))
        return known is not None and (known() if isinstance(known, weakref.ref) else known) is value

    def arrives(self, value: Any, place: Place | None) -> bool:
        """A leaf is made for ``value`` in a window: whether it was not there before the window, which is said."""
        if not self.windowed or isinstance(value, SHARED):
            return False
        part: Any = value
        while id(part) not in self.alive:
            part = getattr(part, "base", None) if isinstance(part, np.ndarray) else None
            if part is None and self.look_again:
                self.look_again, part = False, value
                self.alive |= values_alive()
            elif part is None:
                self.notice(
                    "Where this value was computed could not be followed; it is taken as given.", place
                )
                return True
        return False

    # -- nodes ----------------------------------------------------------------------------------

    def node(
        self,
        kind: Kind,
        op: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        value: Any,
        place: Place | None,
        origin: int | None = None,
        names: tuple[str, ...] = (),
    ) -> Node:
        """A new node at the end of the tape."""
        if not self.windowed:
            self.setup_nodes += 1
            if self.setup_nodes >= SETUP_LIMIT and self.mode is Mode.SETUP:
                self.turn(Mode.OFF)
                self.notice(
                    "The code before the training loop is long; only its beginning was recorded.", place
                )
        windowed = self.mode is Mode.WINDOW
        borrowers = self.memory.lending.borrowers(value, kind) if windowed else None
        if borrowers is not None:
            kept = value
        else:
            kept = snapshot(value) if windowed or kind is Kind.LITERAL else None
        new = Node(
            len(self.tape.nodes), kind, op, args, kwargs, kept,
            shape_of(value), dtype_name(value), place.site if place else None, self.calls, list(names),
            self.window if windowed else -1, origin,
        )  # fmt: skip
        self.tape.nodes.append(new)
        if borrowers is not None:
            borrowers.append(new)
        if windowed:
            self.bytes += getattr(kept, "nbytes", 0)
        return new

    def turn(self, mode: Mode) -> None:
        """Go on in another mode; where a window is left, code that is not recorded may follow."""
        if self.mode is Mode.WINDOW and mode is not Mode.WINDOW:
            self.memory.anything_may_change()
        self.mode = mode

    def room(self) -> bool:
        """Whether the window may go on; asked where the native version of some code can take over."""
        if self.mode is not Mode.WINDOW:
            return self.mode is not Mode.OFF
        many = len(self.tape.nodes) - self.window_start > MOST_NODES
        if many or self.bytes > MOST_BYTES:
            what = f"{MOST_NODES} operations" if many else f"{MOST_BYTES / 2**30:g} GiB of values"
            site = self.tape.nodes[-1].site
            self.notice(
                f"This goes on for more than {what}; only the beginning was recorded.",
                Place(site) if site else None,
            )
            self.turn(Mode.OFF)
            self.gap += 1
            return False
        return True

    def notice(self, what: str, place: Place | None) -> None:
        """Something that could not be followed; each place says the same thing once."""
        line, column = (place.site.span.line, place.site.span.column) if place else (0, 0)
        if place and self.main_path and place.site.path not in ("", self.main_path):
            what, line, column = f"{Path(place.site.path).name}:{line}:{column}: {what}", 0, 0
        if (what, line, column) not in self.said:
            self.said.add((what, line, column))
            self.tape.notices.append(Notice(line, column, what))

    def needs_setup(self, argument: Any) -> bool:
        """Whether an argument refers to a node of the set-up, which has no value."""
        return any(self.tape.nodes[node].window < 0 for node in references(argument))

    def emit(
        self,
        op: str,
        operands: list[Any],
        parameters: dict[str, Any],
        value: Any,
        place: Place,
        kind: Kind | None = None,
    ) -> Box:
        """Record that ``op`` gave ``value``; a value that has a node already keeps it."""
        if not self.mode or not is_number(value):
            return Box(value, None, place)
        if isinstance(value, np.ndarray):
            if self.memory.known(value) is not None:
                return Box(value, self.memory.read(value, place), place)
        elif not isinstance(value, SHARED) and self.known(value):
            if op in _CHOOSING:
                # It gives back one of its arguments, whose node stays the argument's.
                args = tuple(self.reference(o) for o in operands)
                return Box(value, self.node(Kind.OPERATION, op, args, {}, value, place), place)
            return Box(value, self.lookup(value, place), place)
        if op in ("empty", "empty_like") and isinstance(value, np.ndarray):
            value[...] = 0  # Whatever lay in the memory; this way two runs, and a replay, have the same.
        args = tuple(self.reference(o) for o in operands)
        kwargs = {k: self.reference(p, literals=True) for k, p in parameters.items()}
        if kind is None and (stranger := _stranger((args, kwargs))):
            kind = Kind.OPAQUE
            self.notice(f"This step is not followed: one of its arguments is {stranger}, no number.", place)
        parent = None
        if (
            isinstance(value, np.ndarray)
            and value.base is not None
            and operands
            and isinstance(operands[0], Box)
        ):
            first = operands[0].value
            if isinstance(first, np.ndarray) and ultimate(first) is ultimate(value):
                parent = first
        if kind is None:
            kind = Kind.VIEW if parent is not None else Kind.OPERATION
        if kind in (Kind.OPERATION, Kind.VIEW) and (
            isinstance(value, np.matrix)
            or any(isinstance(o, Box) and isinstance(o.value, np.matrix) for o in operands)
        ):
            return self._of_matrix(op, args, kwargs, value, place)
        new = self.node(kind, op, args, kwargs, value, place)
        self.remember(value, new, parent)
        return Box(value, new, place)

    def computed(self, op: str, operands: list[Box], value: Any, place: Place) -> Box:
        """Record that ``op`` gave ``value``, where `is_arithmetic` says that it is a fresh array."""
        memory, args = self.memory, []
        records = memory.records
        for box in operands:
            node = box.node
            if node is None:
                args.append(self._reference_box(box, False))
                continue
            held = box.value
            if type(held) is np.ndarray:
                record = records.get(id(held))
                if record is None or record.node is not node or record.version != record.storage.version:
                    node = memory.present(held, node, box.place)
            args.append(Ref(node.id))
        if self.mode is _WINDOW:
            # What `node` does, for the one kind of node that there are most of.
            nodes = self.tape.nodes
            new = Node(
                len(nodes), _OPERATION, op, tuple(args), {}, value, value.shape, name_of(value.dtype), place.site,
                self.calls, [], self.window,
            )  # fmt: skip
            nodes.append(new)
            self.bytes += value.nbytes
            if not memory.lending.lend(value, new):
                new.value = snapshot(value)
        else:
            new = self.node(_OPERATION, op, tuple(args), {}, value, place)
        memory.made(value, new)
        return Box(value, new, place)

    def _of_matrix(self, op: str, args: Any, kwargs: Any, value: Any, place: Place) -> Box:
        """An operation of ``np.matrix``, which keeps two axes: the plain operation, then a reshape."""
        values = {k: self.tape.nodes[k].value for k in references((args, kwargs))}
        plain = value
        if all(v is not None for v in values.values()):
            plain = resolve(op)(*substitute(args, values), **substitute(kwargs, values))
        new = self.node(Kind.OPERATION, op, args, kwargs, plain, place)
        if np.shape(plain) != np.shape(value):
            new = self.node(
                Kind.OPERATION, "reshape", (Ref(new.id),), {"shape": np.shape(value)}, value, place
            )
        self.remember(value, new)
        return Box(value, new, place)

    def remember(self, value: Any, node: Node, parent: np.ndarray | None = None) -> None:
        """``value`` was just made by ``node``."""
        if isinstance(value, np.ndarray):
            self.memory.register(value, node, parent)
        elif not isinstance(value, SHARED):
            self.identities[id(value)] = (value, node)

    # -- finding the node of a plain value ----------------------------------------------------------

    def known(self, value: Any) -> bool:
        found = self.identities.get(id(value))
        return found is not None and found[0] is value

    def lookup(self, value: Any, place: Place, name: str = "", location: Hashable = None) -> Node | None:
        """The node of a plain value; a leaf if nothing is known of it.

        Arguments:
            name: what the program calls it, if anything.
            location: where it was read.  Small integers are told apart by this alone.
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
        if found is None or found[0] is not value:
            found = self.identities.get(id(value)) if not isinstance(value, SHARED) else None
        if found is None and location is None and not isinstance(value, SHARED):
            found = self.loose.get(id(value))
        if found is not None and found[0] is value:
            return self._present(found[1], value, place, name, location)
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

    def _present(self, node: Node, value: Any, place: Place, name: str, location: Hashable) -> Node:
        """A node of the windows for a scalar that the set-up made."""
        if not self.windowed or node.window >= 0:
            return node
        if (constant := _constant(value)) is not None:
            return self._known_number(constant, value, place, location)
        names = (name,) if name else tuple(node.names[:1])
        leaf = self.node(Kind.LEAF, "", (), {}, value, place, node.id, names)
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
        self.locations[location] = (value, node)
        if self.mode is Mode.SETUP:
            self.origins[location] = node

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
        if name in code.co_freevars or name in code.co_cellvars:
            return ("cell", name)
        if name in code.co_varnames:
            return (self.scopes.get(id(frame), -id(frame)), name)
        if not code.co_flags & inspect.CO_NEWLOCALS and frame.f_locals is not frame.f_globals:
            return ("class", id(frame.f_locals), name)
        return ("global", id(frame.f_globals), name)

    # -- arguments ----------------------------------------------------------------------------------

    def reference(self, item: Any, literals: bool = False) -> Any:
        """An argument as the tape keeps it.

        Arguments:
            item: a box, a container of boxes, or a constant.
            literals: whether numbers written in the program stand for themselves.
        """
        if isinstance(item, Box):
            return self._reference_box(item, literals)
        if isinstance(item, tuple):
            return tuple(self.reference(part, literals) for part in item)
        if isinstance(item, list):
            return [self.reference(part, literals) for part in item]
        return item

    def _reference_box(self, box: Box, literals: bool) -> Any:
        if isinstance(box.value, np.ndarray) and box.node is not None:
            # It may have been changed since it was read: `a[0], a[1] = a[1], a[0]`.
            return Ref(self.memory.present(box.value, box.node, box.place).id)
        if box.node is not None:
            written = box.node.kind is Kind.LITERAL and not box.node.names
            return box.value if literals and written else Ref(box.node.id)
        if isinstance(box.value, slice):
            parts = box.items or [Box(p) for p in (box.value.start, box.value.stop, box.value.step)]
            return Slice(*(self.reference(part, True) for part in parts))
        if box.items is not None and isinstance(box.value, (list, tuple)):
            return tuple(self.reference(part, literals) for part in box.items)
        return self.deep(box.value, box.place)

    def deep(self, value: Any, place: Place | None, depth: int = 0) -> Any:
        """A plain value as an argument: what has a node inside it becomes a reference."""
        if isinstance(value, (*NUMBERS, range)):
            if (
                isinstance(value, np.ndarray)
                and value.dtype == object
                and value.size < _LENGTH
                and depth < _DEPTH
            ):
                return self.deep(value.tolist(), place, depth + 1)
            if isinstance(value, np.ndarray) and not is_number(value):
                return Stranger(f"<array of {value.dtype}>")
            if isinstance(value, SHARED) or not is_number(value):
                return value
            node = self.lookup(value, place or Place(_nowhere()))
            return Ref(node.id) if node is not None else value
        if isinstance(value, (list, tuple)) and depth < _DEPTH and len(value) < _LENGTH:
            return tuple(self._item(value, at, part, place, depth) for at, part in enumerate(value))
        if isinstance(value, type) and issubclass(value, (np.generic, int, float)):
            return np.dtype(value).name
        if isinstance(value, np.dtype):
            return value.name
        if isinstance(value, (str, bytes, type(None), type(Ellipsis))):
            return value
        if isinstance(value, slice):
            return Slice(
                *(self.deep(part, place, depth + 1) for part in (value.start, value.stop, value.step))
            )
        if isinstance(value, dict) and depth < _DEPTH and len(value) < _LENGTH:
            return {str(key): self._item(value, key, part, place, depth) for key, part in value.items()}
        return Stranger(f"<{type(value).__name__}>")

    def _item(self, container: Any, at: int, part: Any, place: Place | None, depth: int) -> Any:
        found = self.locations.get((id(container), at))
        if found is not None and found[0] is part and place is not None:
            return Ref(self._present(found[1], part, place, "", (id(container), at)).id)
        return self.deep(part, place, depth + 1)

    def bound(self, name: str, box: Box, place: Place) -> None:
        """A name was given to a value."""
        node = box.node
        if node is None:
            return
        if name not in node.names:
            node.names.append(name)
        tape = self.tape
        tape.bindings.append(Binding(name, node.id, len(tape.nodes), place.site, place.scope))


def _nowhere() -> Any:
    from tracer.tape.node import Site, Span

    return Site(Span(0, 0, 0, 0), "")
