"""The recorder's state: the tape under construction, the mode, and what is said to the reader.

In: kinds, operations, arguments and values.  Out: nodes at the end of the tape.  Invariant: nodes of a window keep their
values, of which no later write changes one; set-up nodes have none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from enum import IntEnum
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from tracer.recording.box import Place, dtype_name, shape_of, snapshot
from tracer.recording.held_numbers import HeldNumbers
from tracer.recording.memory import Memory
from tracer.tape.node import Call, Kind, Node, Notice
from tracer.tape.tape import Tape, references

#: More nodes than this are not kept of the code before the loops.
SETUP_LIMIT = 20_000
#: A window takes no more nodes, and no more bytes of values, than these; the rest of it runs natively.
MOST_NODES, MOST_BYTES = 60_000, 3 * 2**29


class Mode(IntEnum):
    """What the rewritten code does at present."""

    OFF = 0
    SETUP = 1
    WINDOW = 2


_WINDOW = Mode.WINDOW


class State(ABC):
    """What the recorder knows; how it learns it stands in subclasses, the callbacks of the rewritten program last."""

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
        self.held = HeldNumbers()
        self.kinds: dict[int, tuple[CodeType, dict[str, str]]] = {}
        self.scopes: dict[int, int] = {}
        self.scope_count = 0
        self.kept: dict[int, tuple[Any, set[Any]]] = {}
        self.said: set[tuple[str, int, int]] = set()
        self.alive: set[int] = set()
        self.look_again = False
        self.outside: dict[int, Any] = {}
        self.texts: dict[int, Any] = {}
        self.written_to: set[Any] = set()
        self.put_into_texts = 0
        self.strangers = 0
        #: Fields of arrays of records: the array that owns the memory, and the view that stands for the whole field.
        self.fields: dict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = {}
        self.loose: dict[int, tuple[Any, Node]] = {}
        self.main_path = ""
        self.cut: Node | None = None  # the last one, where there was no room for more

    @property
    def windowed(self) -> bool:
        return self.mode is Mode.WINDOW

    @abstractmethod
    def arrives(self, value: Any, place: Place | None) -> bool:
        """A leaf is made for ``value``: whether the window cannot have been given it."""

    @abstractmethod
    def cut_short(self) -> None:
        """A window has no room for more."""

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
        nodes = self.tape.nodes
        borrowers = None
        if self.mode is _WINDOW:
            window, kept = self.window, value
            if isinstance(value, (np.ndarray, range)):
                borrowers = self.memory.lending.borrowers(value, kind)
                if borrowers is None:
                    kept = snapshot(value)
                self.bytes += kept.nbytes
        else:
            window, kept = -1, snapshot(value) if kind is Kind.LITERAL else None
            self.setup_nodes += 1
            if self.setup_nodes >= SETUP_LIMIT and self.mode is Mode.SETUP:
                self.turn(Mode.OFF)
                self.notice(
                    "The code before the training loop is long; only its beginning was recorded.", place
                )
        new = Node(
            len(nodes), kind, op, args, kwargs, kept, shape_of(value), dtype_name(value),
            place.site if place else None, self.calls, list(names), window, origin,
        )  # fmt: skip
        nodes.append(new)
        if borrowers is not None:
            borrowers.append(new)
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
            self.cut = self.tape.nodes[-1]
            site = self.cut.site
            self.notice(
                f"This goes on for more than {what}; only the beginning was recorded.",
                Place(site) if site else None,
            )
            self.turn(Mode.OFF)
            self.gap += 1
            self.cut_short()
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
