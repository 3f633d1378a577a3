"""Places along axes: what lies where for all sizes, and that nothing is said of what does not."""

from __future__ import annotations

import numpy as np
import pytest

from tracer.calculus import (
    add,
    affine,
    contract,
    entry,
    equal,
    evaluate,
    multiply,
    of_factor,
    scale,
    sum_over,
)
from tracer.calculus.indexing import equal_digits, in_range, out_of_range
from tracer.calculus.terms import Affine, Axis, Condition, Delta, Index
from tracer.ops.lengths import Length, length_of

N, M = Axis("n"), Axis("m")
I, J, K = Index("i", N), Index("j", N), Index("k", M)
BOTH = Axis("nm", parts=(N, M))


@pytest.mark.parametrize(
    ("one", "other", "never"),
    [
        (I, affine(((J, 1),), 0, (N,)), True),  # i < n ≤ j + n
        (I, affine(((K, 1),), 0, (N,)), True),
        (I, affine(((J, 1),), 0, (M,)), False),  # n may be more than m
        (I, affine(((J, 1),), 1), False),
        (0, affine((), 0, (N,)), True),
        (0, affine(((K, 1),), 1), True),
        (Index("p", BOTH), affine(((J, 1),), 0, (N, M)), True),
        (Index("p", BOTH), affine(((J, 1),), 0, (N,)), False),
        (Index("p", Axis("five", size=5)), affine(((J, 1),), 5), True),
        (Index("p", Axis("five", size=5)), affine(((J, 1),), 4), False),
    ],
)
def test_places_that_are_never_the_same(one: object, other: object, never: bool) -> None:
    assert out_of_range(one, other) is never  # type: ignore[arg-type]


def test_a_place_on_an_axis_made_of_others() -> None:
    assert in_range(I, BOTH)
    assert in_range(affine(((K, 1),), 0, (N,)), BOTH)
    assert not in_range(affine(((I, 1),), 0, (N,)), BOTH)  # n may be more than m
    assert not in_range(affine(((K, 1),), 1, (N,)), BOTH)
    assert not in_range(affine(((K, 1),), -1, (N,)), Axis("unknown"))


def test_digits_are_equal_one_by_one_only_below_their_base() -> None:
    j, k = Index("j2", N), Index("k2", M)
    first, second = affine(((I, M), (K, 1))), affine(((j, M), (k, 1)))
    assert equal_digits(first, second) == [(I, j), (K, k)]
    assert equal_digits(affine(((I, M), (J, 1))), affine(((k, M), (j, 1)))) == []  # j may be m and more
    assert equal_digits(Affine(first.parts, 1), second) == []  # type: ignore[union-attr]


@pytest.mark.parametrize(("long", "short"), [(5, 2), (5, 3), (7, 2)])
def test_a_delta_keeps_to_the_range_of_its_index(long: int, short: int) -> None:
    """Σ_f δ(f, k) δ(f, s) with k on a short and s on a long axis is 1 only where s is on the short one too."""
    whole, part, slice_ = Axis("whole"), Axis("part"), Axis("slice")
    f, k, s = Index("f", whole), Index("k", part), Index("s", slice_)
    expr = sum_over((f, k), multiply(of_factor(Delta(f, k)), of_factor(Delta(f, s)), entry("x", k)))
    values, sizes = {"x": np.arange(1.0, short + 1)}, {"whole": 9, "part": short, "slice": long}
    expected = np.zeros(long)
    expected[:short] = values["x"]
    assert np.array_equal(evaluate(contract(expr), (s,), values, sizes), expected)
    assert not equal(contract(expr), entry("x", s))


def test_a_place_in_a_later_piece_selects_nothing_of_the_first() -> None:
    never = of_factor(Condition("==", I, affine(((J, 1),), 0, (N,))))
    maybe = of_factor(Condition("==", I, affine(((J, 1),), 0, (M,))))
    assert never == ()
    assert maybe != ()
    assert add(maybe, scale(maybe, -1)) != ()


def test_lengths_are_added_and_divided_for_all_sizes() -> None:
    two = length_of({N: 2})
    assert two.plus(length_of({N: 1}), -1).axis == N
    assert two.part(2) == length_of({N: 1})
    assert length_of({N: 3}).part(2) is None
    assert Length((), 3).plus(two).sizes == (N, N)
    assert two.plus(length_of({M: 1}), -1).sizes is None
