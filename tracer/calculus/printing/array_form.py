"""From a sum of products of entries to an expression in whole arrays: the factors are folded pairwise.

In: an expression, the axes of its result, the declared axes of the arrays.  Out: the root of an array
tree with exactly the axes of the result.  For each bound index, the factors that have it become one
sum or one matrix product, and, if there is neither, an einsum.  Factors common to all terms are
taken out: `(P - 1_y) / N`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.calculus.complex_values import as_real_part
from tracer.calculus.printing.array_tree import (
    Along,
    Einsum,
    Expanded,
    Extent,
    Node,
    RealPart,
    Reduced,
    Repeated,
    is_truth,
    number_of,
    real,
)
from tracer.calculus.printing.common import without_common
from tracer.calculus.printing.fold import Fold, plus, weighted, written
from tracer.calculus.printing.matrix_products import matrix_product, place_of
from tracer.calculus.printing.names import Names, NoForm
from tracer.calculus.printing.reading import indices_of_term
from tracer.calculus.printing.transformed_sums import transformed_sum
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
    node = plus(parts) if len(parts) > 1 or parts[0][0] < 0 else parts[0][1]
    if common or coefficient != 1:
        fold = Fold.of(common, names).with_factor(node)
        node = weighted(abs(coefficient), fold, want)
        node = plus([(-1, node)]) if coefficient < 0 else node
    return _with_axes(number_of(node), want)


def _term(term: Term, free: Along, names: Names) -> Node:
    """A term without its sign, aligned to the axes of the result."""
    if any(isinstance(factor, Condition) for factor, _ in term.factors):
        for factor, _ in term.factors:
            _refuse_partial(factor, names)
    leaves = [Fold.of([pair], names) for pair in term.factors]
    scalars = [fold for fold in leaves if not fold.indices]
    groups = [fold for fold in leaves if fold.indices]
    bound = list(term.bound)
    for index in term.bound:
        if not any(index in fold.indices for fold in groups):
            scalars.append(Fold((Extent(index.axis),)))
            bound.remove(index)
    while bound:
        index = min(bound, key=lambda candidate: _cost(candidate, groups))
        users = [fold for fold in groups if index in fold.indices]
        rest = [fold for fold in groups if index not in fold.indices]
        own = [i for i in bound if not any(i in fold.indices for fold in rest)]
        result, summed = _contracted(users, index, own, free, names)
        groups = [*rest, Fold((result,))]
        bound = [i for i in bound if i not in summed]
    whole = Fold()
    for fold in (*scalars, *groups):
        whole = whole.times(fold)
    return weighted(abs(term.coefficient), whole, free)


def _refuse_partial(factor: Factor, names: Names) -> None:
    """Under a condition, entries may be asked for that do not exist; whole arrays cannot express that."""
    if not isinstance(factor, Entry):
        return
    axes = names.axes(factor.array)
    for place, index in enumerate(factor.indices):
        elsewhere = isinstance(index, Index) and axes is not None and axes[place] != index.axis
        if isinstance(index, Affine) or elsewhere:
            raise NoForm("a condition on indices says which entries exist")


def _cost(index: Index, groups: Sequence[Fold]) -> tuple[int, int]:
    users = [fold.indices for fold in groups if index in fold.indices]
    return len(frozenset().union(*users)), len(users)


def _contracted(
    users: Sequence[Fold], index: Index, own: Sequence[Index], free: Along, names: Names
) -> tuple[Node, tuple[Index, ...]]:
    """The sum over ``index`` of the product of the factors that have it, and all indices it sums over.

    ``own`` are the bound indices that no other factor has: they may be summed over at the same time.
    """
    transformed = transformed_sum(users, index, free, names)
    if transformed is not None:
        return transformed, (index,)
    merged = _merged(users)
    if len(merged) == 1:
        summed = tuple(i for i in own if i in merged[0].indices)
        return _reduced(written(merged[0], merged[0].axes(free)), summed, free), summed
    if len(merged) == 2:
        summed = tuple(i for i in own if i in merged[0].indices and i in merged[1].indices)
        if len(summed) == 1:
            nodes = [written(fold, fold.axes(free)) for fold in merged]
            product = matrix_product(nodes[0], nodes[1], index, free)
            if product is not None:
                return product, summed
    summed = tuple(i for i in own if any(i in fold.indices for fold in users))
    return _einsum(users, summed, free), summed


def _merged(users: Sequence[Fold]) -> list[Fold]:
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


def _einsum(users: Sequence[Fold], summed: tuple[Index, ...], free: Along) -> Node:
    operands: list[Node] = []
    for fold in users:
        node = written(fold, fold.axes(free))
        if None in node.axes:
            places = tuple(0 if index is None else ":" for index in node.axes)
            node = Expanded(node, places, real(node.axes))
        operands.append(node)
    if all(is_truth(node) for node in operands):
        operands[0] = number_of(operands[0])
    left = dict.fromkeys(index for node in operands for index in real(node.axes) if index not in summed)
    axes = tuple(sorted(left, key=lambda index: place_of((index,), free)))
    return Einsum(tuple(operands), summed, axes)


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
