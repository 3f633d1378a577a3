"""What holds for positive and for negative values is proved; what holds only if all have one sign is not."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from network import Network

from tracer.calculus import Proof, entry, fresh, prove_equal


def net() -> Network:
    rng = np.random.default_rng(2)
    made = Network(z=rng.normal(size=(4, 3)), x=rng.normal(size=(4, 3)), s=np.array([0.3, -0.2, -0.1]))
    made.op("absolute", "abs", "z")
    made.op("negative", "minus", "abs")
    made.op("exp", "e", "minus")  # exp(−|z|)
    made.op("negative", "mz", "z")
    made.op("exp", "ez", "mz")  # exp(−z)
    made.op("add", "d", 1, "ez")
    made.op("divide", "sigmoid", 1, "d")
    return made


def proof(made: Network, one: str, other: str) -> Proof:
    definitions = made.definitions()
    free = tuple(fresh(a) for a in made.table.axes(one, made.values[one].shape))
    return prove_equal(entry(one, *free), entry(other, *free), definitions)


def stable(made: Network) -> None:
    """1 / (1 + exp(−z)) without an overflow: 1 / (1 + exp(−|z|)) where z > 0, exp(−|z|) / (1 + exp(−|z|)) elsewhere."""
    made.op("add", "d2", 1, "e")
    made.op("divide", "above", 1, "d2")
    made.op("divide", "below", "e", "d2")
    made.op("greater", "positive", "z", 0)
    made.op("where", "stable", "positive", "above", "below")


def test_a_sigmoid_in_two_branches_is_a_sigmoid() -> None:
    made = net()
    stable(made)
    assert proof(made, "stable", "sigmoid").proved


def test_branches_the_wrong_way_round_are_none() -> None:
    made = net()
    stable(made)
    made.op("where", "wrong", "positive", "below", "above")
    assert not proof(made, "wrong", "sigmoid").proved


def test_a_case_that_fails_is_enough() -> None:
    """exp(−|z|) is exp(−z) where z is positive, and only there."""
    assert not proof(net(), "e", "ez").proved


def test_what_holds_but_for_a_tie_says_so() -> None:
    made = net()
    made.op("divide", "slope", "z", "abs")  # the sign of z, where it is not 0
    made.op("greater", "up", "z", 0)
    made.op("where", "sign", "up", 1, -1)
    found = proof(made, "slope", "sign")
    assert found.proved
    assert any("equals 0" in u for u in found.used)


def test_an_equation_that_holds_at_ties_too_names_none() -> None:
    made = net()
    made.op("add", "sum", "z", "abs")
    made.op("multiply", "half", Fraction(1, 2), "sum")
    made.op("maximum", "relu", "z", 0)
    found = proof(made, "half", "relu")
    assert found.proved
    assert not any("equals 0" in u for u in found.used)


def centred() -> Network:
    """Σ_i c[i] [z[i] > 0], with c of the sum 0: 0 if all z have one sign, and else not."""
    rng = np.random.default_rng(5)
    made = Network(z=np.array([1.0, -1.0, 2.0]), x=rng.normal(size=3), none=np.zeros(()))
    made.op("mean", "mu", "x")
    made.op("subtract", "c", "x", "mu")
    made.op("greater", "positive", "z", 0)
    made.op("multiply", "kept", "c", "positive")
    made.op("sum", "total", "kept")
    made.op("multiply", "zero", 0, "none")
    return made


def test_a_sum_over_entries_of_several_signs_is_not_taken_for_one_of_one_sign() -> None:
    made = centred()
    assert abs(float(made.values["total"])) > 0.1
    assert not proof(made, "total", "zero").proved


@pytest.mark.parametrize("other", ["rolled", "total"])
def test_two_entries_may_have_two_signs(other: str) -> None:
    """[z[i] > 0] is [z[j] > 0] if all have one sign."""
    made = Network(z=np.array([1.0, -1.0, 2.0]))
    made.op("absolute", "abs", "z")
    made.op("divide", "sign", "z", "abs")
    made.op("getitem", "first", "sign", 0) if other == "total" else made.op("roll", "first", "sign", shift=1)
    made.op("multiply", "left", "sign", "first")
    made.op("multiply", "square", "sign", "sign")
    assert not proof(made, "left", "square").proved
