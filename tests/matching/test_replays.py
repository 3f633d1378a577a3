"""Random replays: what the program relies on is kept, everything else moves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.building.explained import NAMES, analysed_source, analysis
from tracer.matching.analysis import Analysis
from tracer.matching.random_values import like_data
from tracer.tape.node import Kind, Node

PATTERNS = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, K = 12, 3, 4
X = rng.normal(size=(N, D))
labels = rng.integers(0, K, N)
onehot = np.eye(K)[labels]
smooth = (0.9 * onehot + 0.1 / K).astype(np.float32)
shares = np.array([0.2, 0.4, 0.3, 0.1])
signs = np.where(rng.normal(size=N) > 0, 1.0, -1.0)
W = rng.normal(size=(D, K))
v = rng.normal(size=D)
cache = np.zeros((D, K))
momentum = np.zeros(D)
rate = 0.1
for i in range(9):
    S = X.dot(W)
    E = np.exp(S)
    P = E / E.sum(axis=1, keepdims=True)
    margins = signs * X.dot(v)
    hinge = np.maximum(0, 1 - margins)
    loss = -np.sum(onehot * np.log(P)) / N + np.sum(hinge) / N
    loss = loss - np.sum(smooth * np.log(P)) + np.sum(shares * S[0])
    dS = (P - onehot) / N
    dW = X.T.dot(dS)
    dv = X.T.dot(-signs * (margins < 1)) / N
    cache += dW ** 2
    W -= rate * dW / (np.sqrt(cache) + 1e-8)
    momentum = 0.9 * momentum - rate * dv
    v += momentum
"""


@pytest.fixture(scope="module")
def patterns() -> Analysis:
    return analysed_source(PATTERNS)


def leaf(found: Analysis, name: str) -> Node:
    return next(n for n in found.tape.window_nodes() if n.kind is Kind.LEAF and name in n.names)


def test_one_hot_rows_become_other_rows_that_sum_to_one_and_the_assumption_is_said(patterns: Analysis) -> None:
    node = leaf(patterns, "onehot")
    for value in patterns.replays.of(node.id):
        np.testing.assert_allclose(value.sum(axis=1), 1.0)
        assert value.min() > 0
    assert patterns.replays.moves(node.id)
    assert patterns.replays.assumptions[node.id] == "rows sum to 1"


@pytest.mark.parametrize(("name", "kept"), [("smooth", "rows sum to 1"), ("shares", "entries sum to 1")])
def test_shares_of_one_stay_shares(patterns: Analysis, name: str, kept: str) -> None:
    node = leaf(patterns, name)
    for value in patterns.replays.of(node.id):
        np.testing.assert_allclose(value.sum(axis=-1), 1.0)
    assert patterns.replays.moves(node.id)
    assert patterns.replays.assumptions[node.id] == kept


@pytest.mark.parametrize("own", [0.0, 1e-12, 0.5])
def test_chances_of_pairs_stay_symmetric_shares_with_nothing_on_the_diagonal_if_it_was_so(own: float) -> None:
    rng = np.random.default_rng(0)
    pairs = rng.uniform(size=(5, 5))
    pairs = pairs + pairs.T
    np.fill_diagonal(pairs, own)
    pairs /= pairs.sum()
    drawn, kept = like_data(pairs, False, 0, rng)
    np.testing.assert_allclose(drawn, drawn.T)
    np.testing.assert_allclose(drawn.sum(), 1.0)
    assert np.ptp(drawn - pairs) > 0.01
    if own == 0.5:
        assert kept == "entries are symmetric and sum to 1"
        assert np.min(np.diagonal(drawn)) > 0
    else:
        assert kept == "entries are symmetric, sum to 1 and are 0 on the diagonal"
        assert np.max(np.diagonal(drawn)) < 1e-40
        assert np.all((np.diagonal(drawn) > 0) == (own > 0))


def test_a_table_of_chances_stays_one() -> None:
    drawn, kept = like_data(np.full((2, 3), 0.1) + [[0.2, 0.2, 0.0], [0.0, 0.0, 0.0]], False, 0, np.random.default_rng(0))
    assert kept == "entries sum to 1"
    np.testing.assert_allclose(drawn.sum(), 1.0)


def test_labels_of_plus_and_minus_one_stay_such_labels(patterns: Analysis) -> None:
    node = leaf(patterns, "signs")
    assert all(set(np.unique(v)) == {-1.0, 1.0} for v in patterns.replays.of(node.id))
    assert patterns.replays.moves(node.id)


def test_state_that_was_never_negative_stays_positive(patterns: Analysis) -> None:
    node = leaf(patterns, "cache")
    assert all(np.min(v) > 0 for v in patterns.replays.of(node.id))
    assert patterns.replays.moves(node.id)


def test_weights_take_both_signs(patterns: Analysis) -> None:
    for name in ("W", "v"):
        drawn = np.array(patterns.replays.of(leaf(patterns, name).id))
        assert np.min(drawn) < 0 < np.max(drawn)


def test_masks_take_both_values(patterns: Analysis) -> None:
    masks = [n for n in patterns.tape.window_nodes() if n.dtype == "bool" and n.shape]
    assert masks
    for node in masks:
        assert 0 < np.mean([np.mean(v) for v in patterns.replays.of(node.id)]) < 1


