"""One entry of an array worked out in the program's own numbers, as data that any document can show.

In comes a `Part` with an `Entry`, out goes a `Worked`.  Invariant: the shown terms and the rest together are
all terms of the entry, so ``sum(shown) + rest = value`` up to rounding.
"""

from __future__ import annotations

import math
import re

from msgspec import Struct

from tracer.explanation.model import Entry, Part
from tracer.explanation.words.report import number

#: So many products are written out; of longer sums the rest is given as one number.
TERMS_SHOWN = 8

#: What an index may follow without brackets.
_NAME = re.compile(r"[\w.]+(\([^()]*\)|\[[^\[\]]*\])*")


class Worked(Struct, frozen=True):
    """``left = products[0] + products[1] + … = value``; ``labels`` name the columns of the factors."""

    left: str
    labels: tuple[str, ...]
    factors: tuple[tuple[str, ...], ...]
    products: tuple[str, ...]
    more: int
    rest: str
    value: str
    finite_difference: str | None
    cell: tuple[int, int] | None

    @property
    def text(self) -> str:
        """``dhidden[0, 3] = 0.1 × (−0.89) + 0.14 × 0.88 = 0.034``"""
        shown = [" × ".join(map(_bracketed, factors)) for factors in self.factors]
        if self.more:
            shown.append(f"({self.more} more terms: {self.rest})")
        return f"{self.left} = {' + '.join(shown)} = {self.value}" if shown else f"{self.left} = {self.value}"


def worked(part: Part, shown: int = TERMS_SHOWN) -> Worked | None:
    """The worked entry of a part, or None if it has none."""
    entry = part.entry
    if entry is None:
        return None
    name = part.target or (part.source if _NAME.fullmatch(part.source) else f"({part.source})")
    index = ", ".join(map(str, entry.index))
    head, tail = _split(entry.terms, shown)
    width = max((len(term) for term in entry.terms), default=0)
    return Worked(
        left=f"{name}[{index}]" if entry.index else name,
        labels=entry.labels if len(entry.labels) == width else (),
        factors=tuple(tuple(map(number, term)) for term in head),
        products=tuple(number(math.prod(term)) for term in head),
        more=len(tail),
        rest=number(math.fsum(math.prod(term) for term in tail if all(map(math.isfinite, term)))),
        value=number(entry.value),
        finite_difference=None if entry.finite_difference is None else number(entry.finite_difference),
        cell=_cell(entry),
    )


def _split(
    terms: tuple[tuple[float, ...], ...], shown: int
) -> tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...]]:
    """The terms to write out and the others: of a long sum the first ones that are not zero."""
    if len(terms) <= shown + 1:
        return terms, ()
    telling = [k for k, term in enumerate(terms) if all(term)][:shown] or list(range(shown))
    return tuple(terms[k] for k in telling), tuple(terms[k] for k in range(len(terms)) if k not in telling)


def _cell(entry: Entry) -> tuple[int, int] | None:
    """Row and column of the entry in the corner that is shown of its array."""
    if len(entry.index) > 2:
        return None
    row, column = ((0, 0) + entry.index)[-2:]
    return row, column


def _bracketed(factor: str) -> str:
    return f"({factor})" if factor.startswith("−") else factor
