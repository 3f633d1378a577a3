"""Steps of optimisers that go up where all others go down: they have no factor, but a direction."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tests.diagnosis.planted import Planted, assert_told, wrong

PROGRAM = """\
import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(14, 3))
y = (X[:, :1] > 0).astype(float)
W, b, V = rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=(4, 1))
params = [W, b, V]
m, v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
for step in range(1, 9):
    h = np.tanh(X @ W + b)
    p = 1 / (1 + np.exp(-h @ V))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dz = (p - y) / len(y)
    dV = h.T @ dz
    dh = dz @ V.T * (1 - h ** 2)
    dW = X.T @ dh
    db = dh.sum(axis=0)
    for k, g in enumerate((dW, db, dV)):
STEP
"""
OPTIMISERS = {
    "momentum": """\
        m[k] = 0.9 * m[k] + 0.1 * g
        params[k] -= 0.1 * m[k]""",
    "adagrad": """\
        v[k] += g ** 2
        params[k] -= 0.1 * g / (np.sqrt(v[k]) + 1e-8)""",
    "adam": """\
        m[k] = 0.9 * m[k] + 0.1 * g
        v[k] = 0.999 * v[k] + 0.001 * g * g
        params[k] -= 0.1 * (m[k] / (1 - 0.9 ** step)) / (np.sqrt(v[k] / (1 - 0.999 ** step)) + 1e-8)""",
}
ALONE = """\
        pass
    m[0] = 0.9 * m[0] - 0.1 * dW
    W += m[0]
    m[2] = 0.9 * m[2] - 0.1 * dV
    V += m[2]"""


def program(step: str) -> str:
    return PROGRAM.replace("STEP", step)


@pytest.mark.parametrize("step", [*OPTIMISERS.values(), ALONE], ids=[*OPTIMISERS, "velocity"])
def test_a_right_program_has_no_fault(step: str) -> None:
    found = judged_source(program(step))
    assert not [p for _, p in parts(found) if p.verdict == "wrong"]
    assert {p.verdict for _, p in parts(found) if p.source in ("h.T @ dz", "X.T @ dh")} == {"proved"}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_one_gradient_with_the_other_sign_is_told(name: str) -> None:
    assert_told(
        Planted(program(OPTIMISERS[name]), "    dV = h.T @ dz", "    dV = -h.T @ dz", "sign", "dV = h.T @ dz")
    )


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_step_up_that_all_parameters_take_is_told(name: str) -> None:
    source = program(OPTIMISERS[name]).replace("params[k] -=", "params[k] +=")
    [(line, part)] = wrong(source)
    assert part.diagnosis is not None
    assert (part.diagnosis.kind, source.splitlines()[line - 1].split()[1]) == ("sign", "+=")
    assert part.diagnosis.fix is not None
    assert part.diagnosis.fix.startswith("params[k] -=")


def test_one_step_that_is_written_the_other_way_is_told() -> None:
    assert_told(Planted(program(ALONE), "    V += m[2]", "    V -= m[2]", "sign", "V += m[2]"))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_what_is_called_a_reward_may_go_up(name: str) -> None:
    source = program(OPTIMISERS[name]).replace("loss = -np.mean", "reward = np.mean").replace("params[k] -=", "params[k] +=")
    assert not wrong(source.replace("dz = (p - y)", "dz = (y - p)"))
