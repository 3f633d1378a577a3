"""Time is that of the processor: waiting does not count, work does."""

from __future__ import annotations

import time

import pytest

from tracer.calculus.deadline import Deadline
from tracer.calculus.definitions import ancestors
from tracer.calculus.terms import Definition, Entry, Term


def work(seconds: float) -> None:
    start = time.thread_time()
    while time.thread_time() - start < seconds:
        pass


def test_a_deadline_is_over_when_so_much_was_worked() -> None:
    deadline = Deadline(0.02)
    assert not deadline.is_over()
    work(0.03)
    assert deadline.is_over()
    assert deadline.left < 0


def test_waiting_does_not_count() -> None:
    deadline = Deadline(0.2)
    time.sleep(0.25)
    assert not deadline.is_over()
    assert deadline.left > 0.1


def test_without_a_limit_it_is_never_over() -> None:
    deadline = Deadline(float("inf"))
    work(0.01)
    assert not deadline.is_over()


CHAIN = {
    name: Definition(name, (), (Term(1, (), ((Entry(before), 1),)),))  # type: ignore[arg-type]
    for before, name in zip("abcde", "bcdef", strict=True)
}


@pytest.mark.parametrize(
    ("most", "expected"), [(None, "bcdef"), (10, "bcdef"), (5, "bcdef"), (2, "ef"), (1, "f")]
)
def test_of_what_an_array_rests_on_the_nearest_are_given_in_their_order(most: int | None, expected: str) -> None:
    assert list(ancestors("f", CHAIN, most)) == list(expected)
