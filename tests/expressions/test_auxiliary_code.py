"""Code for the arrays that formulas mention is what the table of operations computes for them."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import tracer
from tests.expressions.independent import Point, disagreement
from tracer.calculus.complex_values import MARK
from tracer.expressions.auxiliary_code import auxiliary_code
from tracer.ops import AxisTable, auxiliary

rng = np.random.default_rng(5)
ARRAYS = {
    "X": rng.normal(size=(4, 3)), "A": rng.normal(size=(3, 3)), "S": np.diag([1.0, 2.5, 4.0]) + 0.3, "T": rng.normal(size=(2, 3, 3)),
    "Z": rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)), "v": rng.normal(size=5), "y": rng.normal(size=4),
    "H": np.where(np.arange(12).reshape(4, 3) % 5 == 1, np.nan, 1.5), "xp": np.arange(4.0), "fp": rng.normal(size=4), "at": np.array([-1.0, 0.3, 1.7, 2.9, 5.0]), "Q": rng.normal(size=(2, 3, 4)),
}  # fmt: skip

#: The call as it is written, the operation with its operands and arguments, and which arrays it is described with.
DESCRIBED: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("np.linalg.eigvalsh(S)", "linalg.eigvalsh", "S", {}, "vectors gaps"),
    ("np.linalg.eigvalsh(Z)", "linalg.eigvalsh", "Z", {}, "vectors gaps"),
    ("np.linalg.eigh(S, 'U')[1]", "part_of 1 linalg.eigh", "S", {"UPLO": "U"}, "vectors gaps"),
    ("np.linalg.eig(A)[1]", "part_of 1 linalg.eig", "A", {}, "vectors left turns"),
    ("np.linalg.eigvals(T)", "linalg.eigvals", "T", {}, "vectors left turns"),
    ("np.linalg.svd(X, full_matrices=False)[0]", "part_of 0 linalg.svd", "X", {}, "left right singular gaps rest"),
    ("np.linalg.svd(Z)[2]", "part_of 2 linalg.svd", "Z", {}, "left right singular gaps rest"),
    ("np.linalg.svd(X, compute_uv=False)", "linalg.svd", "X", {"compute_uv": False}, "left right"),
    ("np.linalg.qr(X)[0]", "part_of 0 linalg.qr", "X", {}, "q solved rest"),
    ("np.linalg.qr(Z)[1]", "part_of 1 linalg.qr", "Z", {}, "q solved rest"),
    ("np.linalg.lstsq(X, y, rcond=None)[0]", "part_of 0 linalg.lstsq", "X y", {}, "pseudo gram residual"),
    ("np.linalg.pinv(T)", "linalg.pinv", "T", {}, "left right"),
    ("np.linalg.norm(A, 'nuc')", "norm", "A", {"ord": "nuc"}, "slopes"),
    ("np.linalg.norm(A, 2)", "norm", "A", {"ord": 2}, "slopes"),
    ("np.linalg.norm(A, ord=1)", "norm", "A", {"ord": 1}, "slopes"),
    ("np.linalg.norm(v, 3)", "norm", "v", {"ord": 3}, "slopes"),
    ("np.linalg.norm(v, np.inf)", "norm", "v", {"ord": np.inf}, "slopes"),
    ("np.linalg.norm(X, np.inf, axis=0)", "norm", "X", {"ord": np.inf, "axis": 0}, "slopes"),
    ("np.linalg.norm(X, -np.inf, axis=1)", "norm", "X", {"ord": -np.inf, "axis": 1}, "slopes"),
    ("np.linalg.norm(X, ord=4, axis=-1)", "norm", "X", {"ord": 4, "axis": -1}, "slopes"),
    ("np.max(Q, axis=(0, 2))", "max", "Q", {"axis": (0, 2)}, "argmax0 argmax1"),
    ("Q.min(axis=(2, 1), keepdims=True)", "min", "Q", {"axis": (2, 1), "keepdims": True}, "argmin0 argmin1"),
    ("np.interp(at, xp, fp)", "interp", "at xp fp", {}, "low high share slope"),
    ("np.nansum(H, axis=0)", "nansum", "H", {"axis": 0}, "present"),
    ("np.nanmean(H, axis=1)", "nanmean", "H", {"axis": 1}, "present count"),
    ("np.take(X, [1, 0], axis=1)", "take", "X", {"indices": (1, 0), "axis": 1}, "picked1"),
    ("X.take([3, 0], axis=0)", "take", "X", {"indices": (3, 0), "axis": 0}, "picked0"),
    ("np.gradient(v)", "gradient", "v", {}, "before after width"),
    ("np.gradient(X, axis=1)", "gradient", "X", {"axis": 1}, "before after width"),
]  # fmt: skip


def made(call: str, what: str, part: int) -> Any:
    tree = auxiliary_code(what, ast.parse(call, mode="eval").body, frozenset(("np",)), part)
    return None if tree is None else eval(ast.unparse(tree), {"np": np, **ARRAYS})


@pytest.mark.parametrize(("call", "op", "operands", "arguments", "names"), DESCRIBED, ids=lambda x: str(x)[:40])
def test_the_code_makes_what_the_operation_is_described_with(
    call: str, op: str, operands: str, arguments: dict[str, Any], names: str
) -> None:
    table = AxisTable()
    name, *parts = op.split()
    given = [table.operand(n, ARRAYS[n].shape, dtype=str(ARRAYS[n].dtype), value=ARRAYS[n]) for n in operands.split()]
    part = int(parts[0]) if parts else 0
    before = [part, parts[1]] if parts else []
    known = {n.removesuffix(MARK): v for n, v in auxiliary(name, "out", (*before, *given), arguments).items()}
    for what in names.split():
        np.testing.assert_allclose(made(call, what, part), known[f"out.{what}"], atol=1e-12, err_msg=what)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("X[[0, 2, -1]]", [0, 2, -1]),
        ("X[:, [-1, 1]]", (slice(None), [-1, 1])),
        ("X[[True, False, True, True]]", [True, False, True, True]),
        ("X[None, [2, 0], [1, 1]]", (None, [2, 0], [1, 1])),
    ],
)
def test_places_that_are_written_in_an_index_are_written_in_the_code(text: str, index: Any) -> None:
    x = AxisTable().operand("X", (4, 3), value=ARRAYS["X"])
    found = auxiliary("getitem", "out", (x, index), {})
    assert found
    for name, places in found.items():
        assert np.array_equal(made(text, name.partition(".")[2], 0), places)


def test_a_call_that_is_not_known_has_no_code() -> None:
    assert made("np.linalg.norm(A, 2, axis=(0, 1))", "slopes", 0) is None
    assert made("np.max(Q, axis=(0, -1))", "argmax0", 0) is None
    assert made("np.histogram(v)", "edges", 0) is None


@pytest.mark.parametrize(
    ("expression", "shapes"), [("np.linalg.qr(X)[1]", "X=3,2"), ("np.max(X, axis=(0, 1))", "X=3,4")]
)
def test_the_gradient_is_written_with_it(expression: str, shapes: str) -> None:
    (gradient,) = tracer.derive(expression, None, shapes.split())
    assert gradient.code is not None
    assert disagreement(Point(expression, shapes, seed=4, smallest=3), gradient.wrt, gradient.code, gradient.result, "G") < 1e-5


@pytest.mark.parametrize(("shapes", "held"), [("X=N,D mask=N,D", "truth values"), ("X=N,D mask=N", "positions")])
def test_an_array_that_stands_alone_in_the_index_of_one_of_its_shape_is_a_mask(shapes: str, held: str) -> None:
    found = tracer.derive("2 * X[mask]", None, shapes.split())
    assert found.notices == (f"mask holds {held}: there is no derivative by it.",)
    if held == "truth values":
        (gradient,) = found
        mask = np.array([[True, False, True], [False, True, True]])
        space: dict[str, Any] = {"np": np, "X": np.ones((2, 3)), "mask": mask, "G": np.arange(4.0)}
        exec(gradient.code or "", space)
        assert space[gradient.result].tolist() == [[0.0, 0.0, 2.0], [0.0, 4.0, 6.0]]
