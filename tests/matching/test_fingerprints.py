"""Fingerprints: equal up to a factor, axes of size one and a transposition; different arrays never match."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tracer.matching.fingerprint import FingerprintIndex, factors, fingerprint

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def replays(shape: tuple[int, ...], seed: int, count: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for _ in range(count)]


def compared(one: list[np.ndarray], other: list[np.ndarray], transposed: bool = False) -> tuple[float, ...] | None:
    first, second = fingerprint(one), fingerprint(other, transposed)
    assert first is not None
    assert second is not None
    found = factors(first, second)
    return None if found is None else found[0]


@given(shapes, seeds, st.floats(-100, 100).filter(lambda x: abs(x) > 1e-3))
def test_a_multiple_matches_and_the_factor_is_measured(shape: tuple[int, ...], seed: int, factor: float) -> None:
    values = replays(shape, seed)
    found = compared([factor * v for v in values], values)
    assert found == pytest.approx((factor,) * 3, rel=1e-9)


@given(shapes, seeds)
def test_a_factor_of_its_own_on_every_replay_is_measured_too(shape: tuple[int, ...], seed: int) -> None:
    values = replays(shape, seed)
    found = compared([2.0 * values[0], -3.0 * values[1], 0.5 * values[2]], values)
    assert found == pytest.approx((2.0, -3.0, 0.5), rel=1e-9)


@given(shapes, seeds, st.integers(0, 3))
def test_an_axis_of_size_one_makes_no_difference(shape: tuple[int, ...], seed: int, position: int) -> None:
    values = replays(shape, seed)
    assert compared([np.expand_dims(v, min(position, v.ndim)) for v in values], values) == pytest.approx((1.0,) * 3)


@given(st.integers(2, 5), st.integers(2, 5), seeds)
def test_a_transposed_array_matches_when_it_is_entered_transposed(rows: int, columns: int, seed: int) -> None:
    values = replays((rows, columns), seed)
    assert compared([v.T for v in values], values, transposed=True) == pytest.approx((1.0,) * 3)
    assert compared([v.T for v in values], values) is None


@given(shapes, seeds, seeds)
@settings(max_examples=200)
def test_different_arrays_never_match(shape: tuple[int, ...], one: int, other: int) -> None:
    assume(one != other and np.prod(shape) > 1)
    assert compared(replays(shape, one), replays(shape, other)) is None


@given(shapes, seeds, st.floats(1e-5, 1.0))
def test_one_entry_that_differs_on_one_replay_is_enough_to_differ(
    shape: tuple[int, ...], seed: int, by: float
) -> None:
    assume(np.prod(shape) > 1)
    values = replays(shape, seed)
    other = [v.copy() for v in values]
    other[2].reshape(-1)[-1] += by
    assert compared(other, values) is None


@given(seeds, st.permutations(range(4)))
def test_permuted_entries_do_not_match(seed: int, order: list[int]) -> None:
    assume(order != [0, 1, 2, 3])
    values = replays((4,), seed)
    assert compared([v[order] for v in values], values) is None


@pytest.mark.parametrize("value", [np.zeros((2, 3)), np.full((2, 3), np.nan), np.array([1.0, np.inf])])
def test_zero_and_what_is_not_finite_has_no_fingerprint(value: np.ndarray) -> None:
    assert fingerprint([value] * 3) is None


def test_the_index_finds_all_equal_entries_and_nothing_else() -> None:
    index: FingerprintIndex[str] = FingerprintIndex()
    arrays = {name: replays((3, 4), seed) for seed, name in enumerate("abcdefgh")}
    for name, values in [*arrays.items(), ("again", arrays["c"])]:
        found = fingerprint(values)
        assert found is not None
        index.add(found, name)
    wanted = fingerprint([-2.0 * v for v in arrays["c"]])
    assert wanted is not None
    hits = index.find(wanted)
    assert sorted(item for item, _, _ in hits) == ["again", "c"]
    assert all(scale == pytest.approx((-2.0,) * 3) for _, scale, _ in hits)


def test_what_is_constant_along_an_axis_matches_what_lacks_it() -> None:
    values = replays((4,), 3)
    assert compared([np.tile(v, (3, 1)) for v in values], values) == pytest.approx((1.0,) * 3)


def test_many_equal_entries_are_all_found_with_the_factors_that_each_has_by_itself() -> None:
    index: FingerprintIndex[int] = FingerprintIndex()
    values = replays((3, 4), 1)
    others = [replays((3, 4), seed) for seed in range(2, 60)]
    expected = {}
    for number in range(100):
        multiple = [(number + 1.0) * (-1) ** number * v for v in values]
        if number % 10 == 9:  # equal on the first replay only
            multiple[2] = others[0][2]
        wanted, one = fingerprint(values), fingerprint(multiple)
        assert wanted is not None
        assert one is not None
        index.add(one, number)
        alone = factors(wanted, one)
        assert (alone is None) == (number % 10 == 9)
        if alone is not None:
            expected[number] = alone[0]
    for number, other in enumerate(others):
        found = fingerprint(other)
        assert found is not None
        index.add(found, 1000 + number)
    wanted = fingerprint(values)
    assert wanted is not None
    hits = {item: scale for item, scale, _ in index.find(wanted)}
    assert hits.keys() == expected.keys()
    assert all(hits[n] == pytest.approx(expected[n], rel=1e-12) for n in hits)


def test_numbers_keep_their_sign_and_match_arrays_of_one_entry() -> None:
    for one, other in ((np.float64(-2.0), 4.0), (np.array([[3.0]]), -1.5), (0.5, np.array([0.25]))):
        assert compared([one] * 3, [other] * 3) == pytest.approx((float(np.sum(one)) / float(np.sum(other)),) * 3)
