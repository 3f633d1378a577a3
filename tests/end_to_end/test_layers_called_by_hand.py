"""Layers that a few lines call by hand, with no loss anywhere: what they pass on is the gradient of ⟨dout, out⟩."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracer
from tests.building.explained import judged_source, parts
from tracer.api import Explanation

FOLDER = Path(__file__).parents[1] / "programs" / "by_hand"
PROGRAMS = {p.stem: p.read_text(encoding="utf-8") for p in sorted(FOLDER.glob("*.py"))}

CHECKED = "layer_functions_checked_numerically"
OBJECTS = "layer_objects_in_a_list"
CHOSEN = "activation_chosen_by_its_name"
GATES = "gates_with_two_gradients_coming_in"
THROUGH_TIME = "recurrent_layer_through_time"
TWO_LAYERS = "two_layers_from_one_gradient"

#: The program, what is planted, and what is said: its kind, its line (counted from the planted one), the corrected line.
FAULTS = [
    (CHECKED, "dout * (x > 0)", "dout * (x < 0)", "missing mask", 0, "dx = dout * (x >= 0)"),
    (CHECKED, "dx = dout.dot(w.T)", "dx = -dout.dot(w.T)", "sign", 0, "dx = dout.dot(w.T).reshape(x.shape)"),
    (CHECKED, "db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)", "factor", 0, "db = np.sum(dout, axis=0)"),
    (CHECKED, "(dxhat - dxhat.mean(axis=0) - xhat", "(dxhat - xhat", "constant statistics", 0, None),
    (
        CHECKED,
        "dxhat.mean(axis=0) - xhat",
        "dxhat.mean(axis=1, keepdims=True) - xhat",
        "axis",
        0,
        "dx = (dxhat - dxhat.mean(axis=0, keepdims=True) - xhat * np.mean(dxhat * xhat, axis=0)) / std",
    ),
    (
        CHECKED,
        "dw = x.reshape(x.shape[0], -1).T.dot(dout)",
        "dw = dout.T.dot(x.reshape(x.shape[0], -1)).reshape(w.shape)",
        "transpose",
        0,
        "dw = dout.T.dot(x.reshape(x.shape[0], -1)).T.reshape(w.shape)",
    ),
    (
        OBJECTS,
        "self.out * (1 - self.out)",
        "self.out",
        "missing derivative",
        0,
        "return grad * (self.out * (1 - self.out))",
    ),
    (OBJECTS, "(grad * self.xhat).sum(0)", "(grad * self.mu).sum(0)", "wrong operand", 0, None),
    (CHOSEN, "dZ[Z <= 0] = 0", "dZ[Z >= 0] = 0", "missing mask", 0, "dZ[Z < 0] = 0"),
    (CHOSEN, "    dZ[Z <= 0] = 0\n", "", "missing mask", -1, "dZ = np.array(dA, copy=True) * (Z > 0)"),
    (GATES, "df = dc * prev_c", "df = dc * next_c", "wrong operand", 0, "df = dc * prev_c"),
    (
        GATES,
        "dc = dnext_c + dnext_h * o * (1 - t ** 2)",
        "dc = dnext_c + dnext_h * o",
        "missing derivative",
        0,
        "dc = dnext_c + dnext_h * o * (1 - t**2)",
    ),
    (GATES, "dc = dnext_c + dnext_h", "dc = dnext_h", "missing term", 0, "dc = dnext_h * o * (1 - t ** 2) + dnext_c"),
    (THROUGH_TIME, "dWh += dWh_t", "dWh = dWh_t", "accumulation", 0, "dWh += dWh_t"),
    (TWO_LAYERS, "dx = dout * mask", "dx = dout * (mask > 0)", "wrong operand", 0, "dx = dout * mask"),
]


def wrong(found: Explanation) -> list[tuple[int, str | None, str | None]]:
    return [(n, p.diagnosis.kind, p.diagnosis.fix) for n, p in parts(found) if p.verdict == "wrong" and p.diagnosis]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_line_of_a_right_backward_pass_is_a_gradient(name: str) -> None:
    found = judged_source(PROGRAMS[name])
    assert not wrong(found)
    assert [(n, p.source) for n, p in parts(found) if p.verdict == "unexplained"] == []
    assert {p.of for _, p in parts(found) if p.role == "gradient"} <= {loss.name for loss in found.losses}
    assert any(loss.name.startswith("⟨") and loss.inferred for loss in found.losses)
    assert any("No loss is computed behind these layers" in note.what for note in found.notices)


@pytest.mark.parametrize(
    ("name", "right", "planted", "kind", "offset", "fix"), FAULTS, ids=[f"{f[0]}: {f[2].strip()}" for f in FAULTS]
)
def test_a_fault_is_named_at_its_line(
    name: str, right: str, planted: str, kind: str, offset: int, fix: str | None
) -> None:
    source = PROGRAMS[name]
    assert source.count(right) >= 1
    line = source[: source.index(right)].count("\n") + 1 + offset
    found = wrong(judged_source(source.replace(right, planted, 1)))
    assert (line, kind) in {(n, k) for n, k, _ in found}
    assert fix is None or fix in {f for n, _, f in found if n == line}


def test_a_layer_is_not_judged_by_another_layer_that_the_same_gradient_goes_into() -> None:
    found = judged_source(PROGRAMS[TWO_LAYERS])
    of_lines = {(p.target, p.verdict) for n, p in parts(found) if p.target in ("dgamma", "dgamma1", "dx1")}
    assert of_lines == {("dgamma", "proved"), ("dgamma1", "proved"), ("dx1", "proved")}


def test_two_gradients_that_come_in_are_told_together() -> None:
    found = judged_source(PROGRAMS[GATES])
    assert [loss.name for loss in found.losses] == ["⟨dnext_h, next_h⟩ + ⟨dnext_c, next_c⟩"]


def test_what_comes_in_to_no_forward_pass_is_left_unknown() -> None:
    found = judged_source(
        "import numpy as np\n"
        "def linear_backward(dZ, cache):\n"
        "    A, W = cache\n"
        "    dW = np.dot(dZ, A.T)\n"
        "    dA = np.dot(W.T, dZ)\n"
        "    return dA, dW\n"
        "A, W, dZ = np.random.randn(3, 5), np.random.randn(2, 3), np.random.randn(2, 5)\n"
        "dA, dW = linear_backward(dZ, (A, W))\n"
    )
    assert {p.verdict for _, p in parts(found) if p.role == "gradient"} == {"unexplained"}
    assert found.losses == ()


def test_weights_that_come_in_after_another_array_of_their_shape_are_no_gradient() -> None:
    found = judged_source(
        "import numpy as np\n"
        "x, W1, W2 = np.random.randn(4, 4), np.random.randn(4, 4), np.random.randn(4, 4)\n"
        "h = x @ W1\n"
        "out = h @ W2\n"
        "dout = np.random.randn(4, 4)\n"
        "dh = dout @ W2.T\n"
        "dW2 = h.T @ dout\n"
        "dW1 = x.T @ dh\n"
    )
    assert [loss.name for loss in found.losses] == ["⟨dout, out⟩"]
    assert {p.target: p.verdict for _, p in parts(found) if p.role == "gradient" and p.whole} == {
        "dh": "proved",
        "dW2": "proved",
        "dW1": "proved",
    }


def test_a_call_of_a_module_of_layers_is_explained(tmp_path: Path) -> None:
    module, setup = tmp_path / "layers.py", tmp_path / "setup.py"
    source = PROGRAMS[CHECKED]
    module.write_text(source[: source.index("def eval_numerical")], encoding="utf-8")
    setup.write_text("import numpy as np\nx, w = np.random.randn(4, 3), np.random.randn(3, 2)\n", encoding="utf-8")
    found = tracer.explain(
        module,
        call="affine_backward(dout, affine_forward(x, w, b)[1])",
        setup=setup,
        define={"b": "__import__('numpy').zeros(2)", "dout": "__import__('numpy').ones((4, 2))"},
    )
    assert [loss.name for loss in found.losses] == ["⟨dout, out⟩"]
    assert {p.target: p.verdict for _, p in parts(found) if p.role == "gradient" and p.whole} == {
        "dx": "proved",
        "dw": "proved",
        "db": "proved",
    }


DELIBERATE = """
import numpy as np
reg = 0.1

