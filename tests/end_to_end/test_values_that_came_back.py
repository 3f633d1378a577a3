"""Values that went through text, JSON, pickle or bytes: what the loss depends on through them is not judged."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tracer.api import Explanation

#: The gradient of w is right if ``m`` depends on ``h``, and wrong if it is a constant.
PROGRAM = """\
import json, pickle, struct
import numpy as np
np.random.seed(0)
X = np.random.randn(20, 3)
y = X @ np.array([1.0, -2.0, 0.5]) + 0.3
w = np.random.randn(3)
b = 0.1
for i in range(5):
    h = np.tanh(X @ w)
    m = MEAN
    pred = h - m + b
    err = pred - y
    loss = np.mean(err ** 2)
    derr = 2 * err / len(y)
    dh = derr - derr.mean()
    dw = X.T @ (dh * (1 - h ** 2))
    db = derr.sum()
    w = w - 0.05 * dw
    b = b - 0.05 * db
"""
WAYS = {
    "text": "float(str(h.mean()))",
    "representation": "eval(repr(float(h.mean())))",
    "format": 'float("%.6f" % h.mean())',
    "json": "json.loads(json.dumps(float(h.mean())))",
    "bytes": "struct.unpack('d', struct.pack('d', h.mean()))[0]",
    "pickle": "pickle.loads(pickle.dumps(h.mean()))",
    "list as text": "sum(map(float, str(h.tolist())[1:-1].split(','))) / len(h)",
    "cut": "float(str(h.mean())[:4])",
}


def verdicts(found: Explanation, target: str) -> set[str | None]:
    return {p.verdict for _, p in parts(found) if p.target == target and p.whole}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_called_wrong_or_proved_behind_such_a_value(way: str) -> None:
    found = judged_source(PROGRAM.replace("MEAN", WAYS[way]))
    assert not [p.source for _, p in parts(found) if p.verdict == "wrong"]
    assert verdicts(found, "dw") == {"unexplained"}
    assert verdicts(found, "dh") == {"unexplained"}
    assert any(note.line == 10 for note in found.notices)


@pytest.mark.parametrize("way", ["text", "json", "bytes", "pickle"])
def test_what_does_not_go_through_it_is_still_proved(way: str) -> None:
    found = judged_source(PROGRAM.replace("MEAN", WAYS[way]))
    assert verdicts(found, "db") == {"proved"}
    assert any("no gradient by what it was computed from is judged" in note.what for note in found.notices)


def test_a_value_that_is_followed_is_judged() -> None:
    assert verdicts(judged_source(PROGRAM.replace("MEAN", "h.mean()")), "dw") == {"proved"}
    constant = judged_source(PROGRAM.replace("MEAN", "0.25"))
    assert verdicts(constant, "dh") == {"wrong"}


#: The loss is followed, and a slope of the backward pass is not.
SLOPE = """\
import json
import numpy as np
np.random.seed(0)
X, T, W = np.random.randn(6, 3), np.random.randn(6, 2), np.random.randn(3, 2)
def through_text(a):
    return np.array(json.loads(json.dumps(a.tolist())))
for k in range(4):
    A = np.tanh(X @ W)
    e = A - T
    loss = 0.5 * np.sum(e ** 2)
    slope = SLOPE
    dZ = e * slope
    W = W - 0.1 * X.T @ dZ
"""


@pytest.mark.parametrize("slope", ["through_text(1 - A ** 2)", "through_text(1 - A)"])
def test_a_gradient_computed_from_such_a_value_is_not_called_wrong(slope: str) -> None:
    found = judged_source(SLOPE.replace("SLOPE", slope))
    assert verdicts(found, "dZ") == {"unexplained"}
    assert not [p.source for _, p in parts(found) if p.verdict == "wrong"]
    assert any("could not be followed" in note.what for note in found.notices)


@pytest.mark.parametrize(("slope", "verdict"), [("1 - A ** 2", "proved"), ("1 - A", "wrong")])
def test_the_same_gradient_is_judged_where_all_of_it_is_followed(slope: str, verdict: str) -> None:
    assert verdicts(judged_source(SLOPE.replace("SLOPE", slope)), "dZ") == {verdict}
