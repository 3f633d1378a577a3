"""Which loops are training loops, in the ways in which people write them."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tracer.program import parse, training_loops
from tracer.program.carried import Carried
from tracer.program.handed_over import functions_by_name
from tracer.program.loops import seldom_updates
from tracer.program.numerical_checks import checks_numerically

PLAIN = """\
for i in range(10):
    h = np.tanh(X.dot(W))
    d = h - y
    dW = X.T.dot(d)
    W -= 0.1 * dW
"""
TIME_STEPS = """\
def loss(inputs, hprev):
    hs = {-1: hprev}
    for t in range(4):
        hs[t] = np.tanh(np.dot(Wxh, inputs[t]) + np.dot(Whh, hs[t-1]))
    dWhh = np.zeros_like(Whh)
    dnext = np.zeros_like(hs[0])
    for t in reversed(range(4)):
        dh = np.dot(Why.T, hs[t]) + dnext
        dWhh += np.dot(dh, hs[t-1].T)
        dnext = np.dot(Whh.T, dh)
    return dWhh, hs[3]
while True:
    dWhh, hprev = loss(inputs, hprev)
    for param, dparam in zip([Whh], [dWhh]):
        param += -0.1 * dparam
"""
BATCHES = """\
for epoch in range(5):
    total = 0
    order = np.random.permutation(n)
    for start in range(0, n, 10):
        x = X[order[start:start + 10]]
        d = x.dot(W) - 1
        total += np.sum(d * d)
        W -= 0.1 * x.T.dot(d)
    print(epoch, total)
"""
BATCHES_IN_A_FUNCTION = """\
def one_epoch(W):
    for k in range(10):
        d = np.exp(X[k].dot(W)) - y[k]
        W -= 0.1 * X[k].T.dot(d)
for epoch in range(5):
    one_epoch(W)
"""
RETURNED_PARAMETERS = """\
def forward(X, params):
    return np.tanh(np.dot(params['W'], X))
def update(params, grads, rate):
    W = params['W']
    W = W - rate * grads['W']
    return {'W': W}
def train(X, params):
    for i in range(100):
        A = forward(X, params)
        grads = {'W': np.dot(A, X.T)}
        params = update(params, grads, 0.1)
    return params
"""
METHODS = """\
class Net:
    def forward(self, X):
        self.h = np.tanh(X @ self.W)
        return self.h
    def step(self, X):
        self.W -= 0.1 * X.T @ self.h
net = Net()
for epoch in range(3):
    net.forward(X)
    net.step(X)
"""
INLINE_TIME = """\
for epoch in range(9):
    h = [h0]
    for t in range(3):
        h.append(np.tanh(np.dot(U, h[-1]) + np.dot(V, x[t])))
    dU = 0
    for t in range(3):
        dU += np.dot(h[t], h[t - 1].T)
    U -= 0.1 * dU
"""
LISTS = """\
for x, y in batches:
    grads = backprop(np.exp(np.dot(ws[0], x)), y)
    ws = [w - 0.1 * g for w, g in zip(ws, grads)]
"""
SAMPLES_IN_A_FUNCTION = """\
class Net:
    def step(self, batch, rate):
        sums = [np.zeros(w.shape) for w in self.ws]
        for x, y in batch:
            grads = [np.dot(np.exp(w.dot(x)) - y, x.T) for w in self.ws]
            sums = [s + g for s, g in zip(sums, grads)]
        self.ws = [w - rate * s for w, s in zip(self.ws, sums)]
    def fit(self, batches):
        for epoch in range(3):
            for batch in batches:
                self.step(batch, 0.1)
"""
PARTS = """\
class Net:
    def step(self, grads):
        for name in self.names:
            w = getattr(self, name)
            w -= 0.1 * grads[name]
for epoch in range(3):
    h = np.tanh(X.dot(net.W)) @ net.V
    net.step({'W': X.T.dot(h)})
"""
OPTIMISER = """\
def adam(p, g, memory):
    memory = 0.9 * memory + 0.1 * np.square(g)
    p -= 0.1 * np.sqrt(np.square(g)) / np.sqrt(memory + np.exp(-9))