@pytest.mark.parametrize("name", NAMES)
def test_integers_keep_their_values(name: str) -> None:
    found = analysis(name)
    integers = [n for n in found.tape.window_nodes() if n.kind is Kind.LEAF and n.dtype.startswith(("int", "uint"))]
    assert all(np.array_equal(v, n.value) for n in integers for v in found.replays.of(n.id))


@pytest.mark.parametrize("name", NAMES)
def test_every_float_array_that_is_read_takes_new_values_on_each_replay(name: str) -> None:
    found = analysis(name)
    leaves = [n for n in found.tape.window_nodes() if n.kind is Kind.LEAF and n.dtype.startswith("float") and n.shape]
    assert leaves
    for node in leaves:
        assert node.id in found.replays.drawn
        values = [np.asarray(v) for v in found.replays.of(node.id)]
        assert not any(np.array_equal(one, other) for one, other in ((values[0], values[1]), (values[1], values[2])))
        assert not np.array_equal(values[0], node.value)


@pytest.mark.parametrize("name", NAMES)
def test_an_updated_parameter_is_fresh_so_that_both_versions_differ(name: str) -> None:
    found = analysis(name)
    assert found.updates
    for update in found.updates.values():
        before, after, change = (found.replays.of(n) for n in (update.before, update.node, update.change))
        assert found.replays.moves(update.node)
        for old, new, by in zip(before, after, change, strict=True):
            assert not np.allclose(new, old + update.sign * np.asarray(by))


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_ones_and_biases_of_zeros_do_not_stay_symmetric(name: str) -> None:
    found = analysis(name)
    for update in found.updates.values():
        if np.size(found.tape.nodes[update.before].value) > 1:
            assert all(np.ptp(v) > 0 for v in found.replays.of(update.before))


SYMMETRIC = """\
import numpy as np
rng = np.random.default_rng(2)
A = rng.normal(size=(4, 6))
S = {matrix}
X = rng.normal(size=(4, 3))
for i in range(4):
    E = X @ X.T - S
    loss = np.sum(E ** 2) / 4
    dX = E @ X
    X -= 0.01 * dX
"""


def test_a_symmetric_matrix_stays_symmetric_so_that_what_rests_on_it_is_right() -> None:
    found = analysed_source(SYMMETRIC.format(matrix="A @ A.T"))
    [leaf] = {n.id for n in found.tape.window_nodes() if n.kind is Kind.LEAF and "S" in n.names[:1]}
    drawn = found.replays.of(leaf)
    assert all(np.array_equal(value, value.T) and np.all(np.linalg.eigvalsh(value) > -1e-9) for value in drawn)
    assert not np.allclose(drawn[0], drawn[1])
    dX = found.tape.find("dX")[-1]
    match = found.matcher.best(dX.id)
    assert match is not None
    assert match.candidate.sort.value == "full gradient"


def test_another_square_matrix_does_not_become_symmetric() -> None:
    found = analysed_source(SYMMETRIC.format(matrix="A[:, :4]"))
    match = found.matcher.best(found.tape.find("dX")[-1].id)
    assert match is None or match.candidate.sort.value != "full gradient"


SINGLE = """\
import numpy as np
rng = np.random.default_rng(3)
X, t = rng.normal(size=(9, 4)).astype(np.float32), rng.normal(size=(9, 2)).astype(np.float32)
W = rng.normal(size=(4, 2)).astype(np.float32)
for i in range(4):
    z = X @ W
    loss = np.mean((np.tanh(z) - t) ** 2)
    slope = (1 - np.tanh(z) ** 2).astype(np.float32)
    dW = X.T @ ((2 * (np.tanh(z) - t) / t.size * slope).astype("float32"))
    W -= np.float32(0.1) * dW
"""


def test_replays_are_of_double_precision_also_where_the_program_rounds() -> None:
    found = analysed_source(SINGLE)
    for name in ("slope", "dW"):
        node = found.tape.find(name)[-1]
        assert all(np.asarray(value).dtype == np.float64 for value in found.replays.of(node.id))
        assert found.matcher.best(node.id) is not None
    assert np.asarray(found.tape.find("dW")[-1].value).dtype == np.float32


WIDE = """\
import numpy as np
rng = np.random.default_rng(0)
{data}
W = rng.normal(size={W}) * 0.05
for i in range(5):
    a = 1 / (1 + np.exp(-({product})))
    loss = -np.log(a + 1e-12).mean()
    dz = (a - 1) / a.size
    W -= 0.1 * {gradient}
"""


@pytest.mark.parametrize(
    ("data", "W", "product", "gradient"),
    [
        ("X = rng.normal(size=(8, 900))", "(900, 4)", "X @ W", "X.T @ dz"),
        ("X = rng.normal(size=(900, 8))", "(4, 900)", "W @ X", "dz @ X.T"),
        ("X = rng.normal(size=(8, 900))", "(4, 900)", "X @ W.T", "dz.T @ X"),
        (
            "X = rng.normal(size=(8, 900))", "(4, 9, 10, 10)", "X @ W.reshape(4, -1).T",
            "(dz.T @ X).reshape(W.shape)",
        ),
    ],
)  # fmt: skip
def test_sums_over_many_inputs_saturate_nothing(data: str, W: str, product: str, gradient: str) -> None:
    found = analysed_source(WIDE.format(data=data, W=W, product=product, gradient=gradient))
    activation = next(n.id for n in found.tape.window_nodes() if "a" in n.names)
    for values in found.matcher.replays.of(activation):
        assert 0.05 < np.mean(np.abs(np.asarray(values) - 0.5)) < 0.4
