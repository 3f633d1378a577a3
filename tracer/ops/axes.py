"""Which axes are the same one: a union-find over axes, and the operands that rules are written with.

In come arrays with their shapes; out go operands whose entries can be written, ``A[i, j]``.  Writing an
entry says which axes are the same: in ``A[i, j] * B[j, k]`` the second axis of A and the first of B are.
Invariants: axes are united by what rules write and never because their sizes happen to be equal; an axis
of size one is no axis, the index along it is 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracer.calculus import entry, fresh
from tracer.calculus.terms import Axes, Axis, Index, IndexExpr
from tracer.ops.lengths import Length, length_of
from tracer.ops.writing import Form, NoFormula


class AxisTable:
    """The axes of all arrays of a program, and which of them are the same."""

    def __init__(self) -> None:
        self._parents: dict[Axis, Axis] = {}
        self._sizes: dict[str, int] = {}
        self._lengths: dict[Axis, Length] = {}
        self._composed: dict[Axis, Axis] = {}
        #: How many axes have been united; what was read from the table holds as long as this stays.
        self.unions = 0

    def axis(self, name: str, size: int) -> Axis | None:
        """The axis of this name, as its representative; ``None`` if its size is one."""
        if size == 1:
            return None
        axis = Axis(name)
        if self._sizes.setdefault(name, size) != size:
            raise NoFormula("axis", f"the axis {name} has the sizes {self._sizes[name]} and {size}")
        return self.find(axis)

    def axes(self, array: str, shape: tuple[int, ...]) -> Axes:
        """The axes of an array: its own, ``<array>.0`` and so on, or what they were united with."""
        return tuple(self.axis(f"{array}.{position}", size) for position, size in enumerate(shape))

    def find(self, axis: Axis) -> Axis:
        """The axis that stands for all that are the same as this one."""
        if axis.product:
            return self.product(axis.product)
        root = self._root(axis)
        return self._composed.get(root, root) if self._composed else root

    def _root(self, axis: Axis) -> Axis:
        return _root(self._parents, Axis(axis.name) if axis.parts else axis)

    def compose(self) -> None:
        """From now on an axis that is made of others says so: what is known of lengths is complete."""
        self._composed.clear()
        made = {a: self.length(a) for a in self._lengths if self._root(a) == a}
        self._composed = {
            a: Axis(a.name, known.sizes) for a, known in made.items() if known.sizes and not known.constant
        }

    def unite(self, one: Axis, other: Axis) -> None:
        """Say that two axes are the same.

        Raises:
            NoFormula: if their sizes differ.
        """
        one, other = self._root(one), self._root(other)
        if one == other:
            return
        sizes = self._sizes.get(one.name), self._sizes.get(other.name)
        if None not in sizes and sizes[0] != sizes[1]:
            raise NoFormula("axis", f"{one.name} and {other.name} have the sizes {sizes[0]} and {sizes[1]}")
        self._parents[other] = one
        self.unions += 1
        if other in self._lengths:
            self._lengths.setdefault(one, self._lengths[other])

    def say_length(self, axis: Axis, length: Length) -> None:
        """Say what the size of an axis is, in sizes of other axes."""
        axis = self._root(axis)
        if length.axis is None and all(self._root(a) != axis for a, _ in length.counts):
            self._lengths.setdefault(axis, length)

    def length(self, axis: Axis | None) -> Length:
        """The size of an axis in sizes of others, as far as that is known."""
        if axis is None:
            return Length((), 1)
        known = self._lengths.get(self._root(axis))
        return length_of({self.find(axis): 1}) if known is None else self.settled(known)

    def settled(self, length: Length) -> Length:
        """The length in the axes that stand for others."""
        total = Length((), length.constant)
        for axis, count in length.counts:
            total = total.plus(length_of({self.find(axis): 1}), count)
        return total

    def product(self, axes: Sequence[Axis]) -> Axis:
        """An axis of the size of several axes multiplied: how far apart entries lie, in index expressions."""
        alike = tuple(self.find(a) for a in axes)
        if len(alike) == 1:
            return alike[0]
        name = "·".join(a.name for a in alike)
        self._sizes[name] = math.prod(self._sizes[a.name] for a in alike)
        return Axis(name, product=alike)

    def size(self, axis: Axis) -> int:
        """The size of an axis in the recorded run."""
        return self._sizes[axis.name]

    def sizes(self) -> dict[str, int]:
        """The size of each axis by its name, united ones included."""
        return dict(self._sizes)

    def operand(
        self,
        name: str,
        shape: tuple[int, ...],
        *,
        dtype: str = "float64",
        value: Any = None,
        source: str = "",
    ) -> Operand:
        """An array as rules see it; see `Operand`."""
        return Operand(name, tuple(shape), self, dtype, value, source)


def _root(parents: dict[Axis, Axis], axis: Axis) -> Axis:
    """The end of a chain of parents, which is made short on the way."""
    root = axis
    while (parent := parents.get(root)) is not None:
        root = parent
    while axis != root:
        parent = parents[axis]
        parents[axis] = root
        axis = parent
    return root


@dataclass(frozen=True, slots=True)
class Operand:
    """An array, or a scalar, that an operation is applied to.

    Attributes:
        name: name of the array in formulas.
        shape: its shape in the recorded run.
        table: where its axes are kept.
        dtype: NumPy's name of the type of its entries, or ``"int"``, ``"bool"``, ``"float"``.
        value: its value; needed for integers and booleans that are used as an index, else optional.
        source: name of the operation that made it, ``""`` if not known: a ``range`` is known by it.
    """

    name: str
    shape: tuple[int, ...]
    table: AxisTable = field(repr=False, compare=False)
    dtype: str = "float64"
    value: Any = field(default=None, repr=False, compare=False)
    source: str = ""

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def boolean(self) -> bool:
        """Whether its entries are True and False."""
        return self.dtype in ("bool", "bool_")

    @property
    def integer(self) -> bool:
        """Whether its entries are whole numbers."""
        return self.dtype.startswith(("int", "uint"))

    @property
    def complex(self) -> bool:
        """Whether its entries are complex numbers."""
        return self.dtype.startswith("complex")

    @property
    def axes(self) -> Axes:
        """Its axes, ``None`` for those of size one."""
        return self.table.axes(self.name, self.shape)

    def axis(self, position: int) -> Index | int:
        """A new index over one of its axes; 0 if that has the size one."""
        if not -self.ndim <= position < self.ndim:
            raise NoFormula("axis", f"{self.name} has {self.ndim} axes and no axis {position}")
        return fresh(self.axes[position])

    def indices(self) -> tuple[Index | int, ...]:
        """New indices, one over each of its axes."""
        return tuple(fresh(a) for a in self.axes)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("an operand is written with indices, it cannot be iterated over")

    def __getitem__(self, indices: IndexExpr | tuple[IndexExpr, ...]) -> Form:
        """The entry at these indices; leading ones are left out as NumPy's broadcasting does.

        Each index is from now on an index over that axis of this array; along an axis of size one it is 0.
        """
        given = indices if isinstance(indices, tuple) else (indices,)
        if len(given) < self.ndim:
            raise NoFormula("index", f"{self.name} has {self.ndim} axes and not {len(given)}")
        at: list[IndexExpr] = []
        for axis, index in zip(self.axes, given[len(given) - self.ndim :], strict=True):
            if axis is None:
                at.append(0)
                continue
            if isinstance(index, Index):
                self.table.unite(index.axis, axis)
                index = Index(index.name, self.table.find(axis))
            at.append(index)
        return self.at(*at)

    def at(self, *indices: IndexExpr) -> Form:
        """The entry at exactly these indices, without uniting axes."""
        return Form(entry(self.name, *indices), boolean=self.boolean)


def broadcast(*axes: Axes, table: AxisTable) -> tuple[Index | int, ...]:
    """New indices over the axes of the result of broadcasting, as NumPy does it: aligned at the right."""
    indices: list[Index | int] = []
    for position in range(-max((len(a) for a in axes), default=0), 0):
        longer = [a[position] for a in axes if len(a) >= -position]
        present = [axis for axis in longer if axis is not None]
        for axis in present[1:]:
            table.unite(present[0], axis)
        indices.append(fresh(table.find(present[0])) if present else 0)
    return tuple(indices)