for t in range(9):
    p = 1 / (1 + np.exp(-X.dot(W)))
    gW = X.T.dot(p - y)
    for parameter, gradient in [(W, gW)]:
        adam(parameter, gradient, 0)
"""
RATINGS = """\
def epoch():
    for u, i, r in ratings:
        e = r - P[u].dot(Q[i])
        P[u] += 0.1 * e * Q[i]
        Q[i] += 0.1 * e * P[u]
for step in range(5):
    epoch()
    print(np.sqrt(np.mean((R - P.dot(Q.T)) ** 2)))
"""
LAYERS = """\
for epoch in range(5):
    d = X.dot(W[0]) - y
    for k in reversed(range(2)):
        g = A[k].T.dot(d)
        W[k] -= 0.1 * g
        b[k] -= 0.1 * np.sum(d)
    W[0] += 0.01 * np.exp(-d.sum())
"""
LINE = """\
for step in range(5):
    e = a * x + c - y
    mse = (e ** 2).sum() / len(x)
    da, dc = 2 / len(x) * (e * x).sum(), 2 / len(x) * e.sum()
    a -= 0.1 * da
    c -= 0.1 * dc
"""
ONE_STATEMENT = """\
for i in range(10):
    w = w - 0.1 * X.T.dot(X.dot(w) - y)
"""
NONE = """\
for i in range(3):
    print(np.dot(A, B))
for i in range(3):
    total += i
for k in params:
    params[k] -= 0.1 * np.dot(grads[k], np.exp(scale))
"""


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (PLAIN, [1]),
        (PLAIN + PLAIN, [1, 6]),
        (PLAIN.replace("for i in range(10)", "while not cost < 0.1"), [1]),
        (PLAIN.replace("W -= 0.1 * dW", "W = W - 0.1 * dW"), [1]),
        (TIME_STEPS, [12]),
        (BATCHES, [4]),
        (BATCHES_IN_A_FUNCTION, [2]),
        (RETURNED_PARAMETERS, [8]),
        (METHODS, [8]),
        (INLINE_TIME, [1]),
        (LISTS, [1]),
        (LISTS.replace("[w - 0.1 * g for w, g in zip(ws, grads)]", "{k: ws[k] - grads[k] for k in ws}"), [1]),
        (SAMPLES_IN_A_FUNCTION, [10]),
        (PARTS, [6]),
        (PARTS.replace("getattr(self, name)", "grads[name] * 2"), []),
        (OPTIMISER, [4]),
        (RATINGS, [2]),
        (LAYERS, [1]),
        (LINE, [1]),
        (ONE_STATEMENT, [1]),
        (ONE_STATEMENT.replace("w = w - 0.1", "w -= 0.1"), [1]),
        (ONE_STATEMENT.replace("X.dot(w)", "X.dot(v)"), []),
        (NONE, []),
    ],
)
def test_training_loops_are_found_by_what_they_do(source: str, lines: list[int]) -> None:
    assert [loop.line for loop in training_loops(parse(source))] == lines


def test_a_loop_knows_its_lines_in_the_file_as_written() -> None:
    (loop,) = training_loops(parse("# 한국어\nprint 'a'\n" + PLAIN))
    assert (loop.line, loop.end_line) == (3, 7)


CENTRED = """
it = np.nditer(x, flags=['multi_index'], op_flags=['readwrite'])
while not it.finished:
    ix = it.multi_index
    old = x[ix]
    x[ix] = old + h
    up = f(x)
    x[ix] = old - h
    down = f(x)
    x[ix] = old
    grad[ix] = (up - down) / (2 * h)
    it.iternext()
"""
PERTURBED = """
for p in range(n):
    perturb[p] = e
    loss1 = J(theta - perturb)
    loss2 = J(theta + perturb)
    numgrad[p] = (loss2 - loss1) / (2 * e)
    perturb[p] = 0
