"""The tape by itself: recording a function, replaying it, sweeping back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tracer.tape import CannotRecord, Kind, Node, ReplayError, record, replay, resolve, sweep


def network(X: Any, W: Any, y: Any) -> Any:
    h = np.tanh(X @ W)
    return np.sum((h - y) ** 2) / len(y)


RANDOM = np.random.default_rng(0)
X, W, Y = RANDOM.standard_normal((5, 3)), RANDOM.standard_normal((3, 2)), RANDOM.standard_normal((5, 2))


def rules(node: Node, position: int, values: Sequence[Any]) -> Callable[[Any], Any] | None:
    args = [values[a.node] if hasattr(a, "node") else a for a in node.args]
    table: dict[tuple[str, int], Callable[[Any], Any]] = {
        ("matmul", 0): lambda g: g @ args[1].T,
        ("matmul", 1): lambda g: args[0].T @ g,
        ("tanh", 0): lambda g: g * (1 - np.tanh(args[0]) ** 2),
        ("subtract", 0): lambda g: g,
        ("subtract", 1): lambda g: -g,
        ("power", 0): lambda g: g * 2 * args[0],
        ("sum", 0): lambda g: g * np.ones(np.shape(args[0])),
        ("divide", 0): lambda g: g / args[1],
    }
    return table.get((node.op, position))


def test_a_function_is_recorded_and_gives_its_result() -> None:
    tape, result = record(network, X, W, Y)
    assert result == network(X, W, Y)
    assert [n.op for n in tape.nodes] == ["", "", "", "matmul", "tanh", "subtract", "power", "sum", "divide"]
    assert [n.names for n in tape.nodes[:3]] == [["X"], ["W"], ["y"]]
    assert tape.users(1) == (3,)
    assert tape.operands(3) == (0, 1)


def test_a_replay_takes_other_leaves() -> None:
    tape, result = record(network, X, W, Y)
    assert replay(tape)[-1] == result
    moved = replay(tape, {1: W + 1})[-1]
    assert moved == network(X, W + 1, Y)
    assert moved != result


def test_an_operation_can_be_overridden_too() -> None:
    tape, _ = record(network, X, W, Y)
    assert replay(tape, {4: Y})[-1] == 0.0


def test_the_sweep_gives_the_derivative() -> None:
    tape, _ = record(network, X, W, Y)
    adjoint = sweep(tape, replay(tape), len(tape) - 1, rules)[1]
    step = np.zeros_like(W)
    step[1, 0] = 1e-6
    numeric = (network(X, W + step, Y) - network(X, W - step, Y)) / 2e-6
    assert adjoint[1, 0] == pytest.approx(numeric, rel=1e-8)
    assert adjoint[1, 0] != 0


def test_the_sweep_stops_where_it_is_told_to() -> None:
    tape, _ = record(network, X, W, Y)
    adjoints = sweep(tape, replay(tape), len(tape) - 1, rules, stop=frozenset({4}))
    assert 4 in adjoints
    assert 1 not in adjoints


def test_a_sweep_starts_from_a_scalar_and_a_rule_keeps_the_shape() -> None:
    tape, _ = record(network, X, W, Y)
    with pytest.raises(ValueError, match="a scalar; node 4"):
        sweep(tape, replay(tape), 4, rules)
    with pytest.raises(ValueError, match="rule of sum for operand 0"):
        sweep(tape, replay(tape), len(tape) - 1, lambda n, p, v: (lambda g: g) if p == 0 else None)


def test_mutation_of_a_recorded_array_makes_a_new_node() -> None:
    def function(x: Any) -> Any:
        y = x * 1
        y[0] = 5.0
        return y.sum(axis=0).T

    tape, result = record(function, X)
    assert Kind.MUTATION in {n.kind for n in tape.nodes}
    np.testing.assert_array_equal(result, np.vstack([np.full(3, 5.0), X[1:]]).sum(0))


def test_what_leaves_the_arrays_is_refused() -> None:
    with pytest.raises(CannotRecord, match="plain number"):
        record(lambda x: float(x.sum()), X)


def test_a_failing_replay_names_the_operation() -> None:
    tape, _ = record(network, X, W, Y)
    with pytest.raises(ReplayError, match="replaying matmul"):
        replay(tape, {1: np.ones((7, 7))})


@pytest.mark.parametrize(
    "op", ["setitem", "put_flat", "add_at", "fill_diagonal", "sort_in_place", "subtract.at"]
)
def test_the_function_of_a_mutation_does_not_touch_its_argument(op: str) -> None:
    x = np.array([[3.0, 1.0], [2.0, 0.0]])
    before = x.copy()
    index = np.array([0, 1])
    args: tuple[Any, ...] = {"fill_diagonal": (9.0,), "sort_in_place": ()}.get(op, (index, 9.0))
    new = resolve(op)(x, *args)
    np.testing.assert_array_equal(x, before)
    assert not np.array_equal(new, before)


def test_an_unknown_operation_has_no_function() -> None:
    with pytest.raises(KeyError, match="no_such"):
        resolve("no_such.operation")
