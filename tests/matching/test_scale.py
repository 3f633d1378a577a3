"""The factor between a line and a gradient, named by what the program calls it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.building.explained import judged_source, parts
from tracer.matching.scale import Scalar, name_scale

RATE = Scalar("v1", "rate", (0.31, 0.44, 0.62), False)
REG = Scalar("v2", "reg", (0.37, 0.52, 0.41), False)
N = Scalar("v3", "N", (5.0, 5.0, 5.0), True)


def named(*measured: float, scalars: tuple[Scalar, ...] = (RATE, REG, N)) -> str | None:
    found = name_scale(measured, scalars)
    return None if found is None else found.text


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_one_and_minus_one_need_no_name(factor: float) -> None:
    assert named(*[factor] * 3) == str(int(factor))


def test_a_hyper_parameter_is_called_by_its_name() -> None:
    assert named(*RATE.values) == "rate"
    assert named(*(-v for v in RATE.values)) == "-rate"
    assert named(*(2 * v for v in REG.values)) == "2 * reg"


def test_a_reciprocal_and_a_quotient_of_two() -> None:
    assert named(*(1 / v for v in N.values)) == "1 / N"
    assert named(*(r / n for r, n in zip(RATE.values, N.values, strict=True))) == "rate / N"
    assert named(*(-r * g for r, g in zip(RATE.values, REG.values, strict=True))) == "-rate * reg"


def test_a_number_is_a_number_when_no_variable_has_it_on_every_replay() -> None:
    assert named(7.0, 7.0, 7.0) == "7"
    assert named(0.7, 0.7, 0.7) == "0.7"


def test_what_changes_and_has_no_name_is_no_scale() -> None:
    assert named(0.1, 0.2, 0.3) is None
    assert named(*(v**3 for v in RATE.values)) is None


def test_a_value_of_one_replay_only_names_nothing() -> None:
    assert named(RATE.values[0], 0.9, 0.9) is None


def test_one_is_one_even_if_a_variable_is_one() -> None:
    assert named(1.0, 1.0, 1.0, scalars=(Scalar("v4", "batch", (1.0, 1.0, 1.0), True),)) == "1"


SCALED = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, V = {sizes}
X = rng.normal(size=(N, D))
t = rng.normal(size=N)
w = rng.normal(size=D)
other = np.zeros(V)
for i in range(4):
    r = X.dot(w) - t
    loss = 0.5 * np.sum(r ** 2) / N
    other = other + np.arange(V)
    dr = {factor} * r / N
    dw = X.T.dot(dr)
    w -= 0.1 * dw
"""


def scale_of(name: str, factor: str, sizes: str) -> str:
    found = judged_source(SCALED.format(factor=factor, sizes=sizes))
    return next(p.scale for _, p in parts(found) if p.target == name)


def test_an_integer_names_a_factor_only_if_it_takes_part_in_the_computation() -> None:
    """V is 5 and has nothing to do with the loss, so a 5 is a 5."""
    assert scale_of("dr", "5", "7, 3, 5") == "5"


def test_a_factor_that_happens_to_be_half_of_a_count_is_a_number() -> None:
    assert scale_of("dr", "2", "4, 3, 5") == "2"


def test_measured_factors_may_have_rounding_errors() -> None:
    assert named(*(v * (1 + 1e-12) for v in RATE.values)) == "rate"
    assert named(*(v * (1 + 1e-4) for v in RATE.values)) is None
    assert np.isclose(RATE.values[0], 0.31)


@pytest.mark.parametrize("rate", ["1e-9", "3e-12", "1e-7", "0.1", "2.5e-8"])
def test_a_step_may_be_very_small(rate: str) -> None:
    scale = name_scale([float(rate)] * 3, [], frozenset({float(rate)}))
    assert scale is not None
    assert float(scale.scale.coefficient) == pytest.approx(float(rate), rel=1e-12)
    found = judged_source(f"""
import numpy as np
rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(20, 3)), rng.normal(size=20), rng.normal(size=3)
for i in range(3):
    e = X @ w - y
    loss = np.sum(e ** 2)
    w -= {rate} * (2 * X.T @ e)
""")
    assert any(p.role == "gradient" and p.verdict == "proved" for _, p in parts(found))


def test_a_rate_times_two_over_a_count_is_called_by_both_names() -> None:
    assert named(*(2 * r / n for r, n in zip(RATE.values, N.values, strict=True))) == "2 * rate / N"
    assert named(*(3 * r / n for r, n in zip(RATE.values, N.values, strict=True))) is None
