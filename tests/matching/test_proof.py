"""What is proved is true, and what is not true is never proved."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from msgspec.structs import replace

from tests.building.explained import NAMES, analysed_source, analysis, judged_source, parts
from tracer.explanation.model import Explanation, Part
from tracer.matching.analysis import Analysis, Verified
from tracer.matching.candidates import Match, Sort
from tracer.matching.proof import Prover
from tracer.matching.scale import NamedScale, Scale


def proved(found: Analysis) -> list[Verified]:
    """The proved full gradients of the program."""
    return [
        v
        for node in sorted(found.matcher.matches)
        if (v := found.verified(node)) is not None
        and v.verdict == "proved"
        and v.match.candidate.sort is Sort.FULL
        and np.size(found.tape.nodes[node].value) > 1
    ]


def offered(found: Analysis, match: Match) -> bool:
    """Whether a prover accepts a match that knows what was proved so far, and has not tried anything in vain."""
    known = {root: dict(adjoints) for root, adjoints in found.prover.known.items()}
    return Prover(found.matcher, known).prove(match).proved


def some(items: list[Verified]) -> list[Verified]:
    return items[:: max(1, len(items) // 8)]


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_sign_or_factor_is_never_proved(name: str) -> None:
    found = analysis(name)
    for verified in some(proved(found)):
        match = verified.match
        assert offered(found, match)
        for factor in (Fraction(-1), Fraction(2), Fraction(1, 3)):
            scale = match.scale.scale
            wrong = Scale(scale.coefficient * factor, scale.symbols)
            assert not offered(found, replace(match, scale=NamedScale(wrong, "wrong", 0)))


@pytest.mark.parametrize("name", NAMES)
def test_a_factor_too_many_is_never_proved(name: str) -> None:
    found = analysis(name)
    for verified in some(proved(found)):
        match = verified.match
        extra = [s for s in found.matcher.scalars(match.node, match.candidate.root) if s.values[0] != 1]
        for scalar in extra[:2]:
            scale = match.scale.scale
            wrong = Scale(scale.coefficient, (*scale.symbols, (scalar.key, 1)))
            assert not offered(found, replace(match, scale=NamedScale(wrong, "wrong", 0)))


@pytest.mark.parametrize("name", NAMES)
def test_a_transposed_gradient_is_never_proved_as_the_plain_one(name: str) -> None:
    found = analysis(name)
    for verified in some(proved(found)):
        value = found.tape.nodes[verified.match.node].value
        if np.ndim(value) == 2 and min(np.shape(value)) > 1:
            candidate = replace(verified.match.candidate, transposed=not verified.match.candidate.transposed)
            assert not offered(found, replace(verified.match, candidate=candidate))


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_by_one_variable_is_never_proved_as_that_by_another(name: str) -> None:
    found = analysis(name)
    gradients = proved(found)
    tried = 0
    for one, other in itertools.permutations(some(gradients), 2):
        first, second = one.match.candidate, other.match.candidate
        values = found.matcher.adjoints[first.root][0].full[first.wrt], found.matcher.adjoints[second.root][0].full[second.wrt]
        if np.shape(values[0]) == np.shape(values[1]) and np.allclose(*values, rtol=1e-6):
            continue  # two names for one gradient
        tried += 1
        assert not offered(found, replace(one.match, candidate=second))
    assert tried


@pytest.mark.parametrize("name", NAMES)
def test_a_proof_has_equal_numbers_and_a_close_finite_difference(name: str) -> None:
    found = analysis(name)
    assert proved(found)
    for verified in proved(found):
        assert verified.match.error < 1e-8
        assert verified.difference is None or verified.difference.error < 1e-4


NET = """\
import numpy as np
rng = np.random.default_rng(3)
N, D, H, K = {sizes}
X = rng.normal(size=(N, D))
T = np.eye(K)[rng.integers(0, K, N)]
W = rng.normal(size=(D, H))
b = np.zeros(H)
V = rng.normal(size=(H, K))
c = np.zeros(K)
lr = 0.1
for i in range(6):
    Z = X.dot(W) + b
    A = np.maximum(Z, 0)
    S = A.dot(V) + c
    E = np.exp(S)
    P = E / E.sum(axis=1, keepdims=True)
    loss = -np.sum(T * np.log(P)) / N
    dS = (P - T) / N
    dV = A.T.dot(dS)
    dc = dS.sum(axis=0)
    dA = dS.dot(V.T)
    dZ = dA * (Z > 0)
    dW = X.T.dot(dZ)
    db = dZ.sum(axis=0)
    W -= lr * dW
    b -= lr * db
    V -= lr * dV
    c -= lr * dc
