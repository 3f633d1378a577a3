"""A sum over one index as a Fourier transform, where one of the factors holds its weights.

Comes in: the factors that have the index.  Goes out: ``np.fft.…`` of the others; None if no factor holds such weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tracer.calculus.complex_values import is_complex
from tracer.calculus.printing.array_tree import (
    Along,
    Extent,
    Named,
    Node,
    Product,
    Quotient,
    Transformed,
    number_of,
)
from tracer.calculus.printing.fold import ONE, Fold, written
from tracer.calculus.printing.names import Names
from tracer.calculus.terms import Index


def transformed_sum(users: Sequence[Fold], index: Index, free: Along, names: Names) -> Node | None:
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
        whole = Fold()
        for other in others:
            whole = whole.times(other)
        array = written(whole, whole.axes(free))
        at = array.axes.index(index)
        axes = (*array.axes[:at], place, *array.axes[at + 1 :])
        filled = place if not over_input and told.function != told.back else None
        node: Node = Transformed(number_of(array), function, at - len(axes), axes, told.ortho, filled)
        size = Extent(weights.axes[0].axis) if isinstance(weights.axes[0], Index) else ONE
        if told.scale > 0:
            return Product((size, node), axes)
        return Quotient(node, size, axes) if told.scale < 0 else node
    return None


def _is_complex(fold: Fold) -> bool:
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
