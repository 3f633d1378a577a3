"""Why a matrix form looks as it does: transposes, sums over axes, elementwise products, masks, one-hot rows.

Comes in: the expression that the matrix form is of.  Goes out: sentences that name its arrays and indices.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracer.calculus.complex_values import CONJUGATE, as_real_part, is_weights
from tracer.calculus.printing import Letters
from tracer.calculus.terms import Delta, Entry, Expr, Function, Index, Mask, Size, Term
from tracer.explanation.words.called import Called, letter_of


def why_matrix(expr: Expr, free: tuple[Index | int, ...], names: Called, letters: Letters) -> list[str]:
    """The reasons for the matrix form of all terms, each once."""
    told: dict[str, None] = {}
    for term in as_real_part(expr) or expr:
        of_term = [*_sums(term, free, names, letters), *_elementwise(term, free), *_selections(term)]
        if any(isinstance(f, Function) for f, _ in term.factors) and not (told or of_term):
            of_term.append("Entry by entry.")
        told.update(dict.fromkeys(of_term))
    return list(told)


def _sums(term: Term, free: tuple[Index | int, ...], names: Called, letters: Letters) -> Iterator[str]:
    """Why each index is summed over in the way it is."""
    entries = _entries(term)
    for index in term.bound:
        holding = [e for e in entries if index in e.indices]
        letter = letter_of(index, letters)
        weights = next((e for e in holding if is_weights(e.array)), None)
        if weights is not None:
            yield _transform(weights, index, letter, names)
        elif len(holding) >= 2:
            yield from _matrix_product(holding[:2], index, letter, free, names)
        elif len(holding) == 1:
            axis = holding[0].indices.index(index)
            yield (
                f"Nothing else depends on {letter}, because the same value was used at every {letter} (broadcasting): "
                f"so sum over axis {axis}."
            )


def _matrix_product(
    pair: list[Entry], index: Index, letter: str, free: tuple[Index | int, ...], names: Called
) -> Iterator[str]:
    first, second = pair
    yield (
        f"The summed index {letter} stands in both {names.array(first.array)} and "
        f"{names.array(second.array)}: a matrix product, which sums over the last axis of its left "
        "factor and the first axis of its right one."
    )
    for held, left in _order(pair, index, free):
        if len(held.indices) == 2 and (held.indices[1] != index) == left:
            place = "first" if held.indices[0] == index else "last"
            name = names.array(held.array)
            yield f"In {name} the index {letter} stands {place}, so {name} is transposed."


def _elementwise(term: Term, free: tuple[Index | int, ...]) -> Iterator[str]:
    """Why factors are multiplied entry by entry, and what a mask among them does."""
    running = [i for i in free if isinstance(i, Index)]
    full = [
        e
        for e in _entries(term)
        if running and all(i in e.indices for i in running) and not set(term.bound) & set(e.indices)
    ]
    masks = [f for f, _ in term.factors if isinstance(f, Mask)]
    masked = bool(masks) and (bool(full) or any(isinstance(f, Entry) for f, _ in term.factors))
    if len(full) >= 2 or masked:
        yield "Both factors keep the same indices and nothing is summed: an elementwise product."
    if masks:
        yield "The mask is 1 where the forward pass let the value through, else 0."


def _selections(term: Term) -> Iterator[str]:
    """What deltas and sizes that are left stand for."""
    deltas = [f for f, _ in term.factors if isinstance(f, Delta)]
    if deltas:
        classes = any(isinstance(d.at, Entry) and "." not in d.at.array for d in deltas)
        yield (
            "The δ is a one-hot row: it is 1 only in the column of the true class, which is where the −1 comes from."
            if term.coefficient < 0 and classes
            else "The δ is a one-hot row: 1 only at the looked-up position."
        )
    if any(isinstance(f, Size) and e < 0 for f, e in term.factors):
        yield "The division by the number of examples comes from the mean in the loss."


def _entries(term: Term) -> list[Entry]:
    return [f for f, _ in term.factors if isinstance(f, Entry) and f.indices]


def _transform(weights: Entry, index: Index, letter: str, names: Called) -> str:
    """Why a sum with the weights of a Fourier transform is a Fourier transform."""
    name = names.array(weights.array)
    if weights.indices[0] == index and not weights.array.endswith(CONJUGATE):
        return f"The sum over {letter} with the weights {name} is the Fourier transform itself."
    if weights.array.endswith(CONJUGATE):
        return (
            f"The sum over {letter} has conjugate weights, e to the opposite power: that is the transform in the other "
            "direction, up to the factor that NumPy's inverse divides by."
        )
    return (
        f"The sum over {letter} is over the other index of the weights; they are e to a power of the product of both "
        "indices, so that either sum is the same transform."
    )


def _order(pair: list[Entry], index: Index, free: tuple[Index | int, ...]) -> list[tuple[Entry, bool]]:
    """The two factors of a matrix product, each with whether it is the left one."""
    position = {i: n for n, i in enumerate(free) if isinstance(i, Index)}

    def place(held: Entry) -> int:
        return min((position[i] for i in held.indices if isinstance(i, Index) and i in position), default=99)

    left, right = sorted(pair, key=place)
    return [(left, True), (right, False)]