"""
DIFFERENT, EQUAL = "6, 3, 5, 4", "4, 4, 4, 4"

#: What is planted: the right line, the wrong one, the gradients that it spoils, as (name, by).
WRONG = {
    "no mask": ("dA * (Z > 0)", "dA * 1.0", [("dZ", "Z"), ("dW", "W"), ("db", "b")]),
    "the other mask": ("dA * (Z > 0)", "dA * (Z < 0)", [("dZ", "Z"), ("dW", "W"), ("db", "b")]),
    "a mask of the gradient": ("dA * (Z > 0)", "dA * (dA > 0)", [("dZ", "Z"), ("dW", "W"), ("db", "b")]),
    "pre-activation for activation": ("A.T.dot(dS)", "Z.T.dot(dS)", [("dV", "V")]),
    "a gradient taken too early": ("X.T.dot(dZ)", "X.T.dot(dA)", [("dW", "W")]),
    "a softmax derivative too many": ("(P - T) / N", "(P - T) / N * P * (1 - P)", [("dS", "S"), ("dV", "V"), ("dW", "W")]),
    "one class forgotten": ("(P - T) / N", "(P * (1 - T)) / N", [("dS", "S"), ("dV", "V"), ("dc", "c")]),
}
#: These run only where all sizes are equal, and are wrong all the same.
WRONG_IF_SQUARE = {
    "a transpose forgotten in the middle": ("dS.dot(V.T)", "dS.dot(V)", [("dA", "A"), ("dW", "W")]),
    "a transpose forgotten in front": ("X.T.dot(dZ)", "X.dot(dZ)", [("dW", "W")]),
    "the transposed gradient": ("X.T.dot(dZ)", "dZ.T.dot(X)", [("dW", "W")]),
    "the other axis": ("dZ.sum(axis=0)", "dZ.sum(axis=1)", [("db", "b")]),
}


def wrong_net(sizes: str, right: str, wrong: str) -> Explanation:
    source = NET.format(sizes=sizes)
    assert source.count(right) == 1
    return judged_source(source.replace(right, wrong))


def claims(found: Explanation, target: str, wrt: str) -> list[Part]:
    """The parts that call this variable ∂loss/∂wrt, proved or checked."""
    return [
        p for _, p in parts(found) if p.target == target and p.wrt == wrt and p.verdict in ("proved", "checked") and p.given is None
    ]


@pytest.mark.parametrize("sizes", [DIFFERENT, EQUAL])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_gradient_is_neither_proved_nor_checked(what: str, sizes: str) -> None:
    right, wrong, spoiled = WRONG[what]
    found = wrong_net(sizes, right, wrong)
    assert {(target, wrt): claims(found, target, wrt) for target, wrt in spoiled} == {s: [] for s in spoiled}


@pytest.mark.parametrize("what", WRONG_IF_SQUARE)
def test_equal_sizes_do_not_make_a_wrong_gradient_right(what: str) -> None:
    right, wrong, spoiled = WRONG_IF_SQUARE[what]
    found = wrong_net(EQUAL, right, wrong)
    assert {(target, wrt): claims(found, target, wrt) for target, wrt in spoiled} == {s: [] for s in spoiled}


@pytest.mark.parametrize("sizes", [DIFFERENT, EQUAL])
def test_the_same_net_without_a_mistake_is_proved_throughout(sizes: str) -> None:
    found = judged_source(NET.format(sizes=sizes))
    gradients = {p.target: (p.wrt, p.scale, p.verdict) for _, p in parts(found) if p.role == "gradient" and p.target}
    assert gradients == {
        "dS": ("S", "1", "proved"),
        "dV": ("V", "1", "proved"),
        "dc": ("c", "1", "proved"),
        "dA": ("A", "1", "proved"),
        "dZ": ("Z", "1", "proved"),
        "dW": ("W", "1", "proved"),
        "db": ("b", "1", "proved"),
    }


@pytest.mark.parametrize(
    ("wrong", "scale"), [("(T - P) / N", "-1"), ("P - T", "N"), ("2 * (P - T) / N", "2"), ("0.7 * (P - T) / N", "0.7")]
)
@pytest.mark.parametrize("sizes", [DIFFERENT, EQUAL])
def test_a_factor_is_told_and_not_swallowed(wrong: str, scale: str, sizes: str) -> None:
    source = NET.format(sizes=sizes).replace("(P - T) / N", wrong)
    found = judged_source(source.replace("-= lr", "+= lr") if scale == "-1" else source)
    assert {p.target: p.scale for _, p in parts(found) if p.target in ("dS", "dV", "dW")} == dict.fromkeys(("dS", "dV", "dW"), scale)


def test_steps_that_all_go_up_a_loss_are_one_wrong_sign() -> None:
    found = wrong_net(DIFFERENT, "(P - T) / N", "(T - P) / N")
    kinds = {(p.source, p.diagnosis.kind) for _, p in parts(found) if p.verdict == "wrong" and p.diagnosis}
    assert kinds == {("(T - P) / N", "sign")}


def test_axes_of_equal_size_and_different_provenance_are_never_the_same() -> None:
    graph = analysis("square_sizes").graph
    tape = analysis("square_sizes").tape
    first = {name: next(n for n in tape.window_nodes() if name in n.names) for name in ("X", "W", "Z")}
    axes = {name: [graph.table.find(a) for a in graph.axes(node.id) if a is not None] for name, node in first.items()}
    N, D = axes["X"]
    assert N != D
    assert axes["W"][0] == D
    H = axes["W"][1]
    assert len({N, D, H}) == 3
    assert axes["Z"] == [N, H]
    assert set(np.shape(first["X"].value)) == {4}


def test_a_product_that_mixes_equal_sizes_is_not_proved() -> None:
    """``X.T @ dZ`` and ``X @ dZ`` have one shape when N == D; the axes tell them apart."""
    found = analysed_source(NET.format(sizes=EQUAL).replace("X.T.dot(dZ)", "X.dot(dZ)"))
    node = next(n for n in found.tape.window_nodes() if "dW" in n.names)
    assert found.matcher.best(node.id) is None


COLUMNS = """\
import numpy as np
rng = np.random.default_rng(0)
m, D, H = 7, 3, 5
X = rng.normal(size=(D, m))
Y = rng.integers(0, 2, (1, m)).astype(float)
W1, b1 = rng.normal(size=(H, D)), np.zeros((H, 1))
W2, b2 = rng.normal(size=(1, H)), np.zeros((1, 1))
rate = 0.1
for i in range(5):
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    W1 = W1 - rate * dW1
    b1 = b1 - rate * db1
    W2 = W2 - rate * dW2
    b2 = b2 - rate * db2
"""


def test_examples_in_columns_and_a_count_divided_by_late() -> None:
    """``dZ2`` is m times the gradient; what is computed from it and then divided by m is proved all the same."""
    found = judged_source(COLUMNS)
    assert {p.target: (p.wrt, p.scale, p.verdict) for _, p in parts(found) if p.target in ("dW2", "dW1", "db1")} == {
        "dW2": ("W2", "1", "proved"),
        "dW1": ("W1", "1", "proved"),
        "db1": ("b1", "1", "proved"),
    }