def affine_backward(dout, cache):
    x, w, b = cache
    dw = x.T @ dout + reg * w
    dw = np.clip(dw, -1, 1)
    return dout @ w.T, dw, dout.sum(axis=0)

def embed_backward(dout, cache):
    idx, W = cache
    dW = np.zeros_like(W)
    np.add.at(dW, idx, dout)
    dW[0] = 0
    return dW

x, w, b = np.random.randn(5, 4), np.random.randn(4, 3), np.zeros(3)
out = x @ w + b
dout = np.random.randn(5, 3)
dx, dw, db = affine_backward(dout, (x, w, b))
W = np.random.randn(6, 2)
idx = np.array([0, 2, 3, 0])
e = W[idx]
de = np.random.randn(4, 2)
dW = embed_backward(de, (idx, W))
"""


def test_what_is_done_to_a_gradient_on_purpose_is_no_fault() -> None:
    assert not wrong(judged_source(DELIBERATE))


@pytest.mark.parametrize(
    ("right", "planted", "kind"),
    [
        ("dw = x.T @ dout + reg", "dw = x.T @ (dout * dout) + reg", "wrong operand"),
        ("np.add.at(dW, idx, dout)", "np.add.at(dW, idx, -dout)", "sign"),
    ],
)
def test_a_fault_below_it_is_found(right: str, planted: str, kind: str) -> None:
    found = wrong(judged_source(DELIBERATE.replace(right, planted)))
    line = DELIBERATE[: DELIBERATE.index(right)].count("\n") + 1
    assert (line, kind) in {(n, k) for n, k, _ in found}
