"""Values that went through text, JSON, pickle or bytes: what the loss depends on through them is not judged."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source, parts
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
    found = explained_source(PROGRAM.replace("MEAN", WAYS[way]))
    assert not [p.source for _, p in parts(found) if p.verdict == "wrong"]
    assert verdicts(found, "dw") == {"unexplained"}
    assert verdicts(found, "dh") == {"unexplained"}
    assert any(note.line == 10 for note in found.notices)


@pytest.mark.parametrize("way", ["text", "json", "bytes", "pickle"])
def test_what_does_not_go_through_it_is_still_proved(way: str) -> None:
    found = explained_source(PROGRAM.replace("MEAN", WAYS[way]))
    assert verdicts(found, "db") == {"proved"}
    assert any("no gradient by what it was computed from is judged" in note.what for note in found.notices)


def test_a_value_that_is_followed_is_judged() -> None:
    assert verdicts(explained_source(PROGRAM.replace("MEAN", "h.mean()")), "dw") == {"proved"}
    constant = explained_source(PROGRAM.replace("MEAN", "0.25"))
    assert verdicts(constant, "dh") == {"wrong"}
