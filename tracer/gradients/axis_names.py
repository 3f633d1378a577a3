"""What the author calls the axes: names by provenance, never by equal numbers.

An axis is called by the variable that gave its size (``np.zeros((N, D))``), else by the variable that its
size was read into (``n = X.shape[0]``), else by the expression that gave it (``N * K``), else by a neutral
name.  Two axes get one name only if their sizes come from the same variable, as in ``np.zeros((h, h))``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    proposals = _Proposals(tape, table, name, origin)
    proposals.collect()
    return AxisNames(proposals.chosen())


class _Proposals:
    """What the axes may be called: for each axis its texts, each with a rank and the scalar that the size was given by."""

    def __init__(
        self, tape: Tape, table: AxisTable, name: Callable[[int], str], origin: Callable[[int], int]
    ) -> None:
        self._tape, self._table, self._name, self._origin = tape, table, name, origin
        self._found: dict[Axis, dict[str, tuple[int, int]]] = {}
        self._given: dict[Axis, int] = {}

    def collect(self) -> None:
        """Read off every node what it says of axes; what is asked for by name is better than what is only read."""
        for node in self._tape.nodes:
            for position, asked in enumerate(sizes_asked_for(node)):
                axis = self._axis_at(node.id, position)
                if isinstance(asked, Ref) and axis is not None:
                    self._asked_for(node, axis, asked)
            if node.op == "axis_size" and node.args and isinstance(node.args[0], Ref):
                axis = self._axis_at(node.args[0].node, int(node.kwargs.get("axis", 0)))
                self._propose(axis, _variable(node), 1, node.id)

    def _asked_for(self, node: Node, axis: Axis, asked: Ref) -> None:
        size = self._tape.nodes[self._origin(asked.node)]
        known = _variable(size) or _variable(self._tape.nodes[asked.node])
        if node.op in ("range", "arange"):
            self._propose(axis, known, 3, size.id)
            return
        if size.kind is not Kind.LITERAL or known:
            self._given.setdefault(axis, size.id)
        if known:
            self._propose(axis, known, 1 if size.op in ("axis_size", "size") else 0, size.id)
        elif size.site is not None and size.kind is not Kind.LITERAL:
            self._propose(axis, " ".join(size.site.text.split()), 2, size.id)

    def _propose(self, axis: Axis | None, text: str | None, rank: int, scalar: int) -> None:
        if axis is not None and text:
            found = self._found.setdefault(axis, {})
            if text not in found or rank < found[text][0]:
                found[text] = (rank, scalar)

    def _axis_at(self, node: int, position: int) -> Axis | None:
        shape = self._tape.nodes[node].shape or ()
        return self._table.axes(self._name(node), shape)[position] if position < len(shape) else None

    def chosen(self) -> dict[Axis, str]:
        """One text for each axis; two axes whose sizes come from elsewhere never share one."""
        names: dict[Axis, str] = {}
        owners: dict[str, Axis | int] = {}
        by_rank = sorted(self._found.items(), key=lambda item: min(rank for rank, _ in item[1].values()))
        for axis, found in by_rank:
            ordered = sorted(found, key=lambda text: found[text][0])
            sources = {text: self._source(found[text][1]) for text in ordered}
            text = next((t for t in ordered if owners.setdefault(t, sources[t]) == sources[t]), None)
            if text is None:
                number = 2
                while f"{ordered[0]}_{number}" in owners:
                    number += 1
                text = f"{ordered[0]}_{number}"
                owners[text] = axis
            names[axis] = text
        return names

    def _source(self, scalar: int) -> Axis | int:
        """What tells sizes apart: the axis that a size was read from, or the scalar that it is.

        An array may have been given its size by that of another one, and so on; in a circle the axis itself tells.
        """
        seen: set[int] = set()
        node = self._tape.nodes[self._origin(scalar)]
        while node.op == "axis_size" and node.args and isinstance(node.args[0], Ref):
            axis = self._axis_at(node.args[0].node, int(node.kwargs.get("axis", 0)))
            if axis is None:
                break
            seen.add(node.id)
            maker = self._tape.nodes[self._origin(self._given.get(axis, node.id))]
            if maker.id in seen:
                return axis
            node = maker
        return node.id


def _variable(node: Node) -> str | None:
    """The plain variable that a node is bound to: ``N`` or ``self.N``, no entry of a container."""
    return next((name for name in node.names if name.replace(".", "").replace("_", "").isalnum()), None)
