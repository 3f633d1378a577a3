"""Updates are found by structure, losses by name and by what goes into them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.building.explained import NAMES, analysed_source, analysis
from tracer.matching.analysis import Analysis
from tracer.matching.judging import fits
from tracer.matching.losses.names import loss_name
from tracer.tape.node import Kind

SET_UP = """\
import numpy as np
rng = np.random.default_rng(1)
N, D = 6, 3
X = rng.normal(size=(N, D))
t = rng.normal(size=N)
rate = 0.1
{before}
for i in range(5):
    guess = X.dot({w})
    err = guess - t
    loss = 0.5 * np.sum(err ** 2)
    grad = X.T.dot(err)
{update}
"""

W = "W = rng.normal(size=D)"
CLASS = "class Model: pass\nmodel = Model()\nmodel.W = rng.normal(size=D)"


def analysed(update: str, before: str = W, w: str = "W") -> Analysis:
    lines = "\n".join(f"    {line}" for line in update.split("\n"))
    return analysed_source(SET_UP.format(before=before, w=w, update=lines))


def updated(found: Analysis, window: int = 1) -> list[str]:
    """The names of what is updated in one iteration, in order."""
    nodes = [found.tape.nodes[u] for u in sorted(found.updates)]
    return [n.names[-1] if n.names else "" for n in nodes if n.window == window]


@pytest.mark.parametrize(
    ("update", "before", "w"),
    [
        ("W -= rate * grad", W, "W"),
        ("W -= rate * grad", "W = rng.normal(size=(1, D)).reshape(D)", "W"),
        ("W -= rate * grad", "P = rng.normal(size=(1, D))\nW = P.reshape(D)", "W"),
        ("W = W - rate * grad", "W = rng.normal(size=(1, D)).reshape(D)", "W"),
        ("W += -rate * grad", W, "W"),
        ("W = W - rate * grad", W, "W"),
        ("W = W + -rate * grad", W, "W"),
        ("W = -rate * grad + W", W, "W"),
        ("W[:] = W - rate * grad", W, "W"),
        ("np.subtract(W, rate * grad, out=W)", W, "W"),
        ("step = rate * grad\nW -= step", W, "W"),
        ("W = (W - rate * grad).astype(np.float32)", W, "W"),
        ("W = np.array(W - rate * grad)", W, "W"),
        ("W = np.clip(W - rate * grad, -5, 5)", W, "W"),
        ("W -= rate * grad\nnp.clip(W, -1, 1, out=W)", W, "W"),
        ("W -= rate * grad\nW[W > 1] = 1", W, "W"),
        ("W -= rate * grad\nW /= np.linalg.norm(W)", W, "W"),
        ("np.copyto(W, W - rate * grad)", W, "W"),
        ("W -= rate * grad", f"{W}.astype(np.float32)", "W"),
        ("W = 0.99 * W - rate * grad", W, "W"),
        ("W = W - rate * grad - 0.01 * W", W, "W"),
        ("W = W - 0.01 * W - rate * grad", W, "W"),
        ("W *= 0.99\nW -= rate * grad", W, "W"),
        ("model.W -= rate * grad", CLASS, "model.W"),
        ("model.W = model.W - rate * grad", CLASS, "model.W"),
        ("p['W'] -= rate * grad", "p = {'W': rng.normal(size=D)}", "p['W']"),
        ("p['W'] = p['W'] - rate * grad", "p = {'W': rng.normal(size=D)}", "p['W']"),
        ("weights[0] -= rate * grad", "weights = [rng.normal(size=D)]", "weights[0]"),
    ],
)
def test_an_update_is_found_however_it_is_written(update: str, before: str, w: str) -> None:
    found = analysed(update, before, w)
    assert len([u for u in found.updates if found.tape.nodes[u].window == 1]) == 1
    (node,) = [u for u in found.updates if found.tape.nodes[u].window == 1]
    best = found.matcher.best(found.updates[node].change)
    assert best is not None
    assert best.candidate.wrt == found.updates[node].before
    assert best.scale.text.lstrip("-") == "rate"


def test_a_scalar_parameter_is_updated() -> None:
    assert analysis("line_through_points").updates
    assert updated(analysis("line_through_points")) == ["w", "offset"]


@pytest.mark.parametrize(
    "update",
    [
        "W -= rate * grad\ntotal += loss",
        "W -= rate * grad\ntotal = total + loss",
        "W -= rate * grad\ncount += 1",
        "W -= rate * grad\nrate *= 0.99",
        "mean = 0.9 * mean + 0.1 * grad\nW -= rate * mean",
        "mean = mean + grad - 0.1 * mean\nW -= rate * mean",
    ],
)
def test_a_running_total_a_mean_a_counter_and_a_decay_are_no_updates(update: str) -> None:
    assert updated(analysed(update, f"{W}\ntotal = 0.0\ncount = 0\nmean = np.zeros(D)")) == ["W"]


RESIDUAL = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
W = rng.normal(size=(3, 3))
for i in range(5):
    h = X
    h = h + np.tanh(h @ W)
    loss = 0.5 * np.sum((h - T) ** 2)
    dz = (h - T) * (1 - np.tanh(X @ W) ** 2)
    W -= 0.1 * X.T @ dz
"""


