"""A letter for each index, the same in the formula, the code and the loops of every step.

In: the free indices and the expressions of a derivation.  Out: a frozen map from `Index` to a letter.
Invariant: two indices of one term, and two free indices, never share a letter; no letter is the name
of an array.  Bound indices of different terms may share one, as people write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from tracer.calculus.complex_values import holds_complex
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
        if any(map(holds_complex, exprs)):
            forbidden |= {"i"}  # the imaginary unit
        first = tuple(dict.fromkeys(index for index in free if isinstance(index, Index)))
        together = [(*first, *indices_of_term(term)) for expr in exprs for term in expr] or [first]
        beside: dict[Index, set[Index]] = {}
        for indices in together:
            for index in indices:
                beside.setdefault(index, set()).update(indices)
        before = [index for index in beside if index in self.given and index not in first]
        after = [index for index in beside if index not in self.given and index not in first]
        settled: dict[Index, str] = {}
        for index in (*first, *before, *after):
            taken = forbidden | {settled[other] for other in beside[index] if other in settled}
            letter = self.given.get(index)
            settled[index] = letter if letter is not None and letter not in taken else _first_not_in(taken)
        return Letters({**self.given, **settled}, forbidden)

    def __getitem__(self, index: Index) -> str:
        return self.given[index]
