"""A cost that is computed when a loop has ended is recorded with the last iteration of it, if that is no long way."""

from __future__ import annotations

import pytest

from tests.recording.test_windows import iterations
from tracer.program import parse
from tracer.recording import record_source

EPOCHS = """\
import numpy as np
rng = np.random.default_rng(1)
X, y, w = rng.normal(size=(12, 3)), rng.normal(size=12), rng.normal(size=3)
for epoch in range(4):
    for k in range(0, 12, 4):
        step = X[k:k + 4].T @ (X[k:k + 4] @ w - y[k:k + 4])
        w = w - 0.01 * step
    if epoch % 2 == 0:
        cost = np.mean((X @ w - y) ** 2)
        print(cost)
"""


def test_the_last_batch_of_an_epoch_is_recorded_with_the_cost_that_comes_after_it() -> None:
    found = record_source(parse(EPOCHS, "epochs.py"))
    assert [window.iteration for window in found.tape.windows] == [1, 2]
    [cost] = found.tape.find("cost")
    assert cost.window == 1
    assert any("Iteration 2 is explained, the last one before the cost" in n.what for n in found.notices)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        w = w", "        loss = np.sum(step)\n        w = w"),  # the iterations compute one themselves
        ("        cost =", "        sum_of_all ="),  # nothing says that it is a loss
    ],
)
def test_otherwise_the_window_is_as_ever(old: str, new: str) -> None:
    source = EPOCHS.replace(old, new).replace("        print(cost)\n", "")
    found = record_source(parse(source, "epochs.py"))
    assert [window.iteration for window in found.tape.windows] == [0, 1]


AFTER_ALL = EPOCHS.replace("    if epoch % 2 == 0:\n        cost =", "cost =").replace("        print(cost)\n", "")
FITTED = """\
import numpy as np
rng = np.random.default_rng(1)
X, y = rng.normal(size=(12, 3)), rng.normal(size=12)
class Model:
    def __init__(self): self.w = rng.normal(size=3)
    def fit(self):
        for step in range(30):
            grad = X.T @ (X @ self.w - y)
            self.w = self.w - 0.01 * grad
def loss(w): return np.mean((X @ w - y) ** 2)
model = Model()
model.fit()
print('done')
print(loss(model.w))
"""


@pytest.mark.parametrize(
    ("source", "iterations_recorded", "value"),
    [(AFTER_ALL, [10, 11], "cost"), (FITTED, [28, 29], "loss")],
    ids=["in the program", "in a method that is called before"],
)
def test_the_last_iteration_is_recorded_with_the_cost_that_comes_after_the_training(
    source: str, iterations_recorded: list[int], value: str
) -> None:
    found = record_source(parse(source, "after.py"))
    assert iterations(found) == iterations_recorded
    last = [n for n in found.tape.nodes if n.window == 1 and (value in n.names or n.op == "mean")]
    assert last
    assert any("the last one before the cost is computed" in n.what for n in found.notices)


@pytest.mark.parametrize(
    "source",
    [
        AFTER_ALL.replace("cost = np", "def cost(): return np"),  # no more than a definition
        AFTER_ALL.replace("range(4):", "range(4000):"),  # too far to look for
        FITTED.replace("model.fit()\n", "").replace("Model()\n", "Model(); model.fit()\n").replace("loss", "score"),
    ],
    ids=["a definition", "a long training", "no loss"],
)
def test_where_no_cost_is_found_after_the_training_the_window_is_as_ever(source: str) -> None:
    assert iterations(record_source(parse(source, "after.py"))) == [0, 1]


def test_an_iteration_that_was_asked_for_is_recorded_alone() -> None:
    found = record_source(parse(EPOCHS, "epochs.py"), iteration=1)
    assert [window.iteration for window in found.tape.windows] == [0, 1]
    assert not found.tape.find("cost")


ONE_BY_ONE = """\
import numpy as np
rng = np.random.default_rng(1)
X, y, w = rng.normal(size=(800, 3)), rng.normal(size=800), rng.normal(size=3)
for epoch in range(4):
    for k in range(0, 12, 4):
        step = X[k:k + 4].T @ (X[k:k + 4] @ w - y[k:k + 4])
        w = w - 0.01 * step
    cost = sum((x @ w - t) ** 2 for x, t in zip(X[:{samples}], y))
    print(cost)
"""


def test_a_cost_of_very_many_operations_is_left_out_and_the_last_iteration_still_explained() -> None:
    near = record_source(parse(ONE_BY_ONE.format(samples=20), "near.py"))
    far = record_source(parse(ONE_BY_ONE.format(samples=800), "far.py"))
    assert iterations(near) == iterations(far) == [1, 2]
    assert near.tape.find("cost")
    assert not far.tape.find("cost")
    left_out = [n.what for n in far.notices if "is not explained" in n.what]
    assert len(left_out) == 1
    for found in (near, far):
        assert any("Iteration 2 is explained, the last one before the cost" in n.what for n in found.notices)
        assert not any("that computes the cost" in n.what for n in found.notices)
    assert not any("is not explained" in n.what for n in near.notices)


TWO_TRAININGS = """\
import numpy as np
rng = np.random.default_rng(1)
X, y = rng.normal(size=(12, 3)), rng.normal(size=12)
w, v = rng.normal(size=3), rng.normal(size=3)
for k in range(6):
    w = w - 0.01 * X.T @ (X @ w - y)
for k in range(6):
    rest = X @ v - y
    cost = 0.5 * np.sum(rest ** 2)
    v = v - 0.01 * X.T @ rest
"""


def test_the_cost_of_another_training_loop_is_not_waited_for() -> None:
    found = record_source(parse(TWO_TRAININGS, "two.py"))
    assert iterations(found) == [0, 1, 0, 1]
    assert not found.notices


PRINTED = """\
import numpy as np
X, y, w = np.ones((4, 2)), np.arange(4.0), np.zeros(2)
for step in range(12):
    miss = X @ w - y
    if step % 5 == 0:
        print({what})
    w = w - 0.1 * X.T @ miss
"""


@pytest.mark.parametrize(
    ("what", "first"),
    [
        ('"loss", np.mean(miss ** 2)', 5),
        ('f"step {step} huber {np.abs(miss).mean():.3f}"', 5),
        ('"%d elbo %.3f" % (step, -(miss ** 2).sum())', 5),
        ('"largest", np.mean(miss ** 2)', 1),
        ('"loss", step', 1),
    ],
)
def test_a_line_that_prints_a_loss_computes_the_cost(what: str, first: int) -> None:
    found = record_source(parse(PRINTED.format(what=what), "printed.py"))
    assert [window.iteration for window in found.tape.windows][-1] == first


def test_a_generator_of_batches_does_not_end_the_window_when_it_ends() -> None:
    source = EPOCHS.replace("for k in range(0, 12, 4):", "for k in starts(12):").replace(
        "for epoch", "def starts(n):\n    for k in range(0, n, 4):\n        yield k\nfor epoch"
    )
    found = record_source(parse(source, "epochs.py"))
    [cost] = found.tape.find("cost")
    assert cost.window == 1


def test_an_array_with_the_name_of_a_cost_is_none() -> None:
    source = EPOCHS.replace("(X[k:k + 4] @ w - y", "(predicted(k) - y").replace(
        "for epoch", "def predicted(k):\n    j = X[k:k + 4] @ w\n    return j\nfor epoch"
    )
    assert [window.iteration for window in record_source(parse(source, "epochs.py")).tape.windows] == [1, 2]
