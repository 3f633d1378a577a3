"""Index expressions: building affine ones, replacing indices in them, listing what they depend on.

In come the index expressions of `terms`; out go index expressions in normal form: an `Affine` has its
parts sorted, no part stands twice, and one that is only an index or an integer is written as that.
Invariant: a replacement must lie in the range of the axis of the index that it replaces.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping

from tracer.calculus.terms import (
    Affine,
    Axis,
    Condition,
    Delta,
    Entry,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
)


class NotRepresentable(ValueError):
    """A substitution has a result that has no normal form, such as a product of two sizes."""


def affine(
    parts: Iterable[tuple[Index | Entry, int | Axis]], constant: int = 0, sizes: Iterable[Axis] = ()
) -> IndexExpr:
    """The index expression ``Σ coefficient · atom + constant + Σ sizes`` in normal form.

    Raises:
        NotRepresentable: if one atom has two coefficients whose sum is not an integer.
    """
    merged: dict[Index | Entry, int | Axis] = {}
    for atom, coefficient in parts:
        if atom in merged:
            former = merged[atom]
            if not isinstance(former, int) or not isinstance(coefficient, int):
                raise NotRepresentable(f"the sum of the coefficients {former} and {coefficient} of {atom}")
            merged[atom] = former + coefficient
        else:
            merged[atom] = coefficient
    kept = sorted(((a, c) for a, c in merged.items() if c != 0), key=lambda part: index_text(part[0]))
    added = tuple(sorted(sizes, key=lambda axis: axis.name))
    if not kept and not added:
        return constant
    if len(kept) == 1 and kept[0][1] == 1 and constant == 0 and not added:
        return kept[0][0]
    return Affine(tuple(kept), constant, added)


def shifted(index: IndexExpr, by: int = 0, sizes: tuple[Axis, ...] = (), step: int = 1) -> IndexExpr:
    """``step · index + by + Σ sizes``."""
    if isinstance(index, int):
        return affine((), step * index + by, sizes)
    if isinstance(index, Affine):
        if step != 1 and (index.sizes or any(not isinstance(c, int) for _, c in index.parts)):
            raise NotRepresentable("a multiple of a size")
        scaled = [(a, c * step if isinstance(c, int) else c) for a, c in index.parts]
        return affine(scaled, index.constant * step + by, index.sizes + sizes)
    return affine(((index, step),), by, sizes)


def out_of_range(one: IndexExpr, other: IndexExpr) -> bool:
    """Whether two index expressions are plainly never equal, for all sizes: i and j + n, where i is below n.

    An index lies between 0 and the size of its axis less one, a look-up is not negative, and no size is below one.
    """
    return _always_below(one, other) or _always_below(other, one)


def equal_digits(one: IndexExpr, other: IndexExpr) -> list[tuple[IndexExpr, IndexExpr]]:
    """The pairs that are equal exactly if i J + j = i' J + j', where j and j' are below J; else an empty list."""
    digits, others = _digits(one), _digits(other)
    if len(digits) < 2 or [i.axis for i in digits[1:]] != [i.axis for i in others[1:]]:
        return []
    return list(zip(digits, others, strict=True))


def _digits(expr: IndexExpr) -> list[Index]:
    """The indices i, j, k of (i J + j) K + k, where J and K are the sizes of the axes of j and k; else an empty list."""
    if not isinstance(expr, Affine) or expr.constant or expr.sizes:
        return []
    ordered: list[Index] = []
    below: list[Axis] = []
    left = list(expr.parts)
    while left:
        weight = _weights(below)
        found = next((part for part in left if part[1] in weight), None)
        if found is None or not isinstance(found[0], Index):
            return []
        left.remove(found)
        ordered.insert(0, found[0])
        below.insert(0, found[0].axis)
    return ordered


def _weights(below: list[Axis]) -> tuple[int | Axis, ...]:
    """How the size of these axes multiplied is written as a coefficient."""
    if not below:
        return (1,)
    if len(below) == 1:
        return (below[0],) if below[0].size is None else (below[0], below[0].size)
    if all(a.size is not None for a in below):
        return (math.prod(a.size or 0 for a in below),)
    return tuple(a for a in (Axis("·".join(a.name for a in below), product=tuple(below)),))


def in_range(at: IndexExpr, axis: Axis) -> bool:
    """Whether an index expression plainly is a position of an axis, for all sizes: j + n on an axis of size n + m."""
    if not (axis.parts or axis.size) or not isinstance(at, Affine | Index):
        return False
    end = axis.size if axis.size is not None else Affine((), 0, axis.parts)
    return _always_below(-1, at) and _always_below(at, end)


def _always_below(one: IndexExpr, other: IndexExpr) -> bool:
    """Whether the largest value of ``one`` is less than the smallest of ``other``, from what is known of sizes."""
    sizes: dict[Axis, int] = {}
    total = 0

    def add_size(axis: Axis, times: int) -> None:
        nonlocal total
        if axis.size is not None:
            total += times * axis.size
            return
        for part in axis.parts or (axis,):
            sizes[part] = sizes.get(part, 0) + times

    for side, sign in ((one, 1), (other, -1)):
        if isinstance(side, int):
            total += sign * side
            continue
        parts: tuple[tuple[Index | Entry, int | Axis], ...] = ((side, 1),) if not isinstance(side, Affine) else side.parts
        if isinstance(side, Affine):
            total += sign * side.constant
            for axis in side.sizes:
                add_size(axis, sign)
        for atom, coefficient in parts:
            if not isinstance(coefficient, int):
                if sign > 0:
                    return False
                continue  # at least 0, and taken away
            if sign * coefficient < 0:
                continue
            if not isinstance(atom, Index):
                return False
            add_size(atom.axis, sign * coefficient)
            total -= sign * coefficient
    if any(count > 0 for count in sizes.values()):
        return False
    return sum(sizes.values()) + total < 0


