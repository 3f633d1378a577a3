"""The code that is printed computes the gradient, from the inputs and the upstream gradient alone."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import tracer
from tests.expressions.cases import CASES, derived, names
from tests.expressions.independent import Point, disagreement
from tracer.expressions.inputs import find_inputs, other_sizes
from tracer.expressions.proving import proved
from tracer.expressions.reading import read_expression
from tracer.expressions.recorded import record
from tracer.expressions.shapes import read_shapes
from tracer.expressions.writing import steps_agree


@pytest.mark.parametrize("case", CASES, ids=names)
def test_the_code_agrees_with_finite_differences(case: tuple[str, str]) -> None:
    gradients = derived(*case)
    floats = [n for n in gradients.shapes if not any(n in note for note in gradients.notices)]
    assert [g.wrt for g in gradients] == floats
    for gradient in gradients:
        assert gradient.verdict in ("proved", "checked")
        assert gradient.points >= 3
        assert gradient.code is not None
        for seed, smallest in ((1, 2), (2, 4)):
            point = Point(*case, seed=seed, smallest=smallest)
            assert disagreement(point, gradient.wrt, gradient.code, gradient.result, "G") < 1e-5


@pytest.mark.parametrize("case", CASES, ids=names)
def test_steps_about_one_quantity_are_equal(case: tuple[str, str]) -> None:
    shapes = read_shapes(case[1].split())
    recorded = record(find_inputs(read_expression(case[0], shapes), shapes))
    for gradient in derived(*case):
        assert gradient.derivation.steps
        assert steps_agree(recorded, gradient.derivation.steps)
        last = gradient.derivation.steps[-1]
        assert last.left == f"dL/d{gradient.wrt}"
        point = Point(*case, seed=3, smallest=3)
        assert gradient.code is not None
        whole = point.run(gradient.code, gradient.result, "G")
        assert np.allclose(point.run(last.code, "result", "G"), whole, rtol=1e-9, atol=1e-12)


class _Corrupted(ast.NodeTransformer):
    """The last statement of code, times 1.01."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        last = node.body[-1]
        assert isinstance(last, (ast.Assign, ast.AugAssign, ast.Expr))
        if isinstance(last, ast.Expr):  # np.add.at(dX, index, value)
            call = last.value
            assert isinstance(call, ast.Call)
            call.args[-1] = _more(call.args[-1])
        else:
            last.value = _more(last.value)
        return node


def _more(value: ast.expr) -> ast.expr:
    return ast.BinOp(ast.Constant(1.01), ast.Mult(), value)


def corrupted(code: str) -> str:
    return ast.unparse(ast.fix_missing_locations(_Corrupted().visit(ast.parse(code))))


@pytest.mark.parametrize("case", CASES[::4], ids=names)
def test_code_that_is_off_by_a_percent_is_found_out(case: tuple[str, str]) -> None:
    shapes = read_shapes(case[1].split())
    recorded = record(find_inputs(read_expression(case[0], shapes), shapes))
    for gradient in derived(*case):
        if gradient.code is None or "zeros_like" in gradient.code:
            continue
        wrong = corrupted(gradient.code)
        point = Point(*case, seed=1, smallest=3)
        assert disagreement(point, gradient.wrt, wrong, gradient.result, "G") > 1e-4
        assert proved(recorded, gradient.wrt, wrong, gradient.result) is not None


def test_steps_that_are_off_by_a_percent_are_found_out() -> None:
    import dataclasses

    shapes = read_shapes(["X=N,D", "W=D,h"])
    recorded = record(find_inputs(read_expression("np.tanh(X @ W)", shapes), shapes))
    steps = derived("np.tanh(X @ W)", "X=N,D W=D,h")["W"].derivation.steps
    again = {step.left for k, step in enumerate(steps) if any(s.left == step.left for s in steps[:k])}
    for k, step in enumerate(steps):
        wrong = dataclasses.replace(step, code=f"{step.code}\nresult = 1.01 * result")
        if step.left in again:
            assert not steps_agree(recorded, [*steps[:k], wrong, *steps[k + 1 :]])