"""
COPIED = """
for i in range(n):
    plus = np.copy(theta)
    plus[i][0] = plus[i][0] + eps
    J_plus[i], _ = forward(X, Y, plus)
    minus = np.copy(theta)
    minus[i][0] = minus[i][0] - eps
    J_minus[i], _ = forward(X, Y, minus)
    approx[i] = (J_plus[i] - J_minus[i]) / (2 * eps)
"""
ONE_SIDED = "for i in range(n):\n    W[i] += h\n    g[i] = (cost(W) - cost(V)) / h\n    W[i] -= h\n"
SUMMED = "for i in range(n):\n    x[i] += h\n    p = f(x).copy()\n    x[i] -= 2 * h\n    m = f(x).copy()\n    g[i] = np.sum((p - m) * df) / (2 * h)\n"
TRAINING = "for i in range(n):\n    out = f(X)\n    d = (out - y) / n\n    W[0] -= X.T.dot(d)\n"
MEANS = "for i in range(n):\n    a[i] = (np.mean(x) - np.max(y)) / s\n"


@pytest.mark.parametrize("source", [CENTRED, PERTURBED, COPIED, ONE_SIDED, SUMMED])
def test_a_loop_of_difference_quotients_checks_a_gradient(source: str) -> None:
    loop = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.For, ast.While)))
    assert checks_numerically(loop)


@pytest.mark.parametrize(
    "source", [TRAINING, MEANS, f"for epoch in range(9):\n    W[0] = 1\n{textwrap.indent(CENTRED, '    ')}"]
)
def test_a_loop_that_trains_or_holds_such_a_loop_does_not(source: str) -> None:
    assert not checks_numerically(ast.parse(source).body[0])


def test_a_loop_over_layers_that_update_themselves_is_no_training_loop() -> None:
    source = """
import numpy as np
class Dense:
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, g, lr):
        dW, db = self.x.T @ g, g.sum(axis=0)
        g = g @ self.W.T
        self.W -= lr * dW
        self.b[:] -= lr * db
        return g
for epoch in range(10):
    out = X
    for layer in layers:
        out = layer.forward(out)
    grad = 2 * (out - y) / len(X)
    for layer in reversed(layers):
        grad = layer.backward(grad, 0.1)
"""
    assert [loop.line for loop in training_loops(parse(source, "p.py"))] == [13]
    # The one object whose method updates it, called for every batch, is no layer.
    batches = source[: source.index("for epoch")] + "for xb, yb in batches:\n    net.backward(net.forward(xb) - yb, 0.1)\n"
    assert [loop.line for loop in training_loops(parse(batches, "p.py"))] == [13]


@pytest.mark.parametrize(
    "update",
    [
        "setattr(self, k, getattr(self, k) - 0.1 * g)",
        "self.__dict__[k] -= 0.1 * g",
    ],
)
def test_parameters_that_are_set_by_name_are_updates(update: str) -> None:
    source = f"""
class Net:
    def forward(self, X):
        return X.dot(self.W1)
    def backward(self, d):
        for k, g in self.gradients(d).items():
            {update}
net = Net()
for epoch in range(15):
    loss = 0.5 * np.sum((net.forward(X) - y) ** 2)
    net.backward(net.forward(X) - y)
"""
    assert [loop.line for loop in training_loops(parse(source, "p.py"))] == [9]
    copied = source.replace(update, "setattr(self, 'old' + k, getattr(self, k))")
    assert training_loops(parse(copied, "p.py")) == ()


def test_numbers_that_go_backward_by_themselves_are_trained() -> None:
    source = """
class Value:
    def backward(self):
        self.grad = 1.0 * self.data
    def __add__(self, other):
        return Value(self.data + other.data)
for k in range(5):
    loss = sum(forward(x) for x in xs)
    loss.backward()
    for p in parameters:
        p.data += -0.05 * p.grad
