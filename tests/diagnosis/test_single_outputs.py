"""Networks with one output that are trained on one sample after the other: a slope too many or too few is one number."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import wrong

PROGRAM = """\
import numpy as np
rng = np.random.default_rng(4)
X, Y = rng.normal(size=(9, 3)), (rng.uniform(size=9) > 0.5).astype(float)
W1, b1, W2, b2 = rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=(4, 1)), np.zeros(1)
rate = 0.2
for epoch in range(3):
    for x, target in zip(X, Y):
        a = np.tanh(x @ W1 + b1)
        out = 1 / (1 + np.exp(-(a @ W2 + b2)[0]))
        loss = LOSS
        d_out = START
        dW2 = np.outer(a, d_out)
        da = d_out * W2[:, 0] * (1 - a ** 2)
        W1 -= rate * np.outer(x, da)
        b1 -= rate * da
        W2 -= rate * dW2
        b2 -= rate * d_out
"""
ENTROPY = "-(target * np.log(out) + (1 - target) * np.log(1 - out))"


def program(loss: str, start: str) -> str:
    return PROGRAM.replace("LOSS", loss).replace("START", start)


@pytest.mark.parametrize(
    ("loss", "start", "mended", "kind"),
    [
        (ENTROPY, "(out - target) * out * (1 - out)", "out - target", "extra derivative"),
        ("0.5 * (out - target) ** 2", "out - target", "(out - target) * out * (1 - out)", "missing derivative"),
    ],
)
def test_a_slope_that_all_gradients_share_is_no_rate(
    loss: str, start: str, mended: str, kind: str
) -> None:
    [(line, part)] = wrong(program(loss, start))
    assert line == 11
    assert part.diagnosis is not None
    assert part.diagnosis.kind == kind
    assert part.diagnosis.fix is not None
    assert not wrong(program(loss, mended))


@pytest.mark.parametrize("loss", ["np.sqrt((out - target) ** 2 + 1e-9)", "np.log(1 + (out - target) ** 2)"])
def test_another_measure_of_the_same_error_has_the_same_way_down(loss: str) -> None:
    assert not wrong(program(loss, "(out - target) * out * (1 - out)"))


def test_a_weight_of_a_sample_is_a_rate() -> None:
    weighted = program(ENTROPY, "out - target").replace("rate *", "rate * (1 + x[0] ** 2) *")
    assert not wrong(weighted)