def test_data_under_a_name_of_the_network_are_no_parameter() -> None:
    assert updated(analysed_source(RESIDUAL)) == ["W"]


FLOW = """\
import numpy as np
rng = np.random.default_rng(0)
samples = [(rng.normal(size=3), rng.normal(size=3)) for _ in range(6)]
W, b = rng.normal(size=(3, 3)), np.zeros(3)
for start, target in samples:
    path = [start]
    for k in range(3):
        h = path[-1]
        path.append(h + 0.1 * np.tanh(W @ h + b))
    loss = 0.5 * np.sum((path[-1] - target) ** 2)
    adjoint = path[-1] - target
    dW, db = np.zeros_like(W), np.zeros_like(b)
    for k in (2, 1, 0):
        da = 0.1 * adjoint * (1 - np.tanh(W @ path[k] + b) ** 2)
        dW += np.outer(da, path[k])
        db += da
        adjoint = adjoint + W.T @ da
    W -= 0.1 * dW
    b = b - 0.1 * db
"""


def test_a_state_that_ends_with_its_sample_is_no_parameter() -> None:
    assert updated(analysed_source(FLOW)) == ["W", "b"]


def test_parameters_that_two_losses_read_are_updated_by_both() -> None:
    twice = RESIDUAL.replace("    h = X\n", "    W -= 0.1 * X.T @ (X @ W)\n    h = X\n")
    assert updated(analysed_source(twice)) == ["W", "W"]


DECAYED_BIAS = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
params = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
mean = {k: np.zeros_like(v) for k, v in params.items()}
for i in range(5):
    d = X @ params["W"] + params["b"] - T
    loss = 0.5 * np.sum(d * d)
    grads = {"W": X.T @ d, "b": d.sum(0)}
    for k in params:
        mean[k] += 0.1 * (grads[k] - mean[k])
        params[k] *= 1 - 0.01
        params[k] -= 0.1 * mean[k]
"""


def test_a_bias_that_decays_before_its_step_is_updated_as_its_weights_are() -> None:
    found = analysed_source(DECAYED_BIAS)
    assert [n for n in updated(found) if "params" in n] == ["params['W']", "params['b']"]


def test_a_forward_value_that_adds_something_is_no_update() -> None:
    found = analysed("shifted = W + 1.0\nother = X + 2 * X\nW -= rate * grad")
    assert updated(found) == ["W"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("spiral_python2", ["W", "b", "W2", "b2"]),
        ("sigmoid_ones", ["W2", "W1", "b2", "b1"]),
        ("ascent_with_stale_weights", ["W", "d", "V", "c"]),
        ("square_sizes", ["V", "W"]),
        ("relu_mean_squares", ["first.w", "first.b", "second.w", "second.b"]),
    ],
)
def test_the_updates_of_a_program_in_order(name: str, wanted: list[str]) -> None:
    assert updated(analysis(name), len(analysis(name).tape.windows) - 1) == wanted


def roots(found: Analysis) -> set[str | None]:
    return {loss_name(found.tape, found.tape.nodes[r.node]) for r in found.matcher.roots if r.named}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("spiral_python2", {"data_loss", "reg_loss", "loss"}),
        ("two_loops_korean", {"data_loss", "reg_loss", "loss"}),
        ("sigmoid_ones", {"cost"}),
        ("ascent_with_stale_weights", {"L"}),
        ("square_sizes", {"loss"}),
        ("relu_mean_squares", {"mse"}),
        ("line_through_points", {"cost"}),
    ],
)
def test_the_losses_of_a_program(name: str, wanted: set[str]) -> None:
    assert roots(analysis(name)) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_no_loss_is_computed_from_backward_values(name: str) -> None:
    found = analysis(name)
    for root in found.matcher.roots:
        behind = found.matcher.all_ancestors(root.node)
        assert not any(u.change in behind for u in found.updates.values())


def test_a_scalar_bias_gradient_is_not_taken_for_a_loss() -> None:
    """``db = dz.sum()`` is a scalar; taken for a loss it would prove itself."""
    found = analysed_source(
        """\
