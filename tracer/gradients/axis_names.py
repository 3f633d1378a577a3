"""What the author calls the axes: names by provenance, never by equal numbers.

An axis is called by the variable that gave its size (``np.zeros((N, D))``), else by the variable that its
size was read into (``n = X.shape[0]``), else by the expression that gave it (``N * K``), else by a neutral
name.  Two axes get one name only if their sizes come from the same variable, as in ``np.zeros((h, h))``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from tracer.calculus.terms import Axis
from tracer.gradients.sizes import sizes_asked_for
from tracer.ops import AxisTable
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape


class AxisNames(Struct, frozen=True):
    """The name of each axis, by its representative."""

    names: Mapping[Axis, str]
    extra: dict[Axis, str] = field(default_factory=dict)

    def __getitem__(self, axis: Axis) -> str:
        if axis in self.names:
            return self.names[axis]
        if axis not in self.extra:
            taken = set(self.names.values()) | set(self.extra.values())
            number = 1
            while f"d{number}" in taken:
                number += 1
            self.extra[axis] = f"d{number}"
        return self.extra[axis]


def name_axes(
    tape: Tape, table: AxisTable, name: Callable[[int], str], origin: Callable[[int], int]
) -> AxisNames:
    """Name the axes of all arrays of a tape.

    Arguments:
        name: the name of a node's array in the table of axes.
        origin: the node of the set-up that a scalar was read from, or the node itself.
    """
    candidates: dict[Axis, dict[str, tuple[int, Any]]] = {}
    given: dict[Axis, int] = {}

    def axis_at(node: int, position: int) -> Axis | None:
        shape = tape.nodes[node].shape or ()
        return table.axes(name(node), shape)[position] if position < len(shape) else None

    def source(scalar: int) -> Any:
        """What tells sizes apart: the axis that a size was read from, or the scalar that it is.

        An array may have been given its size by that of another one, and so on; in a circle the axis itself tells.
        """
        seen: set[int] = set()
        node = tape.nodes[origin(scalar)]
        while node.op == "axis_size" and node.args and isinstance(node.args[0], Ref):
            axis = axis_at(node.args[0].node, int(node.kwargs.get("axis", 0)))
            if axis is None:
                break
            seen.add(node.id)
            maker = given.get(axis, node.id)
            if tape.nodes[origin(maker)].id in seen:
                return axis
            node = tape.nodes[origin(maker)]
        return node.id

    def propose(axis: Axis | None, text: str | None, rank: int, scalar: int) -> None:
        if axis is not None and text:
            found = candidates.setdefault(axis, {})
            if text not in found or rank < found[text][0]:
                found[text] = (rank, scalar)

    for node in tape.nodes:
        for position, asked in enumerate(sizes_asked_for(node)):
            axis = axis_at(node.id, position)
            if not isinstance(asked, Ref) or axis is None:
                continue
            size = tape.nodes[origin(asked.node)]
            known = _variable(size) or _variable(tape.nodes[asked.node])
            if node.op in ("range", "arange"):
                propose(axis, known, 3, size.id)
                continue
            if size.kind is not Kind.LITERAL or known:
                given.setdefault(axis, size.id)
            if known:
                propose(axis, known, 1 if size.op in ("axis_size", "size") else 0, size.id)
            elif size.site is not None and size.kind is not Kind.LITERAL:
                propose(axis, " ".join(size.site.text.split()), 2, size.id)
        if node.op == "axis_size" and node.args and isinstance(node.args[0], Ref):
            axis = axis_at(node.args[0].node, int(node.kwargs.get("axis", 0)))
            propose(axis, _variable(node), 1, node.id)
    names: dict[Axis, str] = {}
    owners: dict[str, Any] = {}
    for axis, found in sorted(candidates.items(), key=lambda item: min(rank for rank, _ in item[1].values())):
        ordered = sorted(found, key=lambda text: (found[text][0], list(found).index(text)))
        chosen = next(
            (t for t in ordered if owners.setdefault(t, source(found[t][1])) == source(found[t][1])), None
        )
        if chosen is None:
            number = 2
            while f"{ordered[0]}_{number}" in owners:
                number += 1
            chosen = f"{ordered[0]}_{number}"
            owners[chosen] = axis
        names[axis] = chosen
    return AxisNames(names)


def _variable(node: Node) -> str | None:
    return next((name for name in node.names if name.replace(".", "").replace("_", "").isalnum()), None)
