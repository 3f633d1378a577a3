"""A whole-array expression as a tree: what `matrix_code` prints and the matrix formula is made from.

Every node knows its ``axes``: for each axis of the NumPy array it stands for, the `Index` that runs
along it, or ``None`` for an axis of size one.  Invariant: nodes are combined only where NumPy's
broadcasting rules bring equal indices together; `align` makes that so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias, Union

from msgspec import Struct

from tracer.calculus.printing.names import NoForm
from tracer.calculus.terms import Axis, Entry, Index

Along: TypeAlias = tuple[Index | None, ...]


class Named(Struct, frozen=True):
    """An array or scalar by its name; ``is_truth`` if its entries are of type bool."""

    name: str
    axes: Along
    is_truth: bool = False


class RealPart(Struct, frozen=True):
    """The real part of complex entries."""

    array: Node
    axes: Along


class Transformed(Struct, frozen=True):
    """A Fourier transform along one axis; ``length`` is the axis it is filled up to with zeros, if it is."""

    array: Node
    function: str
    position: int
    axes: Along
    ortho: bool = False
    length: Index | None = None


class Number(Struct, frozen=True):
    value: Fraction
    axes: Along = ()


class Extent(Struct, frozen=True):
    """The size of an axis."""

    axis: Axis
    axes: Along = ()


class Positions(Struct, frozen=True):
    """0, 1, 2… along the axis of an index."""

    index: Index

    @property
    def axes(self) -> Along:
        return (self.index,)


class Slice(Struct, frozen=True):
    """``start : start + step · size : step`` along the axis of an index; ``reverse`` is ``::-1``."""

    index: Index
    start: Node | None = None
    step: int = 1
    reverse: bool = False


Place: TypeAlias = Union[int, Slice, "Node", None]


class Picked(Struct, frozen=True):
    """``name[places]``; a place is ``None`` for a whole axis, a number, a slice or an array of positions."""

    entry: Entry
    places: tuple[Place, ...]
    axes: Along
    is_truth: bool = False


class Reshaped(Struct, frozen=True):
    """A vector that begins with the rows of a matrix, one after the other, as that matrix."""

    array: Node
    axes: Along


class Diagonal(Struct, frozen=True):
    """The diagonal of a square array."""

    array: Named
    axes: Along


class Identity(Struct, frozen=True):
    """One where two indices are equal, else zero: a square matrix, or a larger one if their axes differ."""

    axes: Along


class OneHot(Struct, frozen=True):
    """Rows of the identity matrix of ``axis``: those that ``at`` says."""

    axis: Axis
    at: Named | int
    axes: Along


class Triangle(Struct, frozen=True):
    """One where the second index is not after the first one."""

    axes: Along


class Comparison(Struct, frozen=True):
    relation: str
    left: Node
    right: Node
    axes: Along


class Applied(Struct, frozen=True):
    """A scalar function, entry by entry."""

    function: str
    arguments: tuple[Node, ...]
    axes: Along


class Product(Struct, frozen=True):
    """Entry by entry."""

    factors: tuple[Node, ...]
    axes: Along


class Quotient(Struct, frozen=True):
    """Entry by entry."""

    above: Node
    below: Node
    axes: Along


class Power(Struct, frozen=True):
    """Entry by entry, with a positive exponent."""

    base: Node
    exponent: Fraction
    axes: Along


class Plus(Struct, frozen=True):
    """A sum of parts with signs; a single part with the sign −1 is a negation."""

    parts: tuple[tuple[int, Node], ...]
    axes: Along


class Matmul(Struct, frozen=True):
    """A product of matrices, stacks of matrices or vectors, summed over ``over``."""

    left: Node
    right: Node
    over: Index
    axes: Along


class Reduced(Struct, frozen=True):
    """The sum over the axes at the given positions."""

    array: Node
    positions: tuple[int, ...]
    keeps: bool
    axes: Along


class Transposed(Struct, frozen=True):
    """The axes in another order: axis p of the result is axis ``order[p]`` of the array."""

    array: Node
    order: tuple[int, ...]
    axes: Along


class Expanded(Struct, frozen=True):
    """The array with axes of size one put in (``None``), taken out (0) or left as they are (``":"``)."""

    array: Node
    places: tuple[str | int | None, ...]
    axes: Along


class Repeated(Struct, frozen=True):
    """The array repeated along axes that it does not depend on; with no array, zeros."""

    array: Node | None
    axes: Along


class Einsum(Struct, frozen=True):
    """``Σ_bound Π operands``: the sum of products of entries, for which there is no matrix form."""

    operands: tuple[Node, ...]
    bound: tuple[Index, ...]
    axes: Along


Node: TypeAlias = Union[
    RealPart,
    Transformed,
    Named,
    Number,
    Extent,
    Positions,
    Picked,
    Reshaped,
    Diagonal,
    Identity,
    OneHot,
    Triangle,
    Comparison,
    Applied,
    Product,
    Quotient,
    Power,
    Plus,
    Matmul,
    Reduced,
    Transposed,
    Expanded,
    Repeated,
    Einsum,
]


def nested_transforms(node: Transformed) -> tuple[Node, list[int]]:
    """What is transformed, and along which axes, if nothing but the axis differs between one transform and the next."""
    inner, places = node.array, [node.position]
    while (
        isinstance(inner, Transformed)
        and (inner.function, inner.ortho, inner.length, node.length) == (node.function, node.ortho, None, None)
        and inner.position not in places
    ):
        places.append(inner.position)
        inner = inner.array
    return inner, places


def real(axes: Iterable[Index | int | None]) -> tuple[Index, ...]:
    """The indices among axes."""
    return tuple(index for index in axes if isinstance(index, Index))


def is_truth(node: Node) -> bool:
    """Whether the array is of type bool."""
    match node:
        case Comparison():
            return True
        case Named() | Picked():
            return node.is_truth
        case Expanded(array) | Transposed(array) | Reshaped(array) | Diagonal(array):
            return is_truth(array)
        case Product(factors):
            return all(is_truth(factor) for factor in factors)
        case Repeated(array):
            return array is not None and is_truth(array)
        case _:
            return False


def number_of(node: Node) -> Node:
    """The same array with numbers for truth values."""
    return Product((Number(Fraction(1)), node), node.axes) if is_truth(node) else node


def broadcast(shapes: Iterable[Along]) -> Along:
    """The axes of arrays put together entry by entry.

    Raises:
        NoForm: two different indices would meet.
    """
    axes: list[Index | None] = []
    for shape in shapes:
        axes[:0] = [None] * (len(shape) - len(axes))
        for place in range(1, len(shape) + 1):
            here, there = axes[-place], shape[-place]
            if here is not None and there is not None and here != there:
                raise NoForm("two different axes would be put together")
            axes[-place] = here or there
    return tuple(axes)


def transpose(node: Node) -> Node:
    """The transpose of an array of two axes, carried into products, out of transposes."""
    axes = node.axes[::-1]
    match node:
        case Transposed(array, order) if order == (1, 0):
            return array
        case Matmul(left, right, over) if len(left.axes) == len(right.axes) == 2:
            return Matmul(transpose(right), transpose(left), over, axes)
        case Identity():
            return Identity(axes)
        case _:
            return Transposed(node, (1, 0), axes)


def fits(axes: Along, order: Sequence[Index | None]) -> bool:
    """Whether an array with these axes broadcasts to the order as it is."""
    return len(axes) <= len(order) and all(
        here is None or here == there for here, there in zip(axes[::-1], order[::-1], strict=False)
    )


def align(node: Node, order: Sequence[Index | None]) -> Node:
    """The array with its axes arranged so that it broadcasts to ``order``.

    Raises:
        NoForm: the array has an index that the order has not.
    """
    if fits(node.axes, order):
        return node
    have = real(node.axes)
    if not set(have) <= set(real(order)):
        raise NoForm("the array depends on an index that the result does not have")
    if len(node.axes) == 2 and len(order) == 2 and fits(node.axes[::-1], order):
        return transpose(node)
    if None in node.axes:
        node = Expanded(node, tuple(":" if index else 0 for index in node.axes), have)
        if fits(node.axes, order):
            return node
    want = tuple(index for index in order if index in have)
    if want != have and len(have) == 2:
        node = transpose(node)
    elif want != have:
        node = Transposed(node, tuple(have.index(index) for index in want), want)
    if fits(node.axes, order):
        return node
    rest = tuple(order)[next(place for place, index in enumerate(order) if index in have) :]
    places = tuple(":" if index in have else None for index in rest)
    return Expanded(node, places, tuple(index if index in have else None for index in rest))
