"""From a sum of products of entries to an expression in whole arrays: the factors are folded pairwise.

In: an expression, the axes of its result, the declared axes of the arrays.  Out: the root of an array
tree with exactly the axes of the result.  For each bound index, the factors that have it become one
sum or one matrix product, and, if there is neither, an einsum.  Factors common to all terms are
taken out: `(P - 1_y) / N`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from msgspec import Struct

from tracer.calculus.complex_values import as_real_part, is_complex
from tracer.calculus.printing.array_tree import (
    Along,
    Einsum,
    Expanded,
    Extent,
    Matmul,
    Named,
    Node,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    RealPart,
    Reduced,
    Repeated,
    Transformed,
    align,
    broadcast,
    is_truth,
    number_of,
    real,
    transpose,
)
from tracer.calculus.printing.code import is_decimal
from tracer.calculus.printing.common import without_common
from tracer.calculus.printing.leaves import leaf
from tracer.calculus.printing.names import Names, NoForm
from tracer.calculus.printing.reading import indices_of_term
from tracer.calculus.printing.scalar import as_written
from tracer.calculus.terms import Affine, Condition, Entry, Expr, Factor, Index, Term


def array_form(expr: Expr, free: tuple[Index | int, ...], names: Names) -> Node:
    """The tree of a whole-array expression with exactly the axes ``free``.

    Raises:
        NoForm: there is none, for example because a condition says where an array may be looked up.
    """
    want: Along = tuple(index if isinstance(index, Index) else None for index in free)
    unknown = {i for term in expr for i in indices_of_term(term) if i not in term.bound} - set(real(want))
    if unknown:
        raise NoForm(f"the index {next(iter(unknown)).name} is neither bound nor an axis of the result")
    if not expr:
        return Repeated(None, want)
    part = as_real_part(expr)
    if part is not None:
        return RealPart(_whole(part, want, names), want)
    return _whole(expr, want, names)


def _whole(expr: Expr, want: Along, names: Names) -> Node:
    """The tree of an expression as it stands."""
    coefficient, common, inner = without_common(expr)
    parts = [(-1 if term.coefficient < 0 else 1, _term(term, want, names)) for term in inner]
    node = _plus(parts) if len(parts) > 1 or parts[0][0] < 0 else parts[0][1]
    if common or coefficient != 1:
        fold = _Fold.of(common, names).with_factor(node)
        node = _weighted(abs(coefficient), fold, want)
        node = _plus([(-1, node)]) if coefficient < 0 else node
    return _with_axes(number_of(node), want)


#: Stands before truth values to make numbers of them.
ONE = Number(Fraction(1))


@dataclass(frozen=True)
class _Fold:
    """A product of arrays, entry by entry, that has not been written yet: Π above / Π below."""

    above: tuple[Node, ...] = ()
    below: tuple[Node, ...] = ()

    @classmethod
    def of(cls, factors: Sequence[tuple[Factor, Fraction]], names: Names) -> _Fold:
        fold = cls()
        for factor, exponent in (as_written(*pair) for pair in factors):
            node = leaf(factor, names)
            if exponent > 0:
                fold = fold.with_factor(node if is_truth(node) else _power(node, exponent))
            else:
                fold = cls(fold.above, (*fold.below, _power(node, -exponent)))
        return fold

    def with_factor(self, node: Node) -> _Fold:
        return _Fold((*self.above, node), self.below)

    def times(self, other: _Fold) -> _Fold:
        return _Fold(self.above + other.above, self.below + other.below)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.above + self.below

    @property
    def indices(self) -> frozenset[Index]:
        return frozenset(index for node in self.nodes for index in real(node.axes))

    def axes(self, free: Along) -> Along:
        """The order of axes that asks for the fewest transpositions: that of the largest array."""
        largest = max((node.axes for node in self.nodes), key=lambda axes: len(real(axes)), default=())
        if self.indices <= set(real(largest)):
            return largest
        places = {index: place for place, index in enumerate(free)}
        return tuple(sorted(self.indices, key=lambda index: (places.get(index, len(free)), index.name)))


def _power(node: Node, exponent: Fraction) -> Node:
    return node if exponent == 1 else Power(number_of(node), exponent, node.axes)


def _rank(node: Node) -> tuple[bool, bool, int]:
    """Scalars first, then matrix products and arrays of many axes, truth values last."""
    return is_truth(node), bool(node.axes), -len(real(node.axes))


def _written(fold: _Fold, order: Along) -> Node:
    """The product as a node, aligned to an order of axes."""
    above = [align(node, order) for node in sorted(fold.above, key=_rank)]
    below = [align(node, order) for node in sorted(fold.below, key=_rank)]
    upper = _product(above)
    if not below:
        return upper
    lower = _product(below)
    return Quotient(number_of(upper), lower, broadcast((upper.axes, lower.axes)))


def _product(nodes: Sequence[Node]) -> Node:
    flat: list[Node] = []
    for node in nodes:
        flat += node.factors if isinstance(node, Product) else [node]
    if any(not is_truth(node) and node != ONE for node in flat):
        flat = [node for node in flat if node != ONE]
    if not flat:
        return ONE
    if len(flat) == 1:
        return flat[0]
    return Product(tuple(sorted(flat, key=_rank)), broadcast(node.axes for node in flat))


def _plus(parts: Sequence[tuple[int, Node]]) -> Node:
    """A sum whose first part is a number, since NumPy can neither subtract nor negate truth values."""
    ordered = sorted(parts, key=lambda part: (is_truth(part[1]), part[0] < 0))
    if len(ordered) > 1 and ordered[0][0] < 0 < max(sign for sign, _ in ordered):
        ordered.sort(key=lambda part: part[0] < 0)
    sign, first = ordered[0]
    ordered[0] = (sign, number_of(first))
    return Plus(tuple(ordered), broadcast(node.axes for _, node in ordered))


def _term(term: Term, free: Along, names: Names) -> Node:
    """A term without its sign, aligned to the axes of the result."""
    if any(isinstance(factor, Condition) for factor, _ in term.factors):
        for factor, _ in term.factors:
            _refuse_partial(factor, names)
    leaves = [_Fold.of([pair], names) for pair in term.factors]
    scalars = [fold for fold in leaves if not fold.indices]
    groups = [fold for fold in leaves if fold.indices]
    bound = list(term.bound)
    for index in term.bound:
        if not any(index in fold.indices for fold in groups):
            scalars.append(_Fold((Extent(index.axis),)))
            bound.remove(index)
    while bound:
        index = min(bound, key=lambda candidate: _cost(candidate, groups))
        users = [fold for fold in groups if index in fold.indices]
        rest = [fold for fold in groups if index not in fold.indices]
        own = [i for i in bound if not any(i in fold.indices for fold in rest)]
        result, summed = _contracted(users, index, own, free, names)
        groups = [*rest, _Fold((result,))]
        bound = [i for i in bound if i not in summed]
    whole = _Fold()
    for fold in (*scalars, *groups):
        whole = whole.times(fold)
    return _weighted(abs(term.coefficient), whole, free)


def _refuse_partial(factor: Factor, names: Names) -> None:
    """Under a condition, entries may be asked for that do not exist; whole arrays cannot express that."""
    if not isinstance(factor, Entry):
        return
    axes = names.axes(factor.array)
    for place, index in enumerate(factor.indices):
        elsewhere = isinstance(index, Index) and axes is not None and axes[place] != index.axis
        if isinstance(index, Affine) or elsewhere:
            raise NoForm("a condition on indices says which entries exist")


def _cost(index: Index, groups: Sequence[_Fold]) -> tuple[int, int]:
    users = [fold.indices for fold in groups if index in fold.indices]
    return len(frozenset().union(*users)), len(users)


def _contracted(
    users: Sequence[_Fold], index: Index, own: Sequence[Index], free: Along, names: Names
) -> tuple[Node, tuple[Index, ...]]:
    """The sum over ``index`` of the product of the factors that have it, and all indices it sums over.

    ``own`` are the bound indices that no other factor has: they may be summed over at the same time.
    """
    transformed = _transformed(users, index, free, names)
    if transformed is not None:
        return transformed, (index,)
    merged = _merged(users)
    if len(merged) == 1:
        summed = tuple(i for i in own if i in merged[0].indices)
        return _reduced(_written(merged[0], merged[0].axes(free)), summed, free), summed
    if len(merged) == 2:
        summed = tuple(i for i in own if i in merged[0].indices and i in merged[1].indices)
        if len(summed) == 1:
            nodes = [_written(fold, fold.axes(free)) for fold in merged]
            product = _matrix_product(nodes[0], nodes[1], index, free)
            if product is not None:
                return product, summed
    summed = tuple(i for i in own if any(i in fold.indices for fold in users))
    return _einsum(users, summed, free), summed


def _transformed(users: Sequence[_Fold], index: Index, free: Along, names: Names) -> Node | None:
    """The sum as a Fourier transform, if one of the factors holds its weights and no other depends on the same place."""
    for fold in users:
        others = [other for other in users if other is not fold]
        weights = fold.above[0] if len(fold.above) == 1 and not fold.below else None
        if not isinstance(weights, Named) or not others or len(weights.axes) != 2:
            continue
        told = names.transform(weights.name)
        place = weights.axes[1] if weights.axes[0] == index else weights.axes[0]
        if told is None or place is None or any(place in other.indices for other in others):
            continue
        over_input = weights.axes[0] == index
        function = told.function if over_input else told.back
        if not function or (function == "rfft" and any(_is_complex(other) for other in others)):
            continue
        whole = _Fold()
        for other in others:
            whole = whole.times(other)
        array = _written(whole, whole.axes(free))
        at = array.axes.index(index)
        axes = (*array.axes[:at], place, *array.axes[at + 1 :])
        filled = place if not over_input and told.function != told.back else None
        node: Node = Transformed(number_of(array), function, at - len(axes), axes, told.ortho, filled)
        size = Extent(weights.axes[0].axis) if isinstance(weights.axes[0], Index) else ONE
        if told.scale > 0:
            return Product((size, node), axes)
        return Quotient(node, size, axes) if told.scale < 0 else node
    return None


def _is_complex(fold: _Fold) -> bool:
    """Whether complex numbers occur in a product."""
    return any(map(is_complex, _names_in(fold.nodes)))


def _names_in(item: object) -> Iterator[str]:
    """The names of all arrays in array trees."""
    if isinstance(item, Named):
        yield item.name
    elif isinstance(item, tuple):
        for part in item:
            yield from _names_in(part)
    elif isinstance(item, Struct) and not isinstance(item, Index):
        for name in item.__struct_fields__:
            yield from _names_in(getattr(item, name))


def _merged(users: Sequence[_Fold]) -> list[_Fold]:
    """Factors put together entry by entry where one has all indices of the other, down to two if possible.

    Those with the same indices go first: Xᵀ (y ⊙ m), with two vectors, rather than (X ⊙ m)ᵀ y.
    """
    folds = sorted(users, key=lambda fold: -len(fold.indices))
    while len(folds) > 1:
        within = [(a, b) for a in folds for b in folds if a is not b and b.indices <= a.indices]
        alike = [(a, b) for a, b in within if a.indices == b.indices and (len(folds) > 2 or len(a.indices) > 1)]
        pairs = alike or (within if len(folds) > 2 else [])
        if not pairs:
            break
        large, small = pairs[0]
        folds = [f for f in folds if f is not large and f is not small] + [large.times(small)]
        folds.sort(key=lambda fold: -len(fold.indices))
    return folds


def _reduced(node: Node, summed: tuple[Index, ...], free: Along) -> Node:
    """``np.sum`` over the given indices; the axes are kept where the result then has the right shape."""
    positions = tuple(place for place, index in enumerate(node.axes) if index in summed)
    same = len(node.axes) == len(free) and all(
        index is None or index in summed or index == wanted
        for index, wanted in zip(node.axes, free, strict=True)
    )
    everything = set(real(node.axes)) <= set(summed)
    keeps = same and not (everything and real(free))
    if everything and not keeps:
        return Reduced(node, tuple(range(len(node.axes))), False, ())
    axes = tuple(None if index in summed else index for index in node.axes)
    if not keeps:
        axes = tuple(index for place, index in enumerate(axes) if place not in positions)
    return Reduced(node, positions, keeps, axes)


def _place(axes: Along, free: Along) -> int:
    """Where the first of the axes stands in the result."""
    return min((free.index(index) for index in axes if index in free), default=len(free))


def _matrix_product(left: Node, right: Node, over: Index, free: Along) -> Node | None:
    """``left @ right``, transposed as needed, or nothing if the axes do not allow it."""
    if is_truth(left) and is_truth(right):  # a product of truth values counts nothing
        left = number_of(left)
    others = [tuple(index for index in node.axes if index != over) for node in (left, right)]
    shared = set(real(others[0])) & set(real(others[1]))
    dimensions = len(left.axes), len(right.axes)
    if shared:
        return _stacked_product(left, right, over, shared, free)
    if max(dimensions) <= 2:
        turned = min(dimensions) == 2 and _place(others[0], free) > _place(others[1], free)
        row_first = dimensions == (2, 1) and left.axes[0] == over
        row_last = dimensions == (1, 2) and right.axes[1] == over
        if turned or row_first or row_last:
            left, right = right, left
        if len(left.axes) == 2 and left.axes[1] != over:
            left = transpose(left)
        if len(right.axes) == 2 and right.axes[0] != over:
            right = transpose(right)
        return _matmul(left, right, over)
    if dimensions[0] > 2 and dimensions[1] == 2 and left.axes[-1] == over:
        return _matmul(left, right if right.axes[0] == over else transpose(right), over)
    if dimensions[1] > 2 and dimensions[0] == 2 and right.axes[-1] == over:
        return _matmul(right, left if left.axes[0] == over else transpose(left), over)
    return None


def _matmul(left: Node, right: Node, over: Index) -> Matmul:
    axes = tuple(index for index in (*left.axes, *right.axes) if index != over)
    return Matmul(left, right, over, axes)


def _stacked_product(left: Node, right: Node, over: Index, shared: set[Index], free: Along) -> Node | None:
    """A product of stacks of matrices, which have the shared indices in front."""
    depth = len(shared)
    front = left.axes[:depth]
    if set(front) != shared or right.axes[:depth] != front:
        return None
    if len(left.axes) != depth + 2 or len(right.axes) != depth + 2:
        return None
    rows = [next(i for i in node.axes[depth:] if i != over) for node in (left, right)]
    if _place((rows[0],), free) > _place((rows[1],), free):
        left, right, rows = right, left, rows[::-1]
    left = left if left.axes[-1] == over else _last_two_swapped(left)
    right = right if right.axes[-2] == over else _last_two_swapped(right)
    return Matmul(left, right, over, (*front, rows[0], rows[1]))


def _last_two_swapped(node: Node) -> Node:
    return align(node, (*node.axes[:-2], node.axes[-1], node.axes[-2]))


def _einsum(users: Sequence[_Fold], summed: tuple[Index, ...], free: Along) -> Node:
    operands: list[Node] = []
    for fold in users:
        node = _written(fold, fold.axes(free))
        if None in node.axes:
            places = tuple(0 if index is None else ":" for index in node.axes)
            node = Expanded(node, places, real(node.axes))
        operands.append(node)
    if all(is_truth(node) for node in operands):
        operands[0] = number_of(operands[0])
    left = dict.fromkeys(index for node in operands for index in real(node.axes) if index not in summed)
    axes = tuple(sorted(left, key=lambda index: _place((index,), free)))
    return Einsum(tuple(operands), summed, axes)


def _weighted(coefficient: Fraction, fold: _Fold, free: Along) -> Node:
    """``coefficient · Π above / Π below``, aligned to the axes of the result."""
    above, below = list(fold.above), list(fold.below)
    top, bottom = coefficient.numerator, coefficient.denominator
    if bottom > 1 and is_decimal(coefficient):
        above.insert(0, Number(coefficient))
    else:
        above[:0] = [Number(Fraction(top))] if top != 1 else []
        below += [Number(Fraction(bottom))] if bottom != 1 else []
    return _written(_Fold(tuple(above), tuple(below)), free)


def _with_axes(node: Node, want: Along) -> Node:
    """The node with all axes of the result: those of size one added, others repeated."""
    if node.axes == want:
        return node
    if not real(want) and not real(node.axes):
        return Repeated(node, want)
    missing = len(want) - len(node.axes)
    if (None,) * missing + node.axes == want:
        return Expanded(node, (*(None,) * missing, *(":",) * len(node.axes)), want)
    return Repeated(node, want)
