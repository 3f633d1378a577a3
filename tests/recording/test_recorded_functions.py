"""One call of a function of this process, recorded."""

from __future__ import annotations

import numpy as np
import pytest

from tracer.program import ProgramError
from tracer.recording import record_function
from tracer.tape import Kind


def _sigmoid(x):  # type: ignore[no-untyped-def]
    return 1 / (1 + np.exp(-x))


def _scaled(k):  # type: ignore[no-untyped-def]
    def inner(v):  # type: ignore[no-untyped-def]
        return _sigmoid(v) * k

    return inner


_tripled = _scaled(3.0)


def _cost(W, X, target=0.5):  # type: ignore[no-untyped-def]
    out = _tripled(X @ W)
    return np.mean((out - target) ** 2)


def test_a_function_is_recorded_with_its_parameters_as_leaves() -> None:
    W, X = np.ones((3, 2)), np.arange(6.0).reshape(2, 3)
    code = _cost.__code__
    recording = record_function(_cost, W, X)
    assert _cost.__code__ is code
    leaves = [n.names[0] for n in recording.tape.nodes if n.kind is Kind.LEAF and n.names]
    assert leaves == ["W", "X", "k", "target"]
    assert recording.tape.nodes[-1].value == _cost(W, X)
    product = next(n for n in recording.tape.nodes if n.op == "matmul")
    assert product.site is not None
    assert product.site.text == "X @ W"
    assert product.site.span.line == _cost.__code__.co_firstlineno + 1
    inside = next(n for n in recording.tape.nodes if n.op == "exp")
    assert [c.function for c in inside.calls] == ["inner", "_sigmoid"]


def test_a_built_in_function_cannot_be_recorded() -> None:
    with pytest.raises(ProgramError, match="not a function written in Python"):
        record_function(len, [1])
