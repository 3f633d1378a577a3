"""A policy that is updated at the end of each episode: the steps of an episode are explained together with the update."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts

EPISODES = """\
import numpy as np
rng = np.random.default_rng(1)
theta = rng.normal(size=3)
states, errors, rewards = [], [], []
state, moves, finished = rng.normal(size=3), 0, 0
while finished < 6:
    chance = 1 / (1 + np.exp(-state @ theta))
    action = int(rng.uniform() < chance)
    states.append(state)
    errors.append(action - chance)
    rewards.append(1.0 if action == (state[0] > 0) else -0.5)
    state, moves = rng.normal(size=3), moves + 1
    if moves % 3 == 0:
        finished += 1
        S, error, reward = np.vstack(states), np.array(errors), np.array(rewards)
        states, errors, rewards = [], [], []
        worth = (reward - reward.mean()) / (reward.std() + 0.1)
        dtheta = S.T @ (error * worth)
        theta += 0.1 * dtheta
"""


def test_the_gradient_over_an_episode_is_proved() -> None:
    found = judged_source(EPISODES)
    [gradient] = [p for _, p in parts(found) if p.target == "dtheta"]
    assert (gradient.verdict, gradient.wrt, gradient.scale) == ("proved", "theta", "-1")
    [loss] = found.losses
    assert loss.inferred
    assert any("weighted by worth, which is held constant" in n.what for n in found.notices)
    assert any("Iterations 3 to 5 are explained as one step" in n.what for n in found.notices)


def test_several_episodes_that_are_added_up_are_one_step() -> None:
    summed = EPISODES.replace("        theta += 0.1 * dtheta\n", """\
        total += dtheta
        if finished % 2 == 0:
            theta += 0.1 * total
            total = np.zeros(3)
""").replace("theta = rng", "total = np.zeros(3)\ntheta = rng")
    found = judged_source(summed)
    assert any("Iterations 6 to 11 are explained as one step" in n.what for n in found.notices)
    assert {p.verdict for _, p in parts(found) if p.source == "total += dtheta"} <= {"proved", "checked"}
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]


@pytest.mark.parametrize("planted", ["S.T @ (error + worth)", "S.T @ error"])
def test_other_sums_are_no_such_gradient(planted: str) -> None:
    found = judged_source(EPISODES.replace("S.T @ (error * worth)", planted))
    assert not any("weighted by worth" in n.what for n in found.notices)
