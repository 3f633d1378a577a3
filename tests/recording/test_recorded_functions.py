"""One call of a function of this process, recorded: from a file, and from the cells of a notebook."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tracer.api import explain
from tracer.program import ProgramError
from tracer.recording import Recording, record_function
from tracer.recording.reached import is_own
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


CELLS = {
    "data": "import numpy as np\nX, T = np.arange(6.0).reshape(3, 2), np.ones((3, 2))\n",
    "layer": """\
class Layer:
    def __init__(self, W):
        self.W = W
    def forward(self, x):
        self.x = x
        return sigmoid(x @ self.W)
""",
    "function": "\n\ndef sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n",
    "loss": """\
layers = [Layer(np.eye(2))]
def loss(X, T):
    for layer in layers:
        X = layer.forward(X)
    return np.sum((X - T) ** 2)
""",
}


@pytest.fixture
def session() -> Iterator[dict[str, Any]]:
    """A session in which each cell is a file of its own, as in a notebook."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    paths = {name: f"/nowhere/ipykernel_1/{name}.py" for name in CELLS}
    for name, path in paths.items():
        run(CELLS[name], path, namespace)
    yield namespace
    for path in paths.values():
        linecache.cache.pop(path, None)


def run(text: str, path: str, namespace: dict[str, Any]) -> None:
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    exec(compile(text, path, "exec"), namespace)


def recorded_in(namespace: dict[str, Any]) -> tuple[list[tuple[str, str, int]], Recording]:
    recording = record_function(namespace["loss"], namespace["X"], namespace["T"])
    made = [n for n in recording.tape.nodes if n.kind is Kind.OPERATION and n.site is not None]
    return [(n.op, Path(n.site.path).stem, n.site.span.line) for n in made if n.site], recording


def test_functions_and_classes_of_other_cells_are_recorded_at_their_own_lines(session: dict[str, Any]) -> None:
    found, recording = recorded_in(session)
    assert [each for each in found if each[1] == "function"] == [
        ("negative", "function", 4), ("exp", "function", 4), ("add", "function", 4), ("divide", "function", 4),
    ]  # fmt: skip
    assert ("matmul", "layer", 6) in found
    assert not recording.notices
    assert {Path(module.path).stem for module in recording.modules} == {"layer", "function"}


def test_all_code_is_put_back(session: dict[str, Any]) -> None:
    before = [f.__code__ for f in (session["sigmoid"], session["Layer"].forward, session["loss"])]
    recorded_in(session)
    assert [f.__code__ for f in (session["sigmoid"], session["Layer"].forward, session["loss"])] == before


def test_an_object_of_a_class_that_was_defined_again_keeps_its_own_methods(session: dict[str, Any]) -> None:
    run(CELLS["layer"].replace("sigmoid(x", "np.tanh(x"), "/nowhere/ipykernel_1/again.py", session)
    assert ("matmul", "layer", 6) in recorded_in(session)[0]
    session["layers"][:] = [session["Layer"](np.eye(2))]
    assert ("tanh", "again", 6) in recorded_in(session)[0]
    linecache.cache.pop("/nowhere/ipykernel_1/again.py")


def test_the_explanation_shows_the_lines_of_the_cells(session: dict[str, Any]) -> None:
    explanation = explain(session["loss"], session["X"], session["T"])
    shown = {line.source.strip() for line in explanation.lines}
    assert {"self.x = x", "return 1 / (1 + np.exp(-z))"} <= shown
    assert {n.what.rpartition(" of ")[2] for n in explanation.notices if "here are lines" in n.what} == {"another cell."}


def test_a_library_is_not_taken_for_the_program() -> None:
    assert is_own("/nowhere/ipykernel_1/layer.py", "/nowhere/ipykernel_1/loss.py") is False  # its text is not known
    assert not is_own(np.__file__, __file__)
    assert not is_own(linecache.__file__, __file__)
    assert is_own(str(Path(__file__).with_name("following.py")), __file__)