"""
    assert [loop.line for loop in training_loops(parse(source, "p.py"))] == [7]
    assert training_loops(parse(source.replace("    loss.backward()\n", ""), "p.py")) == ()


@pytest.mark.parametrize(
    ("update", "trains"),
    [
        ("params = [p - 0.1 * g for p, g in zip(params, grads)]", True),
        ("params = [(W - 0.1 * dW, b - 0.1 * db) for (W, b), (dW, db) in zip(params, grads)]", True),
        ("params = {k: params[k] - 0.1 * grads[k] for k in params}", True),
        ("params = tuple(p - 0.1 * g for p, g in zip(params, grads))", True),
        ("params = list(map(lambda p, g: p - 0.1 * g, params, grads))", True),
        ("params = params._replace(W=params.W - 0.1 * grads.W)", True),
        ("for k in grads: params[k] = replace(params[k], W=params[k].W - 0.1 * grads[k])", True),
        ("others = [p - 0.1 * g for p, g in zip(params, grads)]", False),
        ("params = [np.copy(p) for p in params]", False),
    ],
)
def test_parameters_that_are_made_anew_all_at_once_are_updates(update: str, trains: bool) -> None:
    source = f"for it in range(15):\n    out = forward(X @ params[0] @ params[1])\n    grads = back(out, X.T @ out)\n    {update}\n"
    assert [loop.line for loop in training_loops(parse(source, "p.py"))] == [1] * trains


@pytest.mark.parametrize(
    ("body", "trains"),
    [
        ("return p - rate * g", True),
        ("return {k: v - rate * g['d' + k] for k, v in p.items()}", True),
        ("return {'W': p['W'] - rate * g['W'], 'b': p['b'] - rate * g['b']}", True),
        ("W, b = p; return W - rate * g[0], b - rate * g[1]", True),
        ("return Parameters(p.W - rate * g.W, p.b - rate * g.b)", True),
        ("return p._replace(W=p.W - rate * g.W)", True),
        ("return tree_map(lambda a, b: a - rate * b, p, g)", True),
        ("new = [a - rate * b for a, b in zip(p, g)]; return new", True),
        ("return p - p.mean()", False),
        ("return g - rate * p", False),
        ("return [a for a in p]", False),
    ],
)
def test_parameters_that_a_function_hands_back_changed_are_updates(body: str, trains: bool) -> None:
    source = (
        f"def update(p, g, rate):\n    {body}\n"
        "for it in range(15):\n    out = forward(X @ params[0] @ params[1])\n    grads = back(out, X.T @ out)\n"
        "    params = update(params, grads, 0.1)\n"
    )
    assert [loop.line for loop in training_loops(parse(source, "p.py"))] == [3] * trains


def test_a_sum_over_examples_that_is_not_read_again_is_no_update() -> None:
    source = """
for i in range(3):
    scores = x[i].dot(W)
    for j in range(3):
        if scores[j] > scores[y[i]]:
            dW[:, j] += x[i]
            dW[:, y[i]] -= x[i]
out = dW * 2
"""
    assert training_loops(parse(source, "p.py")) == ()
    rated = source.replace("x[i].dot(W)", "x[i].dot(dW)")
    assert [loop.line for loop in training_loops(parse(rated, "p.py"))] == [2]


SUMMED = """\
for i in range(10):
    d = np.tanh(X.dot(W)) - y
    total = 0
    total += d.sum()
    G += X.T.dot(d)
    if i % 4 == 0:
        W -= 0.1 * G
        G = np.zeros_like(W)
"""


def lines_of_seldom_updates(source: str) -> list[int]:
    program = parse(source, "program.py")
    (loop,) = training_loops(program)
    return [statement.lineno for statement in seldom_updates(loop, program)]


def test_an_update_that_is_made_only_every_so_often_is_found() -> None:
    assert lines_of_seldom_updates(SUMMED) == [6]


@pytest.mark.parametrize(
    "source",
    [
        PLAIN,
        PLAIN + "    if i % 4 == 0:\n        best = best + 0.1 * d\n",
        PLAIN + "    h = V.dot(h)\n    if i % 4 == 0:\n        V = V - 0.1 * (V - W)\n",
    ],
    ids=["every time", "what the loop does not read", "another array beside"],
)
def test_what_is_updated_every_time_is_not_waited_for(source: str) -> None:
    assert lines_of_seldom_updates(source) == []


ENTRIES = """
for step in range(9):
    for i in range(len(R)):
        for j in range(len(R[i])):
            e = R[i][j] - np.dot(P[i, :], Q[:, j])
            for k in range(K):
{update}
    loss = 0
    for i in range(len(R)):
        for j in range(len(R[i])):
            loss = loss + (R[i][j] - np.dot(P[i, :], Q[:, j])) ** 2
            for k in range(K):
                loss = loss + beta / 2 * (P[i][k] ** 2 + Q[k][j] ** 2)
