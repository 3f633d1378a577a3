"""The state of a game is moved by what is drawn: that is no step of a parameter, though a loss may rest on the state."""

from __future__ import annotations

import pytest

from tests.building.explained import analysed_source, explained_source, parts

GAME = """\
import numpy as np
rng = np.random.default_rng(0)
W, s, seen = rng.normal(size=(2, 3)), rng.normal(size=3), []
for k in range(6):
    s = MOVED
    q = W @ s
    loss = 0.5 * np.sum((q - 1) ** 2)
    dq = q - 1
    dW = np.outer(dq, s)
    W = W - 0.1 * dW
"""
MOVES = ["s + 0.2 * rng.random(3)", "np.clip(s + 0.1 * rng.normal(size=3), -1, 1)", "s + (k % 2 - 0.5) * rng.normal(size=3)"]


@pytest.mark.parametrize("move", MOVES)
def test_a_state_that_draws_move_is_no_parameter(move: str) -> None:
    source = GAME.replace("MOVED", move)
    found = analysed_source(source)
    assert {n for u in found.updates.values() for n in found.tape.nodes[u.node].names} == {"W"}
    assert not [p for _, p in parts(explained_source(source)) if p.verdict in ("wrong", "unexplained")]


def test_noise_that_is_added_to_a_gradient_leaves_it_a_step() -> None:
    source = GAME.replace("MOVED", "s * 1.0").replace("0.1 * dW", "(0.1 * dW + 0.01 * rng.normal(size=(2, 3)))")
    found = analysed_source(source)
    assert {n for u in found.updates.values() for n in found.tape.nodes[u.node].names} == {"W"}