import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(7, 3))
t = rng.normal(size=7)
w = rng.normal(size=3)
b = 0.3
rate = 0.1
for i in range(4):
    z = X @ w + b
    value = 0.5 * np.sum((z - t) ** 2)
    dz = z - t
    dw = X.T @ dz
    db = dz.sum()
    w -= rate * dw
    b -= rate * db
"""
    )
    names = {tuple(found.tape.nodes[r.node].names) for r in found.matcher.roots}
    assert ("value",) in names
    assert ("db",) not in names


def test_without_a_name_that_says_loss_the_scalar_that_parameters_lead_to_is_the_root() -> None:
    source = SET_UP.format(before=W, w="W", update="    W -= rate * grad").replace("loss =", "q =")
    found = analysed_source(source)
    assert {tuple(found.tape.nodes[r.node].names) for r in found.matcher.roots} == {("q",)}


NUMBERS = """\
w, b, rate = [0.3, -0.2], 0.1, 0.5
for x, wanted in [([0, 1], 1), ([1, 1], 0), ([1, 0], 1)]:
    s = b
    for j in range(2):
        s += w[j] * x[j]
    loss = 0.5 * (s - wanted) ** 2
    grads = [(s - wanted) * x[j] for j in range(2)]
    b = b - rate * (s - wanted)
    for j in range(2):
        {update}
"""


@pytest.mark.parametrize(
    "update", ["w[j] -= rate * grads[j]", "w[j] = w[j] - rate * grads[j]", "w[j] += -rate * grads[j]"]
)
def test_numbers_in_a_list_are_updated_one_by_one_and_a_sum_that_begins_with_one_is_no_update(
    update: str,
) -> None:
    found = analysed_source(NUMBERS.format(update=update))
    assert updated(found) == ["b", "w[0]", "w[1]"]


def test_a_number_that_is_kept_in_a_list_is_looked_up_and_data_of_0_and_1_do_not_stand_for_each_other() -> None:
    found = analysed_source(NUMBERS.format(update="w[j] -= rate * grads[j]"))
    tape = found.tape
    kept = [n for n in tape.window_nodes() if n.site and n.site.text == "(s - wanted) * x[j]" and n.op == "multiply"]
    best = [found.matcher.best(n.id) for n in kept]
    assert [(m.candidate.sort.value, m.scale.text) for m in best if m] == [("full gradient", "1")] * len(kept)
    assert {tape.nodes[m.candidate.wrt].names[0] for m in best if m} >= {"w[j]"}


RATINGS = """\
import numpy as np
rng = np.random.default_rng(4)
P, Q, b = rng.normal(size=(5, 3)), rng.normal(size=(6, 3)), rng.normal(size=6)
rate, reg = 0.05, 0.1
for u, i, j in [(0, 1, 2), (3, 4, 5), (1, 0, 3)]:
    x = P[u] @ (Q[i] - Q[j]) + b[i] - b[j]
    loss = np.log1p(np.exp(-x)) + 0.5 * reg * (np.sum(P[u] ** 2) + b[i] ** 2 + b[j] ** 2)
    p, e = P[u].copy(), 1 / (1 + np.exp(x))
    dp = -e * (Q[i] - Q[j]) + reg * p
    db_i, db_j = -e + reg * b[i], e + reg * b[j]
    P[u] -= rate * dp
    Q[i] -= -rate * e * p
    Q[j] -= rate * e * p
    b[i] -= rate * db_i
    b[j] -= rate * db_j