"""


@pytest.mark.parametrize(
    "update",
    [
        "P[i][k] += rate * e * Q[k][j]",
        "P[i][k] = P[i][k] + rate * e * Q[k][j]\nQ[k][j] = Q[k][j] + rate * e * P[i][k]",
        "p = P[i][k]\nP[i][k] = p + rate * e * Q[k][j]\nQ[k][j] += rate * e * p",
        "p, q = P[i][k], Q[k][j]\nP[i][k] = p + rate * e * q\nQ[k][j] = q + rate * e * p",
        "row = P[i]\nrow[k] += rate * e * Q[k][j]",
    ],
)
def test_the_loop_that_updates_entries_trains_and_the_one_that_adds_up_the_loss_does_not(update: str) -> None:
    source = ENTRIES.format(update=textwrap.indent(update, " " * 16))
    assert [loop.line for loop in training_loops(parse(source, "p.py"))] == [4]


def test_a_name_that_holds_another_entry_is_no_old_version() -> None:
    update = "p, q = P[i][0], Q[0][j]\nP[i][k] = p + rate * e * q\nQ[k][j] = q + rate * e * p"
    source = ENTRIES.format(update=textwrap.indent(update, " " * 16))
    assert 4 not in [loop.line for loop in training_loops(parse(source, "p.py"))]


KEEPS_STATISTICS = """\
class Norm:
    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
        return (x - self.mean) @ self.W
    def backward(self, x, d):
        self.dW = x.T @ d
    def step(self):
        self.W = self.W - 0.1 * self.dW
net = Norm()
for epoch in range(5):
    for batch in np.array_split(order, 4):
        out = net.forward(X[batch])
        net.backward(X[batch], out - Y[batch])
        net.step()
    print(np.mean(net.forward(X) - Y))
"""

HANDED_OVER = """\
def cost_and_slope(w, X, y):
    miss = X @ w - y
    return np.sum(miss ** 2), X.T @ miss
def descend(f, w):
    for step in range(30):
        J, grad = f(w)
        w = w - 0.1 * grad
    return w
w = descend({given}, w)
"""

COUNTS_IN_ITSELF = """\
class Model:
    def fit(self, X, y):
        for self.round in range(9):
            miss = X @ self.w - y
            self.w = self.w - 0.1 * X.T @ miss
"""


def test_a_loop_over_batches_trains_though_the_one_around_it_runs_the_network_too() -> None:
    assert [loop.line for loop in training_loops(parse(KEEPS_STATISTICS))] == [11]
    other = KEEPS_STATISTICS.replace("        net.step()\n", "").replace("    print", "    net.step()\n    print")
    assert [loop.line for loop in training_loops(parse(other))] == [10]


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ("lambda w: cost_and_slope(w, X, y)", [5]),
        ("functools.partial(cost_and_slope, X=X, y=y)", [5]),
        ("lambda w: (0, w)", []),
    ],
)
def test_a_function_that_is_handed_over_does_the_work_of_the_loop_that_calls_it(given: str, lines: list[int]) -> None:
    assert [loop.line for loop in training_loops(parse(HANDED_OVER.format(given=given)))] == lines


def test_an_object_that_counts_the_iterations_is_no_item_that_the_loop_walks() -> None:
    assert [loop.line for loop in training_loops(parse(COUNTS_IN_ITSELF))] == [3]


def test_layers_that_are_functions_leave_the_training_to_the_loop_around() -> None:
    source = textwrap.dedent("""\
        def dense(n):
            W, cache = np.ones((n, n)), {}
            def forward(x):
                cache["x"] = x
                return x @ W
            def backward(g, rate):
                nonlocal W
                dx, dW = g @ W.T, cache["x"].T @ g
                W = W - rate * dW
                return dx
            return forward, backward
        layers = [dense(3), dense(3)]
        for epoch in range(9):
            out = X
            for forward, _ in layers:
                out = forward(out)
            err = out - T
            for _, backward in layers[::-1]:
                err = backward(err, 0.1)
        """)
    assert [loop.line for loop in training_loops(parse(source))] == [13]


def test_parameters_among_the_variables_of_a_module_are_updated_by_name() -> None:
    source = textwrap.dedent("""\
        def update():
            for name in "VW":
                globals()[name] = globals()[name] - 0.1 * globals()["g" + name]
        for k in range(9):
            loss, gV, gW = forward_and_backward(np.dot(X, V), np.tanh(X @ W))
            update()
        """)
    assert [loop.line for loop in training_loops(parse(source))] == [4]


ONE_VECTOR = """\
W = theta[:n * h].reshape(h, n)
b = theta[n * h:]
for i in range(20):
    a = np.tanh(W @ X + b)
    d = a - Y
    grad = np.concatenate([(d @ X.T).ravel(), d.sum(1)])
    STEP
