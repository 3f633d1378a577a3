"""The corner of an array as a small table of coloured numbers.

In comes a `Part` with a ``sample``, out goes a `HeatMap`.  Invariant: the colour class of a cell depends on
its sign and its size against the largest shown number only; a cell that is no number has no colour.
"""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from tracer.explanation.model import Part

ROWS, COLUMNS = 6, 6
#: Colour classes go from ``q0`` (most negative) over ``q5`` (zero) to ``q10`` (most positive).
_MIDDLE = 5
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Cell(Struct, frozen=True):
    text: str
    shade: str


class HeatMap(Struct, frozen=True):
    """``unit`` is the common factor of all numbers, such as ``× 10⁻⁴``, or empty."""

    rows: tuple[tuple[Cell, ...], ...]
    unit: str
    more_rows: bool
    more_columns: bool


def heat_map(part: Part) -> HeatMap | None:
    """The corner of the part's array, or None for scalars and where no sample was kept."""
    rows = _two_dimensional(part.sample)
    if not rows or not part.shape or not rows[0]:
        return None
    corner = [row[:COLUMNS] for row in rows[:ROWS]]
    largest = max((abs(v) for row in corner for v in row if _is_finite(v)), default=0.0)
    exponent = _exponent(largest)
    height, width = ((1, 1) + tuple(part.shape))[-2:]
    return HeatMap(
        tuple(tuple(_cell(value, largest, exponent) for value in row) for row in corner),
        f"× 10{str(exponent).translate(_SUPERSCRIPTS)}" if exponent else "",
        height > len(corner),
        width > len(corner[0]),
    )


def _two_dimensional(sample: Any) -> list[list[Any]]:
    """Rows of the sample; of more than two axes the first layer, of one axis a single row."""
    if not isinstance(sample, (list, tuple)) or not sample:
        return []
    if not isinstance(sample[0], (list, tuple)):
        return [list(sample)]
    while sample[0] and isinstance(sample[0][0], (list, tuple)):
        sample = sample[0]
    return [list(row) for row in sample]


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _exponent(largest: float) -> int:
    """The power of ten that is written once instead of in every cell; 0 for numbers of ordinary size."""
    if largest == 0 or 0.05 <= largest < 1000:
        return 0
    return math.floor(math.log10(largest))


def _cell(value: Any, largest: float, exponent: int) -> Cell:
    if not _is_finite(value):
        return Cell("–", "")
    shown = value / 10.0**exponent if exponent else value
    text = f"{shown:.0f}" if isinstance(value, (bool, int)) and not exponent else f"{shown:.2f}"
    text = "0" if value == 0 else text.replace("-", "−")
    shade = (
        _MIDDLE
        if not largest
        else round(_MIDDLE + _MIDDLE * math.copysign(abs(value / largest) ** 0.7, value))
    )
    return Cell(text, f"q{shade}")
