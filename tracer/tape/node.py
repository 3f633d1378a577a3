"""What a tape is made of: nodes, references between them, and where in a program each came from.

Everything here is plain data.  A node is one operation that was carried out once, with the value it
gave; its arguments are references to earlier nodes or plain constants, so a list of nodes can be
evaluated again, stored as JSON and NumPy arrays, and read in another process.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct, field


class Span(Struct, frozen=True, order=True, gc=False):
    """A piece of source text; lines count from 1, columns from 0 in characters, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int

    def contains(self, other: Span) -> bool:
        """Whether another piece of the same text is a part of this one, or the same."""
        starts = (self.line, self.column) <= (other.line, other.column)
        return starts and (other.end_line, other.end_column) <= (self.end_line, self.end_column)


class Site(Struct, frozen=True, gc=False):
    """The expression or statement that a node came from, with its text as written."""

    span: Span
    text: str
    path: str = ""


class Call(Struct, frozen=True, gc=False):
    """A call of one of the user's own functions that was under way: its name and where it was called."""

    function: str
    site: Site


class Kind(StrEnum):
    """How a node came to have its value."""

    LEAF = "leaf"  # read inside the window, made before it
    LITERAL = "literal"  # a number written in the program
    OPERATION = "operation"  # a function of its arguments
    VIEW = "view"  # an operation whose result shares memory with its argument
    MUTATION = "mutation"  # an operation whose result replaced an array's former value
    RANDOM = "random"  # a draw; replays use the recorded one
    OPAQUE = "opaque"  # could not be followed; a notice says why


#: The operation of a leaf that was computed within the window, nobody knows from what.
UNTRACKED = "untracked"


class Ref(Struct, frozen=True, gc=False):
    """A reference to a node, wherever it stands among another node's arguments."""

    node: int


class Node(Struct, eq=False, gc=False):
    """One operation, once.

    Attributes:
        id: position in the tape.
        kind: how the value came about.
        op: canonical name of the operation (``"add"``, ``"matmul"``, ``"getitem"``…); ``""`` for leaves.
        args, kwargs: arguments in canonical order; `Ref` for values with a node, also inside
            tuples, lists, dicts and slices; constants stand for themselves.
        value: snapshot of the result, or ``None`` for a node of the set-up, of which only the
            shape is kept.
        shape: shape of the value, ``()`` for scalars, ``None`` if it is not a number or an array.
        dtype: NumPy's name of the type of its entries, or ``"int"``, ``"float"``… for Python scalars.
        site: the expression it came from; ``None`` for values that no expression made.
        calls: the user's functions that were running, outermost first.
        names: what it was bound to, in order (``"dW2"``, ``"grads['W1']"``, ``"self.W"``).
        window: number of the window it was recorded in (see `Window`), or -1 for the set-up.
        origin: for a leaf, the set-up node that made it, or ``None``.
        read_from: the nodes among its arguments, once `tape.operands` has looked.
    """

    id: int
    kind: Kind
    op: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    value: Any
    shape: tuple[int, ...] | None
    dtype: str
    site: Site | None = None
    calls: tuple[Call, ...] = ()
    names: list[str] = field(default_factory=list)
    window: int = -1
    origin: int | None = None
    read_from: tuple[int, ...] | None = None

    @property
    def scope(self) -> str:
        """The own name of the function that computed it; ``""`` for the module."""
        return self.calls[-1].function.rpartition(".")[2] if self.calls else ""


class Binding(Struct, frozen=True, gc=False):
    """A name was given to a node: ``time`` is the number of nodes that stood on the tape by then."""

    name: str
    node: int
    time: int
    site: Site
    scope: str = ""


class Window(Struct, frozen=True):
    """One recorded iteration of a loop, or a whole program without a loop.

    ``loop_line`` is 0 for a program without a loop; nodes ``start <= id < stop`` belong to it.
    Two consecutive iterations of one loop are two windows with the same ``loop_line``.
    """

    loop_line: int
    iteration: int
    start: int
    stop: int


class Notice(Struct, frozen=True):
    """Something the reader should know: what was not followed, replaced or converted, and where."""

    line: int
    column: int
    what: str