"""


@pytest.mark.parametrize(
    ("step", "trains"),
    [("theta -= 0.1 * grad", True), ("theta[:] = theta - 0.1 * grad", True), ("theta = theta - 0.1 * grad", False)],
)
def test_parameters_may_be_views_of_one_vector_that_is_changed_in_place(step: str, trains: bool) -> None:
    assert [loop.line for loop in training_loops(parse(ONE_VECTOR.replace("STEP", step)))] == [3] * trains


WRITTEN_OUT = """\
for it in range(6):
    L = 0.
    for i in range(3):
        c = 0.
        for k in range(4):
            c += A[i][k] * w[k]
        e[i] = c - B[i]
    STATE
    for k in range(4):
        for i in range(3):
            dw[k] += e[i] * A[i][k]
    w = w - 0.05 * dw
"""


def test_products_that_are_written_out_forward_and_backward_train_where_one_name_is_a_gradient() -> None:
    [outer] = [loop.line for loop in training_loops(parse(WRITTEN_OUT.replace("STATE", "dw = np.zeros(4)")))]
    assert outer == 1
    other = WRITTEN_OUT.replace("STATE", "v = np.zeros(4)").replace("dw", "v")
    assert training_loops(parse(other)) == ()


CALLED_OBJECTS = """\
import numpy as np
class Net:
    def __init__(self, n, act):
        self.W, self.act = np.zeros((n, 2)), act
    def __call__(self, x):
        return self.act(x @ self.W)
class Agent:
    def __init__(self):
        self.net = Net(3, np.tanh)
    def learn(self, x, y):
        out = self.net(x)
        self.net.W -= 0.1 * x.T @ ((out - y) * (1 - out ** 2))
agent, memory = Agent(), []
for step in range(50):
    memory.append((np.ones(3), 1.0))
    if len(memory) > 9:
        agent.learn(np.array([m[0] for m in memory]), np.array([[m[1]] for m in memory]))
"""


def test_an_object_that_is_called_runs_its_class_s_method() -> None:
    program = parse(CALLED_OBJECTS)
    [loop] = training_loops(program)
    assert [found.lineno for found in seldom_updates(loop, program)] == [16]
    other = parse(CALLED_OBJECTS.replace("__call__", "predict"))
    assert [found.lineno for loop in training_loops(other) for found in seldom_updates(loop, other)] == []


HANDED_ON = """\
import numpy as np
def score(x, w):
    return np.exp(x @ w)
class Fit:
    def __init__(self, measure):
        self.measure = measure
    def step(self, X, w):
        return w - 0.1 * X.T @ self.measure(X, w)
fit = Fit(score)
for k in range(5):
    w = fit.step(X, w)
