"""Expressions in numbers, by brute force over open grids: the oracle that everything else is checked with.

In come an expression, the indices of its result, values of arrays and sizes of axes; out goes an
array.  With object arrays of SymPy symbols the result is an array of SymPy expressions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.complex_values import is_imaginary
from tracer.calculus.scalar import numeric, symbolic
from tracer.calculus.terms import (
    Affine,
    Axis,
    Condition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Size,
    Term,
)

_RELATIONS = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
}


class MissingValue(KeyError):
    """An array or the size of an axis that the expression mentions has no value."""


def evaluate(
    expr: Expr,
    free: Sequence[Index | int],
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> np.ndarray[Any, Any]:
    """The array whose entry at ``free`` is ``expr``.

    Args:
        expr: its free indices are among ``free``.
        free: one item for each axis of the result; 0 for an axis of size one.
        values: an array or a number for each array, under its name.
        sizes: the size of each axis, under its name.

    Returns:
        An array with ``len(free)`` axes, of floats, complex numbers if a value is complex, or objects
        if a value is an array of objects.

    Raises:
        MissingValue: if an array or a size is missing.
    """
    arrays = {name: np.asarray(value) for name, value in values.items()}
    kinds = {a.dtype.kind for a in arrays.values()}
    unit = any(is_imaginary(f) for t in expr for f, _ in t.factors)
    dtype: Any = object if "O" in kinds else complex if "c" in kinds or unit else float
    running = [i for i in free if isinstance(i, Index)]
    shape = tuple(_size(i.axis, sizes) if isinstance(i, Index) else 1 for i in free)
    total = np.zeros([_size(i.axis, sizes) for i in running], dtype=dtype)
    for term in expr:
        total = total + _Grid(running, term, arrays, sizes, dtype).value()
    return np.asarray(total, dtype=dtype).reshape(shape)


def _size(axis: Axis, sizes: Mapping[str, int]) -> int:
    if axis.product:
        return math.prod(_size(a, sizes) for a in axis.product)
    if axis.name not in sizes:
        raise MissingValue(f"size of the axis {axis.name}")
    return int(sizes[axis.name])


class _Grid:
    """One term on an open grid over its free and bound indices."""

    def __init__(
        self,
        free: Sequence[Index],
        term: Term,
        arrays: Mapping[str, np.ndarray[Any, Any]],
        sizes: Mapping[str, int],
        dtype: Any,
    ) -> None:
        self.term, self.arrays, self.sizes, self.dtype = term, arrays, sizes, dtype
        self.free = len(free)
        running = [*free, *term.bound]
        self.shape = [_size(i.axis, sizes) for i in running]
        self.grid = {
            i: np.arange(n).reshape([-1 if p == q else 1 for q in range(len(running))])
            for p, (i, n) in enumerate(zip(running, self.shape, strict=True))
        }

    def value(self) -> Any:
        product: Any = self.number(self.term.coefficient)
        for factor, exponent in self.term.factors:
            base = self.factor(factor)
            product = product * (base if exponent == 1 else self.power(base, exponent))
        product = np.broadcast_to(np.asarray(product, dtype=self.dtype), self.shape)
        return product.sum(axis=tuple(range(self.free, len(self.shape)))) if self.term.bound else product

    def number(self, value: Fraction) -> Any:
        if self.dtype is object:
            import sympy

            return sympy.Rational(value.numerator, value.denominator)
        return value.numerator / value.denominator

    def power(self, base: Any, exponent: Fraction) -> Any:
        if exponent.denominator == 1 and exponent > 0:
            return base ** int(exponent)
        return base ** self.number(exponent)

    def index(self, expr: IndexExpr) -> Any:
        match expr:
            case Index():
                if expr not in self.grid:
                    raise MissingValue(f"index {expr.name} is neither free nor bound")
                return self.grid[expr]
            case int():
                return expr
            case Entry():
                return np.asarray(self.entry(expr)).astype(int)
            case Affine():
                total: Any = expr.constant + sum(_size(a, self.sizes) for a in expr.sizes)
                for atom, c in expr.parts:
                    total = total + self.index(atom) * (_size(c, self.sizes) if isinstance(c, Axis) else c)
                return total

    def entry(self, entry: Entry) -> Any:
        if entry.array not in self.arrays:
            raise MissingValue(entry.array)
        array = self.arrays[entry.array]
        if len(entry.indices) != array.ndim:
            raise ValueError(
                f"{entry.array} has {array.ndim} axes and is used with {len(entry.indices)} indices"
            )
        found = np.asarray(array[tuple(self.index(i) for i in entry.indices)])
        return found.astype(float) if found.dtype.kind in "biu" else found

    def side(self, side: Entry | Fraction) -> Any:
        return self.entry(side) if isinstance(side, Entry) else self.number(side)

    def factor(self, factor: Factor) -> Any:
        match factor:
            case Entry():
                return self.entry(factor)
            case Size():
                return self.number(Fraction(_size(factor.axis, self.sizes)))
            case Delta():
                return np.equal(self.index(factor.over), self.index(factor.at)) * 1
            case Condition():
                return _RELATIONS[factor.relation](self.index(factor.left), self.index(factor.right)) * 1
            case Mask():
                return self.mask(factor)
            case Function():
                arguments = [self.entry(a) for a in factor.arguments]
                if self.dtype is object:
                    if not arguments:
                        return symbolic(factor.name, ())
                    apply = np.vectorize(lambda *x: symbolic(factor.name, x), otypes=[object])
                    return apply(*arguments)
                return numeric(factor.name, len(arguments))(*arguments)

    def mask(self, mask: Mask) -> Any:
        left, right = self.side(mask.left), self.side(mask.right)
        if self.dtype is not object:
            return _RELATIONS[mask.relation](np.real(left), np.real(right)) * 1
        import sympy

        relations = {">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq}
        relation = relations[mask.relation]

        def compare(a: Any, b: Any) -> Any:
            return sympy.Piecewise((1, relation(a, b)), (0, True))

        return np.vectorize(compare, otypes=[object])(left, right)