@pytest.mark.parametrize(
    "expression,shapes,wrt,code",
    [
        ("X @ W + b", "X=N,D W=D,h b=1,h", "X", "dX = G @ W.T"),
        ("X @ W + b", "X=N,D W=D,h b=1,h", "W", "dW = X.T @ G"),
        ("X @ W + b", "X=N,D W=D,h b=1,h", "b", "db = np.sum(G, axis=0, keepdims=True)"),
        ("X @ W + b", "X=N,D W=D,h b=h", "b", "db = np.sum(G, axis=0)"),
        ("A.T", "A=N,D", "A", "dA = G.T"),
        ("-A", "A=N,D", "A", "dA = -G"),
        (
            "np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)",
            "Z=N,K",
            "Z",
            "Y = np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)\n"
            "dZ = Y * (G - np.sum(G * Y, axis=1, keepdims=True))",
        ),
        ("(x > 0) * w", "x=N w=N", "x", "dx = np.zeros_like(x)"),
    ],
)
def test_textbook_gradients_are_as_the_textbook_has_them(
    expression: str, shapes: str, wrt: str, code: str
) -> None:
    gradient = derived(expression, shapes)[wrt]
    assert (gradient.code, gradient.verdict) == (code, "proved")


def test_a_named_axis_is_never_broadcast_but_an_axis_of_size_one_is() -> None:
    assert derived("A * B", "A=N,D B=1,D")["B"].code == "dB = np.sum(G * A, axis=0, keepdims=True)"
    with pytest.raises(tracer.CannotDerive, match="broadcast"):
        tracer.derive("A * B", None, ["A=N,D", "B=M,D"])


def test_a_formula_does_not_divide_by_what_may_be_zero_where_the_expression_is_smooth() -> None:
    """Y / x would be the shortest slope of x · sigmoid(x) and of x²: it has no value at 0."""
    for expression in ("Z / (1 + np.exp(-Z))", "Z * Z", "Z**3", "Z * np.tanh(Z)"):
        gradient = derived(expression, "Z=N,h")["Z"]
        space = {"np": np, "G": np.ones((2, 2)), "Z": np.array([[0.0, 1.0], [2.0, 0.0]])}
        assert gradient.code is not None
        exec(gradient.code, space)
        assert np.all(np.isfinite(np.asarray(space["dZ"])))


def test_code_without_a_value_at_zero_is_told_if_there_is_no_better() -> None:
    gradient = derived("np.abs(x)**p", "x=N p=")["x"]
    assert gradient.verdict == "checked"
    assert gradient.remark == "The code has no value where some inputs are 0."


def test_code_that_inverts_a_matrix_says_so() -> None:
    gradient = derived("np.linalg.det(A)", "A=D,D")["A"]
    assert gradient.remark == "The code inverts a matrix, which must be regular."
    assert derived("np.linalg.inv(A)", "A=D,D")["A"].remark is None


def test_modules_that_code_needs_are_imported_by_it() -> None:
    gradient = derived("math.exp(x) * math.tau", "x=")["x"]
    assert gradient.code is not None
    assert gradient.code.startswith("import math\n")


def test_names_of_the_reader_are_never_overwritten() -> None:
    for expression, shapes in (
        ("G @ Y", "G=N,D Y=D,h"),
        ("np.tanh(Z @ dZ)", "Z=N,D dZ=D,L"),
        ("G + L", "G=N,Y L=N,Y"),
    ):
        given = dict(one.split("=") for one in shapes.split())
        for gradient in tracer.derive(expression, None, given):
            assert gradient.code is not None
            bound = {
                n.id
                for n in ast.walk(ast.parse(gradient.code))
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            assert not bound & set(given)
            assert gradient.upstream not in given
            point = Point(expression, shapes, 1, 3)
            assert disagreement(point, gradient.wrt, gradient.code, gradient.result, gradient.upstream) < 1e-5


def test_a_size_that_was_only_tried_never_stands_in_code() -> None:
    """The sizes at which code is compared again are all others."""
    for case in CASES:
        shapes = read_shapes(case[1].split())
        inputs = find_inputs(read_expression(case[0], shapes), shapes)
        others = other_sizes(inputs)
        assert others.keys() == inputs.sizes.keys()
        assert not set(others.values()) & set(inputs.sizes.values())
        assert len(set(others.values())) == len(others)


def test_shapes_may_be_given_as_texts_tuples_and_numbers() -> None:
    shapes = {"X": ("N", 3), "w": 3, "c": ()}
    gradients = tracer.derive("X @ w + c", shapes=shapes)
    assert [(g.wrt, g.axes) for g in gradients] == [("X", ("N", "3")), ("w", ("3",)), ("c", ())]
    assert gradients["w"].code == tracer.derive("X @ w + c", "w", ["X=N,3", "w=3", "c="])["w"].code


def test_only_what_was_asked_for_is_derived() -> None:
    assert [g.wrt for g in tracer.derive("X @ W", "W", {"X": "N,D", "W": "D,h"})] == ["W"]
    assert [g.wrt for g in tracer.derive("X @ W", ["W", "X"], {"X": "N,D", "W": "D,h"})] == ["W", "X"]
