"""Draws that only rearrange: a permutation, a shuffle or a choice of an array's rows is an index into it.

In: a call of a random generator with an array.  Out: the positions that it drew, found with a copy of the generator
in its former state; ``None`` where that does not give what the program got, so nothing is claimed.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tracer.recording.box import same

#: Methods that take rows of an array.
REARRANGING = ("permutation", "shuffle", "choice")


def twin(function: Any) -> Any:
    """A copy of the generator that ``function`` is a method of, in its present state; ``None`` if there is none."""
    owner = getattr(function, "__self__", None)
    if not isinstance(owner, (np.random.RandomState, np.random.Generator)):
        return None
    return copy.deepcopy(owner)


def positions(
    generator: Any, name: str, before: np.ndarray, after: Any, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Which rows of ``before`` make up ``after``.

    Arguments:
        generator: the twin, made before the draw.
        args, kwargs: the arguments of the draw after the array itself.
    """
    numbers = np.arange(len(before))
    if kwargs.get("axis", 0) != 0:
        return None
    try:
        if name == "shuffle":
            generator.shuffle(numbers)
            found = numbers
        else:
            found = getattr(generator, name)(numbers, *args, **kwargs)
    except (TypeError, ValueError):
        return None
    return found if same(before[found], after) else None