"""


def test_a_function_is_known_by_the_attribute_that_a_constructor_keeps_it_in() -> None:
    tree = parse(HANDED_ON).tree
    found = functions_by_name(list(ast.walk(tree)))
    assert [f.name for f in found["measure"]] == ["score"]
    assert "w" not in found


SAMPLES = """\
for epoch in range(25):
    total = 0.
    for u, i, r in ratings:
        guess = m
        for f in range(k):
            guess += P[u][f] * Q[i][f]
        e = r - guess
        total += e * e
        for f in range(k):
            old = P[u][f]
            P[u][f] += 0.1 * e * Q[i][f]
            Q[i][f] += 0.1 * e * old
    EPOCH
    print(math.sqrt(total / len(ratings)), sum(map(abs, m)))
"""


@pytest.mark.parametrize(("epoch", "line"), [("pass", 3), ("Q = Q - 0.1 * np.sum(Q)", 1), ("seen = P @ Q.T + Q @ P.T", 1)])
def test_the_loop_over_samples_trains_that_leaves_no_update_and_no_product_to_the_epoch(epoch: str, line: int) -> None:
    assert [loop.line for loop in training_loops(parse(SAMPLES.replace("EPOCH", epoch)))] == [line]


STATES = """\
for it in range(9):
    e = X @ w - y
    gw, gb = X.T @ e, np.sum(e)
    for name, p, g in (("w", w, gw), ("b", b, gb)):
        m, h = state[name]
        m[:] = 0.9 * m + 0.1 * g
        h[:] = 0.99 * h + 0.01 * g * g
        p -= 0.1 * m / np.sqrt(h)
"""


def test_a_loop_over_parameters_with_their_states_leaves_training_to_the_one_around_it() -> None:
    assert [loop.line for loop in training_loops(parse(STATES))] == [1]
    tree = parse(STATES).tree
    [inner] = [n for n in ast.walk(tree) if isinstance(n, ast.For) and n.lineno == 4]
    assert Carried([tree]).walks_its_updates(inner)


PROPERTY = """\
class Model:
    @property
    def params(self):
        return {"w": self._w}
    @params.setter
    def params(self, new):
        self._w = new["w"]
    def fit(self, X, y):
        for k in range(9):
            r = X @ self._w - y
            g = {"w": X.T @ r}
            self.params = {n: v - 0.1 * g[n] for n, v in self.params.items()}
"""


@pytest.mark.parametrize(("kept", "lines"), [("self._w = ", [9]), ("self._seen = ", [])])
def test_a_property_is_set_in_the_attributes_in_which_it_keeps_what_it_is_given(kept: str, lines: list[int]) -> None:
    assert [loop.line for loop in training_loops(parse(PROPERTY.replace("self._w = ", kept)))] == lines


LAYERS = """
class Dense:
    def backward(self, grad):
        self.dW = self.x.T @ grad
        return grad @ self.W.T
class Block:
    def backward(self, grad):
        return grad + self.inner.backward(np.tanh(grad))
class Network:
    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = {call}
        for layer in self.layers:
            layer.W -= 0.1 * layer.dW
        return grad
for epoch in range(50):
    out = net.forward(X)
    net.backward(2 * (out - y) / len(X))
"""


@pytest.mark.parametrize(("call", "lines"), [("layer.backward(grad)", [16]), ("self.backward(layer @ grad)", [11])])
def test_the_method_around_a_loop_is_not_what_is_called_of_its_layers(call: str, lines: list[int]) -> None:
    assert [loop.line for loop in training_loops(parse(LAYERS.format(call=call), "p.py"))] == lines


@pytest.mark.parametrize(
    ("last", "lines"), [("return grad", [7]), ("break", [7]), ("grad = 0", [2]), ("if grad.any(): return grad", [2])]
)
def test_a_loop_that_ends_in_its_first_iteration_does_not_train(last: str, lines: list[int]) -> None:
    source = f"""def step(x, errors):
    for k, error in enumerate(errors):
        grad = np.outer(error, np.tanh(x))
        net.W -= 0.1 * grad @ net.W
        {last}

for x, y in data:
    loss = 0.5 * np.sum((net.W @ x - y) ** 2)
    grad = step(x, net.W @ x - y)
"""
    assert [loop.line for loop in training_loops(parse(source, "p.py"))] == lines
