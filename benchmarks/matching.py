"""What finding gradients costs: how it grows with the nodes of a tape, and how long the two-layer example takes.

``python -m benchmarks.matching`` prints each number with its limit and exits with 1 if one is passed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.recording import Figure, record, seconds
from tracer.matching.analysing import analyse, identified
from tracer.program import load
from tracer.recording import record_source
from tracer.tape.tape import Tape

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "two_layer_net.py"
DEEP = """\
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
W = [0.5 * rng.normal(size=(3, 3)) for _ in range({layers})]
for step in range(2):
    h = [X]
    for w in W:
        h.append(np.tanh(h[-1] @ w))
    loss = 0.5 * np.sum((h[-1] - Y) ** 2)
    d = h[-1] - Y
    gradients = []
    for k in reversed(range(len(W))):
        d = d * (1 - h[k + 1] ** 2)
        gradients.insert(0, h[k].T @ d)
        d = d @ W[k].T
    for w, g in zip(W, gradients):
        w -= 0.01 * g
"""
UNROLLED = """\
import numpy as np
rng = np.random.default_rng(1)
W, U, x = 0.4 * rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=({layers}, 3))
goal = rng.normal(size=3)
for step in range(2):
    hs = {{-1: np.zeros(3)}}
    for t in range({layers}):
        hs[t] = np.tanh(W @ hs[t - 1] + U @ x[t])
    loss = 0.5 * np.sum((hs[{layers} - 1] - goal) ** 2)
    dW, dU, dh = np.zeros_like(W), np.zeros_like(U), hs[{layers} - 1] - goal
    for t in reversed(range({layers})):
        dz = dh * (1 - hs[t] ** 2)
        dW += np.outer(dz, hs[t - 1])
        dU += np.outer(dz, x[t])
        dh = W.T @ dz
    W -= 0.01 * dW
    U -= 0.01 * dU
"""


def tape_of(source: str, nodes: int) -> Tape:
    """A tape of about so many nodes."""
    short, long = (len(record(source.format(layers=n)).tape) for n in (10, 20))
    each = (long - short) / 10
    found: Tape = record(source.format(layers=round((nodes - short) / each) + 10)).tape
    return found


def growth(source: str) -> float:
    """How many times longer matching takes for ten times the nodes, each counted as it is."""
    small, large = tape_of(source, 1_000), tape_of(source, 10_000)
    more = len(large) / len(small) / 10
    return seconds(lambda: identified(large), 2) / seconds(lambda: identified(small), 3) / more


def example() -> float:
    """Seconds for matching and proofs of the two-layer example; the first run loads and caches rules."""
    tape = record_source(load(EXAMPLE)).tape
    analyse(tape)
    return seconds(lambda: analyse(tape))


def main() -> int:
    figures = [
        Figure("matching 10,000 nodes of a deep net against 1,000", growth(DEEP), 12.0, "times"),
        Figure("matching 10,000 nodes of a recurrent net against 1,000", growth(UNROLLED), 12.0, "times"),
        Figure("matching and proofs of the two-layer example", example(), 0.3, "s"),
    ]
    for figure in figures:
        print(figure)
    return 0 if all(f.kept for f in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
