"""`Tape`: nodes in the order in which they were carried out, and `replay`, which carries them out again.

Invariant: a node refers to earlier nodes only, so one pass in order evaluates everything.  Nodes of the
set-up (``window == -1``) have no values; they only say where shapes and names come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tracer.tape.functions import Slice, resolve
from tracer.tape.node import Binding, Kind, Node, Notice, Ref, Window

#: Kinds of nodes that a replay does not compute: it takes the recorded value.
GIVEN = frozenset({Kind.LEAF, Kind.LITERAL, Kind.RANDOM, Kind.OPAQUE})

_MATH: dict[str, Callable[..., Any]] = {
    name: getattr(math, name)
    for name in (
        "exp",
        "log",
        "log2",
        "log10",
        "log1p",
        "expm1",
        "sqrt",
        "tanh",
        "sinh",
        "cosh",
        "sin",
        "cos",
        "tan",
    )
} | {"arctan": math.atan, "arcsin": math.asin, "arccos": math.acos, "floor": math.floor, "ceil": math.ceil}

_PYTHON: dict[str, type] = {"float": float, "int": int, "bool": bool}


@dataclass
class Tape:
    """Nodes, the names that were bound to them, the recorded windows, and what the reader should know."""

    nodes: list[Node] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    _operands: dict[int, tuple[Any, tuple[int, ...]]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.nodes)

    def with_nodes(self, nodes: list[Node]) -> Tape:
        """The same recording with other nodes, or more of them."""
        return Tape(nodes, self.bindings, self.windows, self.notices)

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    @cached_property
    def _users(self) -> list[tuple[int, ...]]:
        users: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for operand in dict.fromkeys(operands(node)):
                users[operand].append(node.id)
        return [tuple(u) for u in users]

    def users(self, node: int) -> tuple[int, ...]:
        """The nodes that have ``node`` among their arguments, in order; the tape must be complete."""
        return self._users[node]

    def operands(self, node: int) -> tuple[int, ...]:
        """The nodes that ``node`` was computed from, in the order of its arguments, repeated ones too."""
        recorded = self.nodes[node]
        known = self._operands.get(node)
        if known is None or known[0] is not recorded:
            known = self._operands[node] = recorded, operands(recorded)
        return known[1]

    def window_nodes(self) -> Iterator[Node]:
        """The nodes that have values: those of all windows, in order."""
        return (node for node in self.nodes if node.window >= 0)

    def last_windows(self) -> tuple[int, ...]:
        """The last recorded window of each loop: the iteration that was asked for."""
        last = {window.loop_line: number for number, window in enumerate(self.windows)}
        return tuple(sorted(last.values()))

    def find(self, name: str) -> tuple[Node, ...]:
        """All nodes of the windows that were bound to ``name``, in order."""
        return tuple(node for node in self.window_nodes() if name in node.names)


def operands(node: Node) -> tuple[int, ...]:
    """The ids of the nodes among a node's arguments, in order; found once, so the arguments must be complete."""
    found = node.read_from
    if found is None:
        found = node.read_from = tuple(references((node.args, node.kwargs)))
    return found


def references(argument: Any) -> Iterator[int]:
    """The ids of all nodes that an argument refers to, also inside containers and slices."""
    if isinstance(argument, Ref):
        yield argument.node
    elif isinstance(argument, (tuple, list)):
        for item in argument:
            yield from references(item)
    elif isinstance(argument, dict):
        for item in argument.values():
            yield from references(item)
    elif isinstance(argument, Slice):
        yield from references((argument.start, argument.stop, argument.step))


def substitute(argument: Any, values: Sequence[Any] | Mapping[int, Any]) -> Any:
    """The argument with every `Ref` replaced by its value and every `Slice` by a slice."""
    if isinstance(argument, Ref):
        return values[argument.node]
    if isinstance(argument, tuple):
        return tuple([substitute(item, values) for item in argument])
    if isinstance(argument, list):
        return [substitute(item, values) for item in argument]
    if isinstance(argument, dict):
        return {key: substitute(item, values) for key, item in argument.items()}
    if isinstance(argument, Slice):
        return slice(*(substitute(part, values) for part in (argument.start, argument.stop, argument.step)))
    return argument


def evaluate(node: Node, values: Sequence[Any] | Mapping[int, Any]) -> Any:
    """The value of one operation, from the values of its operands; scalars keep their recorded type.

    Raises:
        KeyError: the operation has no function.
        Exception: whatever NumPy says of the given operands.
    """
    args = tuple([values[a.node] if type(a) is Ref else substitute(a, values) for a in node.args])
    kwargs = substitute(node.kwargs, values) if node.kwargs else {}
    if (
        node.dtype in ("float", "int")
        and node.op in _MATH
        and not kwargs
        and isinstance(args[0], (int, float))
    ):
        try:
            return _MATH[node.op](*args)
        except (ValueError, OverflowError):
            pass
    return _as_recorded(resolve(node.op)(*args, **kwargs), node)


def _as_recorded(value: Any, node: Node) -> Any:
    if node.shape != ():
        return value
    if isinstance(node.value, np.ndarray):
        return np.asarray(value)  # An array without axes that was changed in place is one still.
    if node.dtype in _PYTHON and not isinstance(value, np.bool_):
        if type(value) is not _PYTHON[node.dtype] and np.ndim(value) == 0 and not isinstance(value, complex):
            try:
                return _PYTHON[node.dtype](value)
            except (ValueError, OverflowError):
                return value
    elif isinstance(value, (bool, int, float)) and node.dtype not in ("complex", ""):
        return np.dtype(node.dtype).type(value)
    return value


def replay(
    tape: Tape, given: Mapping[int, Any] | None = None, windows: Sequence[int] | None = None
) -> list[Any]:
    """Evaluate the tape again.

    Arguments:
        given: values that override nodes, by id; operations too (so an update can be cut).
        windows: numbers of the windows to evaluate; all of them by default.  Nodes of other
            windows keep their recorded value.

    Returns:
        The value of every node, by id; ``None`` for nodes of the set-up.

    Raises:
        ReplayError: an operation fails with the given values.
    """
    given = given or {}
    values: list[Any] = [None] * len(tape.nodes)
    for node in tape.nodes:
        if node.id in given:
            values[node.id] = given[node.id]
        elif node.window < 0:
            continue
        elif node.kind in GIVEN or (windows is not None and node.window not in windows):
            values[node.id] = node.value
        else:
            try:
                values[node.id] = evaluate(node, values)
            except Exception as error:
                raise ReplayError(node, error) from error
    return values


class ReplayError(Exception):
    """An operation of the tape failed in a replay."""

    def __init__(self, node: Node, error: Exception) -> None:
        self.node, self.error = node, error
        place = f" at {node.site.path}:{node.site.span.line}: {node.site.text}" if node.site else ""
        super().__init__(f"replaying {node.op} (node {node.id}){place}: {error}")
