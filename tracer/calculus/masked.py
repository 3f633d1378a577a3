"""Sums over the places where a mask is true are sums over all places, weighed with the mask.

    Σ_k f(m.where0[k], m.where1[k]) = Σ_ij m[i, j] f(i, j)

In comes a term, out goes an equal one without the sum over places.  Invariant: it holds for every mask, because
each of its true places stands once among ``m.where0``, ``m.where1``, …
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracer.calculus.algebra import ONE, fresh, make_term
from tracer.calculus.definitions import WHERE
from tracer.calculus.indexing import indices_of
from tracer.calculus.terms import (
    Condition,
    Definition,
    Delta,
    Entry,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Term,
)


def over_all_entries(term: Term, definitions: Mapping[str, Definition]) -> Term | None:
    """The term with one sum over places written as a sum over all entries; ``None`` if there is no such sum."""
    for index in term.bound:
        places = {e for f, _ in term.factors for e in look_ups(f) if index in indices_of(e)}
        masks = {e.array.rpartition(WHERE)[0] for e in places if e.indices == (index,) and WHERE in e.array}
        mask = next(iter(masks), None)
        definition = None if mask is None else definitions.get(mask)
        if mask is None or definition is None or len(masks) != 1:
            continue
        free = tuple(fresh(i.axis) if isinstance(i, Index) else 0 for i in definition.free)
        found = {Entry(f"{mask}{WHERE}{d}", (index,)): i for d, i in enumerate(free)}
        if not places <= found.keys():
            continue
        factors = [(_replaced(f, found), e) for f, e in term.factors]
        if any(index in indices_of(f) for f, _ in factors):
            continue  # something else depends on the place
        bound = (*(i for i in term.bound if i != index), *(i for i in free if isinstance(i, Index)))
        return make_term(term.coefficient, bound, [*factors, (Entry(mask, free), ONE)])
    return None


def look_ups(item: Factor | IndexExpr) -> Iterator[Entry]:
    """The entries that stand in the place of an index."""
    for index in _indices(item):
        if isinstance(index, Entry):
            yield index
        yield from look_ups(index)


def _indices(item: Factor | IndexExpr) -> tuple[IndexExpr, ...]:
    match item:
        case Entry():
            return item.indices
        case Delta():
            return item.over, item.at
        case Condition():
            return item.left, item.right
        case Mask():
            return tuple(i for s in (item.left, item.right) if isinstance(s, Entry) for i in s.indices)
        case Function():
            return tuple(i for a in item.arguments for i in a.indices)
        case _:
            return ()


def _replaced(factor: Factor, found: Mapping[Entry, Index | int]) -> Factor:
    """The factor with places written as indices; what cannot be rewritten stays, and is seen to depend on the place."""
    match factor:
        case Entry():
            return _entry(factor, found)
        case Function():
            return Function(factor.name, tuple(_entry(a, found) for a in factor.arguments))
        case Mask():
            left, right = (_entry(s, found) if isinstance(s, Entry) else s for s in (factor.left, factor.right))
            return Mask(factor.relation, left, right)
        case Delta() if isinstance(factor.at, Entry) and factor.at in found:
            return Condition("==", factor.over, found[factor.at])
        case _:
            return factor


def _entry(entry: Entry, found: Mapping[Entry, Index | int]) -> Entry:
    return Entry(entry.array, tuple(found.get(i, i) if isinstance(i, Entry) else i for i in entry.indices))