"""


def test_entries_that_change_one_after_the_other_are_each_judged_by_what_the_loss_read() -> None:
    found = analysed_source(RATINGS)
    matcher = found.matcher
    for update in found.updates.values():
        assert any(fits(match, update) for match in matcher.matches.get(update.change, ())), update


def test_a_value_that_is_read_twice_has_one_gradient() -> None:
    found = analysed_source(RATINGS)
    tape = found.tape
    reads = [n.id for n in tape.window_nodes() if n.op == "getitem" and n.site and n.site.text == "P[u]" and n.window == 1]
    forward = [n for n in reads if n in found.matcher.forward]
    root = next(r.node for r in found.matcher.roots if tape.nodes[r.node].names == ["loss"] and r.node > forward[0])
    full = found.matcher.adjoints[root][0].full
    assert len(forward) > 1
    assert all(np.array_equal(full[n], full[forward[0]]) for n in forward)


def test_what_is_called_an_error_and_goes_into_the_steps_is_no_loss_where_there_is_one() -> None:
    source = NUMBERS.format(update="w[j] -= rate * grads[j]").replace(
        "    grads = [(s - wanted) * x[j]", "    error = 1.5 * (s - wanted) / 1.5\n    grads = [error * x[j]"
    )
    found = analysed_source(source.replace("loss = ", "sum_error = "))
    named = {name for r in found.matcher.roots if r.named for name in found.tape.nodes[r.node].names}
    assert named == {"sum_error"}


COST_AND_GRADIENTS = """\
import numpy as np
rng = np.random.default_rng(0)
x = rng.uniform(size=20)
y = 2 * x + 1 + 0.1 * rng.normal(size=20)
def cost_and_gradients(w, b):
    e = w * x + b - y
    return {returned}
w = b = 0.0
for t in range(9):
    {bound} = cost_and_gradients(w, b)
    w, b = w - 0.1 * dw, b - 0.1 * db
"""


@pytest.mark.parametrize(
    ("returned", "bound"),
    [
        ("np.mean(e ** 2), 2 * np.mean(e * x), 2 * np.mean(e)", "c, dw, db"),
        ("2 * np.mean(e * x), 2 * np.mean(e), np.mean(e ** 2)", "dw, db, c"),
    ],
    ids=["the gradient of a number last", "the cost last"],
)
def test_the_gradient_of_a_number_that_a_function_called_cost_returns_is_no_loss(returned: str, bound: str) -> None:
    found = analysed_source(COST_AND_GRADIENTS.format(returned=returned, bound=bound))
    names = {tuple(found.tape.nodes[r.node].names) for r in found.matcher.roots}
    assert names == {("c",)}
    assert updated(found) == ["w", "b"]


ENTRIES = """\
import numpy as np
rng = np.random.default_rng(0)
X, y, theta = rng.normal(size=(20, 3)), rng.normal(size=20), np.zeros(3)
for step in range(5):
    rest = X.dot(theta) - y
    cost = np.sum(rest ** 2) / 2
    new = np.zeros(3)
    for j in range(3):
        new[j] = theta[j] - 0.1 * np.sum(rest * X[:, j])
    {after}
"""


@pytest.mark.parametrize(
    ("source", "count"),
    [
        (ENTRIES.format(after="theta = new"), 3),
        (ENTRIES.format(after="theta = new").replace("theta[j]", "theta[2 - j]"), 0),
        (ENTRIES.format(after="other = new"), 0),
    ],
    ids=["entries put together", "other entries", "not the next version"],
)
def test_a_parameter_may_be_put_together_entry_by_entry_in_another_array(source: str, count: int) -> None:
    assert len(updated(analysed_source(source))) == count


TWO_TERMS = """\
import numpy as np
rng = np.random.default_rng(0)
X, W = rng.normal(size=(6, 3)), rng.normal(size=(3, 2))
for step in range(3):
    code = X @ W
    rec = np.mean((code @ W.T - X) ** 2)
    kl = 0.5 * np.mean(code ** 2)
    print("elbo", {told})
    W -= 0.1 * X.T @ code / 6
"""


@pytest.mark.parametrize(("told", "sums"), [("-rec - 0.5 * kl", 1), ("rec * kl", 0), ("-rec, kl", 0)])
def test_what_adds_up_several_losses_is_a_loss(told: str, sums: int) -> None:
    found = analysed_source(TWO_TERMS.format(told=told))
    own = [found.tape.nodes[r.node] for r in found.matcher.roots if r.named and found.tape.nodes[r.node].window == 1]
    assert [n.names for n in own if n.names] == [["rec"], ["kl"]]
    assert sum(not n.names for n in own) == sums


def test_what_a_function_gives_that_is_called_a_loss_once_is_one_wherever_it_is_called() -> None:
    source = """\
import numpy as np
rng = np.random.default_rng(0)
X, y, seen, known, w = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=(4, 3)), rng.normal(size=4), np.zeros(3)
def value(w, X, y):
    return np.mean((X @ w - y) ** 2)
for step in range(3):
    w = w - 0.1 * X.T @ (X @ w - y) / 3
    loss = value(w, seen, known)
    print(value(w, X, y), loss)