def replace_in_index(expr: IndexExpr, mapping: Mapping[Index, IndexExpr]) -> IndexExpr:
    """The index expression with indices replaced, all at once.

    Raises:
        NotRepresentable: for a product of two sizes.
    """
    if isinstance(expr, Index):
        return mapping.get(expr, expr)
    if isinstance(expr, int):
        return expr
    if isinstance(expr, Entry):
        return replace_in_entry(expr, mapping)
    parts: list[tuple[Index | Entry, int | Axis]] = []
    constant, sizes = expr.constant, list(expr.sizes)
    for atom, coefficient in expr.parts:
        new = replace_in_index(atom, mapping)
        if isinstance(new, Affine):
            if isinstance(coefficient, int):
                if (new.sizes and coefficient < 0) or (
                    any(isinstance(c, Axis) for _, c in new.parts) and coefficient != 1
                ):
                    raise NotRepresentable("a multiple of a size")
                parts += [(a, c * coefficient if isinstance(c, int) else c) for a, c in new.parts]
                constant += coefficient * new.constant
                sizes += list(new.sizes) * coefficient
            else:
                if new.sizes or new.constant < 0 or any(c != 1 for _, c in new.parts):
                    raise NotRepresentable("a product of two sizes")
                parts += [(a, coefficient) for a, _ in new.parts]
                sizes += [coefficient] * new.constant
        elif isinstance(new, int):
            if isinstance(coefficient, int):
                constant += coefficient * new
            elif new < 0:
                raise NotRepresentable("a negative multiple of a size")
            else:
                sizes += [coefficient] * new
        else:
            parts.append((new, coefficient))
    return affine(parts, constant, sizes)


def replace_in_entry(entry: Entry, mapping: Mapping[Index, IndexExpr]) -> Entry:
    """The entry with indices replaced, all at once."""
    if not entry.indices:
        return entry
    return Entry(entry.array, tuple(replace_in_index(i, mapping) for i in entry.indices))


@functools.lru_cache(maxsize=1 << 16)
def indices_of(item: Factor | IndexExpr) -> frozenset[Index]:
    """All indices that a factor or an index expression depends on."""
    match item:
        case Index():
            return frozenset((item,))
        case Entry():
            return frozenset().union(*(indices_of(i) for i in item.indices))
        case Affine():
            return frozenset().union(*(indices_of(atom) for atom, _ in item.parts))
        case Delta():
            return indices_of(item.over) | indices_of(item.at)
        case Mask():
            sides = (s for s in (item.left, item.right) if isinstance(s, Entry))
            return frozenset().union(*(indices_of(s) for s in sides))
        case Condition():
            return indices_of(item.left) | indices_of(item.right)
        case Function():
            return frozenset().union(*(indices_of(a) for a in item.arguments))
        case _:
            return frozenset()


@functools.lru_cache(maxsize=1 << 16)
def arrays_of(item: Factor | IndexExpr) -> frozenset[str]:
    """The names of all arrays that a factor or an index expression mentions, look-up arrays too."""
    match item:
        case Entry():
            return frozenset((item.array,)).union(*(arrays_of(i) for i in item.indices))
        case Affine():
            return frozenset().union(*(arrays_of(atom) for atom, _ in item.parts))
        case Delta():
            return arrays_of(item.over) | arrays_of(item.at)
        case Mask():
            sides = (s for s in (item.left, item.right) if isinstance(s, Entry))
            return frozenset().union(*(arrays_of(s) for s in sides))
        case Condition():
            return arrays_of(item.left) | arrays_of(item.right)
        case Function():
            return frozenset().union(*(arrays_of(a) for a in item.arguments))
        case _:
            return frozenset()


_NO_NAMES: Mapping[Index, str] = {}


def index_text(expr: IndexExpr, names: Mapping[Index, str] = _NO_NAMES) -> str:
    """A text of the index expression, the same for equal ones; ``names`` says how indices are written."""
    if isinstance(expr, Index):
        return names.get(expr) or expr.name
    if isinstance(expr, int):
        return str(expr)
    if isinstance(expr, Entry):
        return entry_text(expr, names)
    parts = sorted(f"{c.name if isinstance(c, Axis) else c}*{index_text(a, names)}" for a, c in expr.parts)
    return "(" + "+".join([*parts, str(expr.constant), *(axis.name for axis in expr.sizes)]) + ")"


def entry_text(entry: Entry, names: Mapping[Index, str] = _NO_NAMES) -> str:
    """A text of the entry, the same for equal ones."""
    if not entry.indices:
        return entry.array
    texts = [index_text(i, names) for i in entry.indices]
    if is_symmetric(entry.array):
        texts.sort()
    return f"{entry.array}[{','.join(texts)}]"


#: Stands at the end of the name of an array that equals its transpose.
SYMMETRIC = "⇄"


def is_symmetric(array: str) -> bool:
    """Whether an array is known by its name to equal its transpose."""
    return array.endswith(SYMMETRIC)
