"""Shapes as a person writes them: ``X=N,D``, ``b=1,h``, ``reg=`` for a single number.

Comes in: texts, or a mapping from names to texts, numbers and tuples.  Goes out: for each array the names or
sizes of its axes.  Invariant: equal names are one axis; the integer 1 is a broadcast axis, a name never is.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping, Sequence

from tracer.expressions.errors import CannotDerive

#: The axes of an array: names, or sizes.
Axes = tuple[str | int, ...]
ShapesGiven = Mapping[str, "str | int | Sequence[str | int]"] | Iterable[str]


def read_shapes(given: ShapesGiven) -> dict[str, Axes]:
    """The axes of every array.

    Raises:
        CannotDerive: a text that is no shape, a name given twice, an axis that is called like an array.
    """
    pairs = list(given.items()) if isinstance(given, Mapping) else [_pair(text) for text in given]
    found: dict[str, Axes] = {}
    for name, axes in pairs:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise CannotDerive(f"{name!r} cannot be the name of an array.", hint=_HOW)
        if name in found:
            raise CannotDerive(f"The shape of {name} is given twice.", hint="Give it once.")
        found[name] = _axes(name, axes)
    for name, axes in found.items():
        for axis in axes:
            if axis in found:
                raise CannotDerive(
                    f"{axis} is an array and an axis of {name}.", hint="Give the axis another name."
                )
    return found


_HOW = "Write NAME=AXIS,AXIS, as in --shape X=N,D; NAME= alone is a single number."


def _pair(text: str) -> tuple[str, str]:
    name, equals, axes = text.partition("=")
    if not equals:
        raise CannotDerive(f"{text!r} is no shape.", hint=_HOW)
    return name.strip(), axes


def _axes(name: str, given: str | int | Sequence[str | int]) -> Axes:
    if isinstance(given, int):
        given = (given,)
    if isinstance(given, str):
        text = given.strip()
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1].strip().removesuffix(",")
        given = [part.strip() for part in text.split(",")] if text else ()
    return tuple(_axis(name, axis) for axis in given)


def _axis(name: str, axis: str | int) -> str | int:
    text = str(axis)
    if text.isascii() and text.isdigit() and int(text) > 0:
        if int(text) > 64:
            raise CannotDerive(
                f"An axis of {name} has {text} entries, which is more than can be tried out.",
                hint="Give the axis a name: what is derived holds for all sizes.",
            )
        return int(text)
    if text.isidentifier() and not keyword.iskeyword(text) and text not in ("np", "numpy"):
        return text
    raise CannotDerive(
        f"{text!r} cannot be an axis of {name}.", hint="An axis is a name or a size from 1 on."
    )


def sizes_of(
    shapes: Mapping[str, Axes], smallest: int = 3, avoid: Iterable[int] = (), apart: int = 1
) -> dict[str, int]:
    """A size for each named axis, all different, and different from every size that is given and from ``avoid``.

    Arguments:
        apart: how far sizes are from each other at least.
    """
    taken = {axis for axes in shapes.values() for axis in axes if isinstance(axis, int)} | set(avoid)
    sizes: dict[str, int] = {}
    size = smallest
    for axes in shapes.values():
        for axis in axes:
            if isinstance(axis, str) and axis not in sizes:
                while size in taken:
                    size += 1
                sizes[axis] = size
                taken.add(size)
                size += apart
    return sizes


def in_words(axes: Iterable[str | int]) -> str:
    """``(N, D)``; ``a single number``."""
    listed = [str(axis) for axis in axes]
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})" if listed else "a single number"
