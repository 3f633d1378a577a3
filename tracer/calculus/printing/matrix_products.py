"""A sum over one index as a matrix product: ``@`` of two matrices, or of two stacks of them, transposed as needed.

Comes in: two array trees that have the index.  Goes out: their product; None if the axes do not allow one.
"""

from __future__ import annotations

from tracer.calculus.printing.array_tree import (
    Along,
    Matmul,
    Node,
    align,
    is_truth,
    number_of,
    real,
    transpose,
)
from tracer.calculus.terms import Index


def matrix_product(left: Node, right: Node, over: Index, free: Along) -> Node | None:
    """``left @ right``, transposed as needed, or nothing if the axes do not allow it."""
    if is_truth(left) and is_truth(right):  # a product of truth values counts nothing
        left = number_of(left)
    others = [tuple(index for index in node.axes if index != over) for node in (left, right)]
    shared = set(real(others[0])) & set(real(others[1]))
    dimensions = len(left.axes), len(right.axes)
    if shared:
        return _stacked_product(left, right, over, shared, free)
    if max(dimensions) <= 2:
        turned = min(dimensions) == 2 and place_of(others[0], free) > place_of(others[1], free)
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
    if place_of((rows[0],), free) > place_of((rows[1],), free):
        left, right, rows = right, left, rows[::-1]
    left = left if left.axes[-1] == over else _last_two_swapped(left)
    right = right if right.axes[-2] == over else _last_two_swapped(right)
    return Matmul(left, right, over, (*front, rows[0], rows[1]))


def _last_two_swapped(node: Node) -> Node:
    return align(node, (*node.axes[:-2], node.axes[-1], node.axes[-2]))


def place_of(axes: Along, free: Along) -> int:
    """Where the first of the axes stands in the result."""
    return min((free.index(index) for index in axes if index in free), default=len(free))
