"""What is known of an array goes with the array."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest

from tracer.recording.known_arrays import KnownArrays, Record
from tracer.tape import Kind, Node


class _Silent:
    """An emitter of which nothing is asked."""

    gap = 0


@pytest.fixture
def arrays() -> Iterator[KnownArrays]:
    gc.collect()
    gc.disable()
    yield KnownArrays(_Silent())  # type: ignore[arg-type]
    gc.enable()


def node(value: np.ndarray) -> Node:
    return Node(0, Kind.VIEW, "getitem", (), {}, None, value.shape, "float64")


def records() -> int:
    return sum(isinstance(each, Record) for each in gc.get_objects())


@pytest.mark.parametrize("how", ["made", "register"])
def test_an_array_that_is_freed_leaves_nothing_for_the_garbage_collector(
    arrays: KnownArrays, how: str
) -> None:
    before = records()
    array = np.ones(3)
    getattr(arrays, how)(array, node(array))
    assert records() == before + 1
    assert arrays.storage_of(array) is not None
    del array
    assert records() == before
    assert not arrays.records


def test_a_view_keeps_what_it_is_a_view_of_no_longer_than_itself(arrays: KnownArrays) -> None:
    whole = np.ones((3, 4))
    arrays.made(whole, node(whole))
    part = whole[1]
    arrays.register(part, node(part), whole)
    assert arrays.storage_of(part) is arrays.storage_of(whole)
    references = gc.get_referrers(whole)
    assert any(isinstance(each, Record) for each in references)
    del part, references
    assert not any(isinstance(each, Record) for each in gc.get_referrers(whole))


def test_the_memory_of_an_array_that_was_never_seen_is_known_through_its_views(arrays: KnownArrays) -> None:
    owner = np.ones((3, 4))
    first, second = owner[0], owner[1]
    arrays.register(first, node(first))
    assert arrays.storage_of(second) is arrays.storage_of(first) is not None
    assert arrays.storage_of(owner[2].copy()) is None


def test_an_array_that_is_forgotten_is_referred_to_by_nobody(arrays: KnownArrays) -> None:
    array = np.ones(3)
    arrays.made(array, node(array))
    arrays.forget(array)
    array.resize(5)  # NumPy refuses where anything refers to the array.
    assert arrays.storage_of(array) is None