"""
    found = analysed_source(source)
    [update] = [u for n, u in found.updates.items() if found.tape.nodes[n].window == 1]
    assert fits(found.matcher.best(update.change), update)


@pytest.mark.parametrize("told", ["np.linalg.norm(g)", "np.abs(g).max()", "np.mean((X @ w - y) ** 2)"])
def test_the_size_of_a_step_is_no_loss(told: str) -> None:
    source = f"""\
import numpy as np
rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(6, 3)), rng.normal(size=6), np.zeros(3)
for step in range(3):
    g = X.T @ (X @ w - y) / 6
    print({told})
    w = w - 0.1 * g
"""
    found = analysed_source(source)
    assert (found.inferred is None) == ("mean" in told)
    assert not any(found.tape.nodes[r.node].op in ("linalg.norm", "norm", "max") for r in found.matcher.roots)


PARAMETERS_IN_A_DICT = """\
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
def gradients(p):
    err = X @ p["w"] + p["b"] - y
    return {"w": X.T @ err, "b": err.sum(keepdims=True)}
params = {"w": np.zeros(3), "b": np.zeros(1)}
for step in range(4):
    g = gradients(params)
    params = {k: params[k] - 0.1 * g[k] for k in NAMES}
    best = {k: v.copy() for k, v in params.items()}
    loss = 0.5 * np.sum((X @ params["w"] + params["b"] - y) ** 2)
"""


@pytest.mark.parametrize(("names", "count"), [("params", 2), ("['w']", 1)])
def test_keys_may_be_written_with_either_quotes_and_a_copy_that_is_kept_aside_is_no_parameter(names: str, count: int) -> None:
    text = PARAMETERS_IN_A_DICT.replace("NAMES", names)
    text = text if count == 2 else text.replace('p["b"]', "0").replace(' + params["b"]', "")
    found = analysed_source(text)
    steps = [found.tape.nodes[u] for u in found.updates if found.tape.nodes[u].window == 1]
    assert [n.op for n in steps] == ["subtract"] * count
    assert all(fits(found.matcher.best(found.updates[n.id].change), found.updates[n.id]) for n in steps)


@pytest.mark.parametrize("made", ["rng.normal(size=12).reshape(3, 4)", "rng.normal(size=(4, 3)).T", "np.ravel(rng.normal(size=(1, 9)))"])
@pytest.mark.parametrize("name", ["W", "model.W"])
def test_a_parameter_that_was_made_in_another_layout_is_updated_in_place(made: str, name: str) -> None:
    before = f"class Model: pass\nmodel = Model()\n{name} = {made}\nkept = {name}.shape"
    source = f"""\
import numpy as np
rng = np.random.default_rng(1)
{before}
goal = rng.normal(size=kept)
for i in range(5):
    err = np.tanh({name}) - goal
    loss = 0.5 * np.sum(err ** 2)
    {name} -= 0.1 * err * (1 - np.tanh({name}) ** 2)
"""
    found = analysed_source(source)
    assert updated(found) == [name]
    [update] = [u for u in found.updates.values() if found.tape.nodes[u.node].window == 1]
    assert any(fits(m, update) for m in found.matcher.matches.get(update.change, ()))


def test_what_is_also_read_as_a_part_of_a_vector_stays_one() -> None:
    found = analysed_source("""\
import numpy as np
rng = np.random.default_rng(1)
theta = rng.normal(size=6)
V = theta.reshape(2, 3)
X, y = rng.normal(size=(9, 2)), rng.normal(size=(9, 3))
for i in range(5):
    err = X @ V - y
    loss = 0.5 * np.sum(err ** 2) + 0.5 * np.sum(theta ** 2)
    V -= 0.1 * (X.T @ err + V)
""")
    assert not [n for n in found.tape.window_nodes() if n.kind is Kind.LEAF and n.names == ["V"]]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("output_errors", False), ("dLoss_dout", False), ("d_loss_d_out", False), ("d_loss", True), ("total_errors", True)],
)
def test_the_error_of_a_single_output_is_no_loss(name: str, is_one: bool) -> None:
    computed = "np.sum(0.5 * (out - y) ** 2)" if is_one else "out - y"
    found = analysed_source(f"""\
import numpy as np
rng = np.random.default_rng(1)
W = rng.normal(size=(1, 3))
for i in range(5):
    x, y = rng.normal(size=(3, 1)), rng.normal(size=(1, 1))
    out = np.tanh(W @ x)
    {name} = {computed}
    W -= 0.1 * ((out - y) * (1 - out ** 2)) @ x.T
""")
    named = [n.names[-1] for r in found.matcher.roots if (n := found.tape.nodes[r.node]).names]
    assert (name in named) is is_one
