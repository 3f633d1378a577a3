"""What is equal is proved for whole networks; what differs never is."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from network import Network, classifier

from tracer.calculus import Lemma, add, backward, constant, entry, prove_equal, scale, sum_over
from tracer.calculus.algebra import of_factor
from tracer.calculus.terms import Index, Size, Term

HAND = {"scores": "dscores", "W2": "dW2", "b2": "db2", "h": "dh", "z": "dz", "W": "dW", "b": "db"}


@pytest.mark.parametrize("shifted", [False, True], ids=["plain", "shifted"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_every_line_of_a_backward_pass_is_proved(activation: str, shifted: bool) -> None:
    net = classifier(shifted, activation)
    definitions = net.definitions()
    adjoints = backward(definitions, "loss", axes=net.axes())
    for array, hand in HAND.items():
        free, derived = adjoints[array]
        proof = prove_equal(derived, entry(hand, *free), definitions)
        assert proof.proved, array
        assert proof.difference == ()


@pytest.mark.parametrize("change", ["twice", "negative", "with an extra term", "over N"])
def test_a_changed_gradient_is_not_proved(change: str) -> None:
    net = classifier()
    definitions = net.definitions()
    adjoints = backward(definitions, "loss", axes=net.axes())
    for array, hand in HAND.items():
        free, derived = adjoints[array]
        wrong = {
            "twice": scale(entry(hand, *free), 2),
            "negative": scale(entry(hand, *free), -1),
            "with an extra term": add(entry(hand, *free), entry(array, *free)),
            "over N": scale(entry(hand, *free), Fraction(1, 5)),
        }[change]
        assert not prove_equal(derived, wrong, definitions).proved


def test_gradients_of_one_array_are_not_proved_for_another() -> None:
    net = classifier()
    definitions = net.definitions()
    adjoints = backward(definitions, "loss", axes=net.axes())
    free, derived = adjoints["z"]
    assert not prove_equal(derived, entry("dh", *free), definitions).proved


def test_a_step_is_proved_from_adjoints_that_are_known_already() -> None:
    net = classifier()
    definitions = net.definitions()
    given = {"scores": ("dscores", constant(1))}
    free, derived = backward(definitions, "loss", axes=net.axes(), given=given)["h"]
    proof = prove_equal(derived, entry("dh", *free), definitions, keep={"dscores"})
    assert proof.proved
    assert "probs" not in proof.used


def _least_squares() -> Network:
    rng = np.random.default_rng(0)
    net = Network(z=rng.normal(size=(4, 3)), Y=rng.normal(size=(4, 3)), m=4.0)
    for suffix in ("", "2"):
        net.op("negative", f"n{suffix}", "z")
        net.op("exp", f"e{suffix}", f"n{suffix}")
        net.op("add", f"d{suffix}", 1, f"e{suffix}")
        net.op("divide", f"a{suffix}", 1, f"d{suffix}")
    net.op("subtract", "r", "a", "Y")
    net.op("square", "rr", "r")
    net.op("sum", "total", "rr")
    net.op("multiply", "mm", 2, "m")
    net.op("divide", "cost", "total", "mm")
    net.op("divide", "dout", "r", "m")
    net.op("subtract", "one_minus", 1, "a2")
    net.op("multiply", "slope", "one_minus", "a2")
    net.op("multiply", "dz", "dout", "slope")
    return net


def test_a_sigmoid_that_is_computed_again_is_recognised() -> None:
    net = _least_squares()
    free, derived = net.gradient("cost", "z")
    assert np.abs(net.difference("cost", "z", "dz")).max() < 1e-12
    assert prove_equal(derived, entry("dz", *free), net.definitions()).proved


def test_a_forgotten_slope_is_not_proved() -> None:
    net = _least_squares()
    free, derived = net.gradient("cost", "z")
    assert not prove_equal(derived, entry("dout", *free), net.definitions()).proved


def test_indicator_targets_need_the_lemma_that_their_rows_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    net = Network(A=rng.normal(size=(4, 3)), T=np.eye(3)[[0, 2, 1, 1]])
    net.op("exp", "e", "A")
    net.op("sum", "s", "e", axis=1, keepdims=True)
    net.op("divide", "Y", "e", "s")
    net.op("log", "logY", "Y")
    net.op("multiply", "tot", "T", "logY")
    net.op("sum", "cost", "tot")
    net.op("subtract", "delta", "T", "Y")
    free, derived = net.gradient("cost", "A")
    definitions = net.definitions()
    i, k = (Index(n, a) for n, a in zip("ik", net.axes()["T"], strict=True) if a is not None)
    rows = Lemma(Term(Fraction(1), (k,), entry("T", i, k)[0].factors), constant(1), "rows of T sum to 1")
    assert not prove_equal(derived, entry("delta", *free), definitions).proved
    proof = prove_equal(derived, entry("delta", *free), definitions, lemmas=[rows])
    assert proof.proved
    assert "rows of T sum to 1" in proof.used


def _log_softmax() -> Network:
    rng = np.random.default_rng(0)
    net = Network(x=rng.normal(size=(4, 3)), y=np.array([2, 0, 1, 1]), rows=np.arange(4), N=4.0)
    net.op("max", "top", "x", axis=1, keepdims=True)
    net.op("subtract", "low", "x", "top")
    net.op("exp", "e", "low")
    net.op("sum", "Z", "e", axis=1, keepdims=True)
    net.op("log", "logZ", "Z")
    net.op("subtract", "logp", "low", "logZ")
    net.op("exp", "p", "logp")
    net.op("getitem", "picked", "logp", ("rows", "y"))
    net.op("sum", "total", "picked")
    net.op("divide", "mean", "total", "N")
    net.op("negative", "loss", "mean")
    net.op("copy", "d0", "p")
    net.op("getitem", "old", "d0", ("rows", "y"))
    net.op("subtract", "new", "old", 1)
    net.op("setitem", "d1", "d0", ("rows", "y"), "new")
    net.op("divide", "dx", "d1", "N")
    return net


def test_probabilities_that_are_exponentials_of_their_logarithms_are_recognised() -> None:
    net = _log_softmax()
    free, derived = net.gradient("loss", "x")
    assert np.abs(net.difference("loss", "x", "dx")).max() < 1e-12
    assert prove_equal(derived, entry("dx", *free), net.definitions()).proved
    assert not prove_equal(derived, entry("d1", *free), net.definitions()).proved
    assert not prove_equal(derived, entry("p", *free), net.definitions()).proved


def _gates() -> Network:
    """Two gates as halves of one product, as in an LSTM."""
    rng = np.random.default_rng(0)
    net = Network(x=rng.normal(size=(4, 3)), W=rng.normal(size=(3, 10)), G=rng.normal(size=(4, 5)))
    net.op("matmul", "A", "x", "W")
    net.op("getitem", "first", "A", (slice(None), slice(0, 5)))
    net.op("getitem", "second", "A", (slice(None), slice(5, 10)))
    net.op("tanh", "f", "first")
    net.op("tanh", "s", "second")
    net.op("multiply", "fs", "f", "s")
    net.op("multiply", "fsG", "fs", "G")
    net.op("sum", "L", "fsG")
    for one, other in (("f", "s"), ("s", "f")):
        net.op("multiply", f"d{one}", "G", other)
        net.op("square", f"{one}{one}", one)
        net.op("subtract", f"slope_{one}", 1, f"{one}{one}")
        net.op("multiply", f"da_{one}", f"d{one}", f"slope_{one}")
    net.op("hstack", "dA", ("da_f", "da_s"))
    net.op("hstack", "wrong", ("da_s", "da_f"))
    net.op("transpose", "xT", "x")
    net.op("matmul", "dW", "xT", "dA")
    return net


@pytest.mark.parametrize(("array", "hand"), [("A", "dA"), ("W", "dW")])
def test_gates_that_are_slices_are_proved_for_the_sizes_of_the_run(array: str, hand: str) -> None:
    net = _gates()
    free, derived = net.gradient("L", array)
    assert np.abs(net.difference("L", array, hand)).max() < 1e-12
    definitions, sizes = net.definitions(), net.table.sizes()
    assert not prove_equal(derived, entry(hand, *free), definitions).proved
    proof = prove_equal(derived, entry(hand, *free), definitions, sizes=sizes)
    assert proof.proved
    assert "the sizes are those of this run" in proof.used
    assert array == "W" or not prove_equal(derived, entry("wrong", *free), definitions, sizes=sizes).proved


def test_where_two_masks_differ_at_a_tie_the_proof_says_so() -> None:
    rng = np.random.default_rng(0)
    net = Network(z=rng.normal(size=(4, 3)), dh=rng.normal(size=(4, 3)))
    net.op("maximum", "h", 0, "z")
    net.op("multiply", "weighed", "h", "dh")
    net.op("sum", "out", "weighed")
    net.op("less", "negative", "z", 0)
    net.op("setitem", "dz", "dh", "negative", 0)
    net.op("less_equal", "off", "z", 0)
    net.op("setitem", "dz2", "dh", "off", 0)
    free, derived = net.gradient("out", "z")
    proof = prove_equal(derived, entry("dz", *free), net.definitions())
    assert proof.proved
    assert "no entry of `z` equals 0" in proof.used
    exact = prove_equal(derived, entry("dz2", *free), net.definitions())
    assert exact.proved
    assert not any("equals" in u for u in exact.used)


def test_the_root_of_a_square_is_not_taken_for_the_number_itself() -> None:
    net = Network(w=np.array([-2.0, 3.0]))
    net.op("square", "ww", "w")
    net.op("sqrt", "root", "ww")
    i = net.definitions()["root"].free[0]
    assert not prove_equal(entry("root", i), entry("w", i), net.definitions()).proved


def test_a_sum_over_part_of_an_axis_is_not_taken_for_the_whole() -> None:
    net = Network(x=np.arange(5.0))
    net.op("getitem", "part", "x", slice(1, None))
    net.op("sum", "partial", "part")
    net.op("sum", "whole", "x")
    assert not prove_equal(entry("partial"), entry("whole"), net.definitions()).proved


def test_equal_sizes_do_not_make_axes_equal() -> None:
    net = Network(x=np.ones(3), z=np.ones(3))
    axes = net.axes()
    sizes = [of_factor(Size(a)) for a in (axes["x"][0], axes["z"][0])]
    assert not prove_equal(sizes[0], sizes[1], {}).proved


def test_a_mean_is_a_sum_divided_by_the_size_of_the_axis() -> None:
    net = Network(x=np.arange(5.0))
    net.op("mean", "m", "x")
    (axis,) = net.axes()["x"]
    assert axis is not None
    i = Index("i", axis)
    hand = sum_over(i, entry("x", i))
    divided = tuple(Term(t.coefficient, t.bound, (*t.factors, (Size(axis), Fraction(-1)))) for t in hand)
    assert prove_equal(entry("m"), divided, net.definitions()).proved
    assert not prove_equal(entry("m"), hand, net.definitions()).proved
