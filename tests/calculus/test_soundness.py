"""Random programs: what is proved is true in numbers, composed adjoints and closed forms are right."""

from __future__ import annotations

import itertools
import random
import sys
import warnings
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzzing import search
from network import NUMPY, Network

from tracer.calculus import (
    MissingValue,
    TooLarge,
    add,
    backward,
    canonical,
    closed_form,
    constant,
    entry,
    equal,
    evaluate,
    multiply,
    prove_equal,
    scale,
    sum_over,
)
from tracer.calculus.terms import Axis, Entry, Index
from tracer.ops import OPERATIONS

UNARY = ["negative", "exp", "tanh", "square", "copy", "absolute"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum"]


def random_program(seed: int, length: int = 9) -> tuple[Network, list[str]]:
    """A program of elementwise operations, sums and products, on arrays of the shapes (4, 3), (4, 1), (1, 3)."""
    choose, rng = random.Random(seed), np.random.default_rng(seed)
    net = Network(x=rng.normal(size=(4, 3)) + 0.1, z=rng.normal(size=(4, 3)) - 0.1, b=rng.normal(size=(1, 3)))
    net.op("add", "start", "x", "z")
    names = ["x", "z", "b", "start"]
    for n in range(length):
        kind = choose.random()
        one, other = choose.choice(names), choose.choice(names)
        if kind < 0.35:
            net.op(choose.choice(UNARY), f"t{n}", one)
        elif kind < 0.8:
            net.op(choose.choice(BINARY), f"t{n}", one, choose.choice([other, Fraction(2), Fraction(0)]))
            if not np.isfinite(net.values[f"t{n}"]).all():
                net.calls.pop()
                continue
        else:
            net.op("sum", f"t{n}", one, axis=choose.choice([0, 1]), keepdims=True)
        if net.values[f"t{n}"].shape == (1, 1) or np.abs(net.values[f"t{n}"]).max() > 1e4:
            net.calls.pop()
            continue
        names.append(f"t{n}")
    net.op("multiply", "weighed", names[-1], names[-2])
    net.op("sum", "root", "weighed")
    return net, names


def elsewhere(net: Network, seed: int) -> Network:
    """The same program on other values."""
    rng = np.random.default_rng(seed + 1000)
    other = Network(**{n: rng.normal(size=net.values[n].shape) for n in ("x", "z", "b")})
    for op, out, operands, arguments in net.calls:
        other.op(op, out, *operands, **arguments)
    return other


@pytest.mark.parametrize("seed", range(40))
def test_what_is_proved_equal_is_equal_in_numbers(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net, names = random_program(seed)
        other = elsewhere(net, seed)
    definitions = net.definitions()
    # a division by something that is zero everywhere may stand in the other run; it says nothing
    for one, two in itertools.combinations(names, 2):
        if net.values[one].shape != net.values[two].shape or net.axes()[one] != net.axes()[two]:
            continue
        free = definitions[two].free if two in definitions else definitions["start"].free
        proof = prove_equal(entry(one, *free), entry(two, *free), definitions, budget_seconds=0.2)
        for run in (net, other):
            values = run.values[one], run.values[two]
            if proof.proved and all(np.isfinite(v).all() for v in values):
                np.testing.assert_allclose(*values, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("seed", range(40))
def test_composed_adjoints_and_their_closed_forms_are_right(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net, names = random_program(seed)
    definitions = net.definitions()
    try:
        adjoints = backward(definitions, "root", axes=net.axes())
    except TooLarge:
        return
    for leaf in ("x", "z", "b"):
        if leaf not in adjoints:
            continue
        free, derived = adjoints[leaf]
        found = net.number(free, derived)
        for place in [(0, 0), (0, 2)] if leaf == "b" else [(0, 0), (3, 2), (1, 1)]:
            expected = _slope(net, leaf, place)
            np.testing.assert_allclose(found[place], expected, rtol=1e-4, atol=1e-4 * max(1.0, abs(expected)))
        closed = closed_form(derived, definitions, ["x", "z", "b", *names], budget_seconds=0.3)
        np.testing.assert_allclose(net.number(free, closed), found, rtol=1e-7, atol=1e-7)


def _slope(net: Network, leaf: str, place: tuple[int, int], step: float = 1e-6) -> float:
    def run(by: float) -> float:
        values = {n: net.values[n].copy() for n in ("x", "z", "b")}
        values[leaf][place] += by
        other = Network(**values)
        for op, out, operands, arguments in net.calls:
            other.op(op, out, *operands, **arguments)
        return float(other.values["root"])

    return (run(step) - run(-step)) / (2 * step)


def test_the_programs_use_every_kind_of_operation() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        used = {call[0] for seed in range(40) for call in random_program(seed)[0].calls}
    assert used >= {*UNARY, *BINARY, "sum"}
    assert used <= set(NUMPY)


def test_no_pair_of_random_values_is_called_proved_and_differs() -> None:
    found = search(iter(range(180)), 600)
    assert found.unsound == []
    assert found.pairs >= 500
    assert found.proved >= 100
    assert found.equal < found.pairs * 0.8  # else nothing was tried
    assert found.slowest < 5


def test_a_wrong_row_is_found_by_random_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, "subtract", OPERATIONS["add"])
    assert search(iter(range(300)), 1000, to_the_first=True).unsound


def test_a_prover_that_overlooks_the_order_of_indices_is_found_by_random_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = canonical.entry_text

    def careless(item: Entry, names: Mapping[Index, str] = MappingProxyType({})) -> str:
        return "".join(sorted(plain(item, names)))

    monkeypatch.setattr(canonical, "entry_text", careless)
    canonical._key.cache_clear()
    try:
        assert search(iter(range(300)), 1000, to_the_first=True).unsound
    finally:
        canonical._key.cache_clear()


def _chain() -> Network:
    rng = np.random.default_rng(0)
    net = Network(x=rng.normal(size=(4, 3)), W=rng.normal(size=(3, 2)), c=0.5)
    net.op("matmul", "z", "x", "W")
    net.op("tanh", "h", "z")
    net.op("multiply", "k", "h", "c")
    net.op("sum", "root", "k")
    return net


def test_only_what_lies_between_is_derived() -> None:
    net = _chain()
    adjoints = backward(net.definitions(), "root", wrt=["W"], axes=net.axes())
    assert set(adjoints) == {"root", "k", "h", "z", "W"}


def test_a_root_that_is_no_scalar_needs_a_seed() -> None:
    net = _chain()
    with pytest.raises(ValueError, match="not a scalar"):
        backward(net.definitions(), "h", axes=net.axes())
    free, derived = backward(net.definitions(), "h", axes=net.axes(), seed="G")["z"]
    h = entry("h", *free)
    assert equal(derived, multiply(entry("G", *free), add(constant(1), scale(multiply(h, h), -1))))


def test_a_given_adjoint_stands_for_itself_with_its_factor() -> None:
    net = _chain()
    given = {"h": ("dh", scale(entry("c"), 2))}
    free, derived = backward(net.definitions(), "root", axes=net.axes(), given=given)["h"]
    assert equal(derived, scale(multiply(entry("c"), entry("dh", *free)), 2))


def test_an_adjoint_with_too_many_terms_is_refused() -> None:
    net = _chain()
    with pytest.raises(TooLarge, match="2 terms"):
        backward(net.definitions(), "root", axes=net.axes(), most_terms=1)


def test_a_value_that_is_missing_is_named() -> None:
    i = Index("i", Axis("N"))
    with pytest.raises(MissingValue, match="x"):
        evaluate(entry("x", i), (i,), {}, {"N": 2})
    with pytest.raises(MissingValue, match="size of the axis N"):
        evaluate(sum_over(i, entry("x", i)), (), {"x": np.ones(2)}, {})
    with pytest.raises(MissingValue, match="neither free nor bound"):
        evaluate(entry("x", i), (), {"x": np.ones(2)}, {"N": 2})
