"""What the steps of a derivation start from: the arrays that their code reads, and how long their axes must be.

Comes in: the formulas of a derivation and the vocabulary.  Goes out: an `Input` for each array that some code reads,
and the lengths that a run at random numbers must keep to.  Invariant: an array that is used as an index is bounded by
the axis that it selects from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tracer.calculus.complex_values import is_complex, is_weights
from tracer.calculus.terms import Axis, Delta, Entry, Expr, Factor, Function, Index
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.model import Input
from tracer.gradients.transform_weights import weight_axes


class InputReader:
    """Reads off formulas what their arrays hold.

    Arguments:
        expressions: all formulas of the derivation.
        positive, one_hot: arrays that hold such numbers in the program.
    """

    def __init__(
        self, names: Vocabulary, expressions: Iterable[Expr], positive: Collection[str], one_hot: Collection[str]
    ) -> None:
        self._names, self._graph, self._positive, self._one_hot = names, names.graph, positive, one_hot
        self._factors = list(_factors(expressions))
        self._below = self._bounds()

    def inputs(self, read: Collection[str]) -> dict[str, Input]:
        """The inputs among the identifiers that some code reads, in the order of the vocabulary."""
        return {i: self._input(array) for array, i in self._names.identifiers.items() if i in read}

    def tied_sizes(self) -> dict[str, int]:
        """The sizes of axes that a Fourier transform makes longer or shorter: they depend on one another."""
        tied: dict[str, int] = {}
        for array in self._names.at_hand:
            axes = (weight_axes(self._graph, array) if is_weights(array) else None) or ()
            if len(set(axes)) > 1:
                tied |= {self._graph.axis_text(a): self._graph.table.size(a) for a in axes if a is not None}
        return tied

    def least_lengths(self) -> dict[str, int]:
        """How long axes must be at least, by name: so that they have every entry that is written by its number."""
        found: dict[str, int] = {}
        for factor in self._factors:
            for axis, place in self._numbers(factor):
                name = self._graph.axis_text(axis)
                found[name] = max(found.get(name, 0), place + 1)
        return found

    def _input(self, array: str) -> Input:
        axes = tuple(self._graph.axis_text(a) for a in self._names.axes(array) or ())
        source = self._names.source(array)
        if array in self._below:
            return Input(source, axes, "integer", self._graph.axis_text(self._below[array]))
        if self._names.is_boolean(array):
            return Input(source, axes, "mask")
        if array in self._one_hot:
            return Input(source, axes, "one-hot")
        if is_complex(array):
            return Input(source, axes, "complex")
        if not axes and self._names.axes(array) == ():
            return Input(source, axes, "scalar")
        return Input(source, axes, "positive" if array in self._positive else "real")

    def _bounds(self) -> dict[str, Axis]:
        """For each array that is used as an index, the axis that bounds its entries."""
        found: dict[str, Axis] = {}
        for factor in self._factors:
            if isinstance(factor, Delta) and isinstance(factor.at, Entry) and isinstance(factor.over, Index):
                found.setdefault(factor.at.array, factor.over.axis)
            if isinstance(factor, Entry):
                for index, axis in zip(factor.indices, self._names.axes(factor.array) or (), strict=False):
                    if isinstance(index, Entry) and axis is not None:
                        found.setdefault(index.array, axis)
        return found

    def _numbers(self, factor: Factor) -> Iterator[tuple[Axis, int]]:
        """The axes in which a factor is read at a place that is given as a number, with the place."""
        if isinstance(factor, Delta) and isinstance(factor.over, Index) and isinstance(factor.at, int):
            yield factor.over.axis, factor.at
        if isinstance(factor, Entry):
            for index, axis in zip(factor.indices, self._names.axes(factor.array) or (), strict=False):
                if isinstance(index, int) and axis is not None:
                    yield axis, index


def _factors(expressions: Iterable[Expr]) -> Iterator[Factor]:
    """All factors, and what scalar functions are taken of."""
    for expr in expressions:
        for term in expr:
            for factor, _ in term.factors:
                yield from factor.arguments if isinstance(factor, Function) else (factor,)
