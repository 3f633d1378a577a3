"""A letter for each index, the same in the formula, the code and the loops of every step.

In: the free indices and the expressions of a derivation.  Out: a frozen map from `Index` to a letter.
Invariant: two indices of one term, and two free indices, never share a letter; no letter is the name
of an array.  Bound indices of different terms may share one, as people write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from tracer.calculus.printing.reading import indices_of_term
from tracer.calculus.terms import Expr, Index

_FIRST = "ijklmnpqrstuvw"


def _sequence() -> Iterator[str]:
    yield from _FIRST
    for number in count(1):
        for letter in _FIRST:
            yield f"{letter}{number}"


def _first_not_in(taken: Iterable[str]) -> str:
    forbidden = set(taken)
    return next(letter for letter in _sequence() if letter not in forbidden)


@dataclass(frozen=True)
class Letters:
    """Letters of indices; make them with `Letters.of`, then look them up: ``letters[index]``."""

    given: Mapping[Index, str] = field(default_factory=dict)
    avoid: frozenset[str] = frozenset()

    @classmethod
    def of(cls, free: Iterable[Index | int], *exprs: Expr, avoid: Iterable[str] = ()) -> Letters:
        """Letters for the free indices (first: i, j, k…) and all others of the expressions.

        Args:
            free: the axes of the result; integers stand for axes of size one.
            exprs: every expression that will be shown with these letters.
            avoid: names of arrays and scalars, which must not be used as letters.
        """
        return cls(avoid=frozenset(avoid)).extended(free, *exprs)

    def extended(self, free: Iterable[Index | int], *exprs: Expr, avoid: Iterable[str] = ()) -> Letters:
        """The same letters and further ones; a letter is changed only where it would be ambiguous."""
        forbidden = self.avoid | frozenset(avoid)
        given = {index: letter for index, letter in self.given.items() if letter not in forbidden}
        open_indices = tuple(dict.fromkeys(index for index in free if isinstance(index, Index)))
        self._assign(given, open_indices, (), forbidden)
        for expr in exprs:
            for term in expr:
                self._assign(given, indices_of_term(term), open_indices, forbidden)
        return Letters(given, forbidden)

    @staticmethod
    def _assign(
        given: dict[Index, str],
        indices: tuple[Index, ...],
        fixed: tuple[Index, ...],
        forbidden: frozenset[str],
    ) -> None:
        taken = {given[index] for index in fixed}
        for index in indices:
            if index in fixed:
                continue
            later = {given[other] for other in indices if other in given and other is not index}
            if index not in given or given[index] in taken:
                given[index] = _first_not_in(forbidden | taken | later)
            taken.add(given[index])

    def __getitem__(self, index: Index) -> str:
        return self.given[index]
