"""Which statement is which gradient: one readable table for each program.

A row: the line's target (or source), ∂of/∂wrt, the factor, the verdict, the axes.
"""

from __future__ import annotations

import ast

import numpy as np
import pytest

from tests.building.explained import NAMES, analysis, explanation, parts
from tracer.explanation.model import Part

Row = tuple[str, str, str, str]


def identity(part: Part) -> Row:
    return (f"∂{part.of}/∂{part.wrt}", part.scale, part.verdict or "", " ".join(part.axes or ()))


def gradients(name: str, first: int = 0, last: int = 10**6) -> dict[int, Row]:
    """The whole gradient of each line that binds one, or returns one."""
    return {
        line: identity(p)
        for line, p in parts(explanation(name))
        if p.whole and p.role in ("gradient", "local derivative") and first <= line <= last
    }


SPIRAL = {
    34: ("∂loss/∂scores", "num_examples", "proved", "num_examples K"),
    35: ("∂loss/∂scores", "1", "proved", "num_examples K"),
    36: ("∂data_loss/∂W2", "1", "proved", "h K"),
    37: ("∂loss/∂b2", "1", "proved", "1 K"),
    38: ("∂loss/∂hidden", "1", "proved", "num_examples h"),
    39: ("∂loss/∂np.dot(X, W) + b", "1", "proved", "num_examples h"),
    40: ("∂data_loss/∂W", "1", "proved", "D h"),
    41: ("∂loss/∂b", "1", "proved", "1 h"),
    42: ("∂loss/∂W2", "1", "proved", "h K"),
    43: ("∂loss/∂W", "1", "proved", "D h"),
}


def test_python_2_spiral_before_and_after_the_regularisation() -> None:
    assert gradients("spiral_python2") == SPIRAL


def test_half_way_through_the_in_place_sequence_it_is_n_times_the_gradient() -> None:
    half, done = (explanation("spiral_python2").line(n).parts[0] for n in (34, 35))
    assert (half.target, done.target) == ("dscores", "dscores")
    assert (half.wrt, half.scale) == ("scores", "num_examples")
    assert (done.wrt, done.scale) == ("scores", "1")


def test_an_alias_of_forward_values_is_no_gradient() -> None:
    alias = explanation("spiral_python2").line(33).parts[0]
    assert (alias.source, alias.role, alias.verdict) == ("probs", "forward", None)


def test_the_term_that_is_added_is_the_gradient_of_the_penalty() -> None:
    inner = [p for p in explanation("spiral_python2").line(42).parts if p.source == "reg * W2"]
    assert [identity(p) for p in inner] == [("∂reg_loss/∂W2", "1", "proved", "h K")]


def test_weights_of_ones_and_a_forward_pass_at_the_end_of_the_body() -> None:
    columns, hidden, inputs = (explanation("sigmoid_ones")[n].axes for n in ("dw2", "dw1", "dw1"))
    assert columns
    assert hidden
    assert inputs
    K, H, D = columns[1], hidden[1], inputs[0]
    assert len({K, H, D, "m"}) == 4
    assert gradients("sigmoid_ones", 35) == {
        35: ("∂cost/∂out2", "1", "proved", f"m {K}"),
        36: ("∂cost/∂in2", "1", "proved", f"m {K}"),
        37: ("∂cost/∂W2", "1", "proved", f"{H} {K}"),
        38: ("∂cost/∂b2", "1", "proved", K),
        40: ("∂out1/∂in1", "1", "proved", f"m {H}"),
        41: ("∂cost/∂in1", "1", "proved", f"m {H}"),
        42: ("∂cost/∂W1", "1", "proved", f"{D} {H}"),
        43: ("∂cost/∂b1", "1", "proved", H),
    }


def test_a_function_that_returns_a_slope_is_a_local_derivative() -> None:
    returned = [p for p in explanation("sigmoid_ones").line(7).parts if p.whole]
    assert {(p.of, p.wrt, p.role, p.verdict) for p in returned} == {
        ("out2", "in2", "local derivative", "proved"),
        ("out1", "in1", "local derivative", "proved"),
    }


def test_both_training_loops_are_explained_though_they_share_their_names() -> None:
    assert gradients("two_loops_korean", last=41) == {
        33: ("∂loss/∂scores", "num_examples", "proved", "num_examples K"),
        34: ("∂loss/∂scores", "1", "proved", "num_examples K"),
        35: ("∂data_loss/∂W", "1", "proved", "D K"),
        36: ("∂loss/∂b", "1", "proved", "1 K"),
        37: ("∂loss/∂W", "1", "proved", "D K"),
    }
    assert gradients("two_loops_korean", first=42) == {
        59: ("∂loss/∂scores", "num_examples", "proved", "num_examples K"),
        60: ("∂loss/∂scores", "1", "proved", "num_examples K"),
        61: ("∂data_loss/∂W2", "1", "proved", "h K"),
        62: ("∂loss/∂b2", "1", "proved", "1 K"),
        63: ("∂loss/∂hidden_layer", "1", "proved", "num_examples h"),
        64: ("∂loss/∂np.dot(X, W) + b", "1", "proved", "num_examples h"),
        65: ("∂data_loss/∂W", "1", "proved", "D h"),
        66: ("∂loss/∂b", "1", "proved", "1 h"),
        67: ("∂loss/∂W2", "1", "proved", "h K"),
        68: ("∂loss/∂W", "1", "proved", "D h"),
    }
    assert {line: p.of_line for line, p in parts(explanation("two_loops_korean")) if p.target == "dscores" and p.of} == {
        33: 30,
        34: 30,
        59: 56,
        60: 56,
    }


def test_gradients_of_attributes_with_a_mean_as_loss() -> None:
    assert gradients("relu_mean_squares") == {
        27: ("∂mse/∂guess", "1", "proved", "batch 1"),
        28: ("∂mse/∂second.w", "1", "proved", "units 1"),
        29: ("∂mse/∂second.b", "1", "proved", "1"),
        30: ("∂mse/∂a1", "1", "proved", "batch units"),
        31: ("∂mse/∂z1", "1", "proved", "batch units"),
        32: ("∂mse/∂first.w", "1", "proved", "features units"),
        33: ("∂mse/∂first.b", "1", "proved", "units"),
    }


def test_equal_sizes_with_their_own_names() -> None:
    assert gradients("square_sizes") == {
        19: ("∂loss/∂V", "1", "proved", "H 1"),
        20: ("∂loss/∂A", "1", "proved", "N H"),
        21: ("∂loss/∂Z", "1", "proved", "N H"),
        22: ("∂loss/∂W", "1", "proved", "D H"),
    }


def test_linear_regression_with_a_scalar_parameter() -> None:
    assert gradients("line_through_points") == {
        17: ("∂cost/∂w", "1", "proved", "d"),
        18: ("∂cost/∂offset", "1", "proved", ""),
    }


#: The derived gradient as NumPy, in the program's own names.
NUMPY = {
    ("spiral_python2", "dW2", 36): "hidden.T @ dscores",
    ("spiral_python2", "db2", 37): "np.sum(dscores, axis=0, keepdims=True)",
    ("spiral_python2", "dhidden", 38): "dscores @ W2.T",
    ("spiral_python2", "dhidden", 39): "dhidden * (hidden > 0)",
    ("spiral_python2", "dW", 40): "X.T @ dhidden",
    ("spiral_python2", "dW2", 42): "reg * W2 + dW2",
    ("sigmoid_ones", "dw2", 37): "out1.T @ d_in2",
    ("relu_mean_squares", "grad_z1", 31): "grad_a1 * (z1 > 0)",
    ("square_sizes", "dW", 22): "X.T @ dZ",
    ("square_sizes", "dZ", 21): "dA * (1 - A**2)",
}


@pytest.mark.parametrize(("program", "target", "line"), NUMPY)
def test_the_derived_gradient_is_written_as_a_person_would(program: str, target: str, line: int) -> None:
    (part,) = [p for p in explanation(program).line(line).parts if p.target == target]
    assert part.numpy == NUMPY[program, target, line]


#: Updates: what is updated, the factor of the gradient, and what that is called.
UPDATES = {
    "spiral_python2": [(n, "-rate", "gradient descent") for n in ("W", "b", "W2", "b2")],
    "sigmoid_ones": [(n, "-step", "gradient descent") for n in ("W2", "W1", "b2", "b1")],
    "ascent_with_stale_weights": [(n, "eta", "gradient ascent") for n in ("W", "d", "V", "c")],
    "relu_mean_squares": [(n, "-eta", "gradient descent") for n in ("first.w", "first.b", "second.w", "second.b")],
    "square_sizes": [(n, "-rate", "gradient descent") for n in ("V", "W")],
    "line_through_points": [(n, "-lr", "gradient descent") for n in ("w", "offset")],
}


@pytest.mark.parametrize("name", UPDATES)
def test_updates_show_the_formula_of_the_optimiser(name: str) -> None:
    found = [p for _, p in parts(explanation(name)) if p.role == "update"]
    assert [(p.target, p.scale, p.optimiser) for p in found] == UPDATES[name]
    assert all(p.formula is not None and p.formula.matrix is not None for p in found)


@pytest.mark.parametrize("name", NAMES)
def test_every_right_gradient_that_feeds_an_update_is_proved(name: str) -> None:
    stale = {"ascent_with_stale_weights": {"V", "c"}, "stale_weights": {"W1", "b1"}}.get(name, set())
    for line in explanation(name).lines:
        for update in (p for p in line.parts if p.role == "update" and p.wrt not in stale):
            own = [p for p in line.parts if p.role == "gradient" and p.wrt == update.wrt]
            assert {p.verdict for p in own} <= {"proved"}, (line.line, line.source)


@pytest.mark.parametrize("name", [n for n in NAMES if "stale" not in n])
def test_nothing_right_is_called_wrong_or_left_unexplained(name: str) -> None:
    assert [(line, p.source) for line, p in parts(explanation(name)) if p.verdict in ("wrong", "unexplained")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_the_forward_pass_has_its_formula(name: str) -> None:
    for line, part in parts(explanation(name)):
        if part.whole and part.role == "loss":
            assert part.formula is not None, line
            assert part.numpy is not None


@pytest.mark.parametrize("name", NAMES)
def test_shapes_have_a_name_for_each_axis_and_one_is_called_one(name: str) -> None:
    for line, part in parts(explanation(name)):
        if part.shape is not None and part.axes is not None:
            assert len(part.shape) == len(part.axes), line
            assert all((size == 1) == (axis == "1") for size, axis in zip(part.shape, part.axes, strict=True)), line


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_every_forward_line_computes_what_the_program_computed(name: str) -> None:
    """Formula and run: the names in the code are those of the recorded values that the line could see."""
    found, tape = analysis(name), analysis(name).tape
    last = {w.loop_line: number for number, w in enumerate(tape.windows)}
    compared = 0
    for binding in tape.bindings:
        node = tape.nodes[binding.node]
        if node.window not in last.values() or binding.node in found.updates or node.value is None:
            continue
        part = next(
            (
                p
                for line, p in parts(explanation(name))
                if line == binding.site.span.line and p.target == binding.name and p.role in ("forward", "loss") and p.whole
            ),
            None,
        )
        if part is None or part.numpy is None or "\n" in part.numpy:
            continue
        names = {n.id for n in ast.walk(ast.parse(part.numpy)) if isinstance(n, ast.Name)} - {"np"}
        seen: dict[str, object] = {}
        for earlier in tape.nodes[: binding.node]:
            for other in earlier.names:
                if earlier.value is not None:
                    seen[other.replace(".", "_")] = earlier.value
        if not names <= seen.keys():
            continue
        value = eval(part.numpy, {"np": np, **{n: seen[n] for n in names}})
        np.testing.assert_allclose(value, node.value, rtol=1e-9, atol=1e-12, err_msg=f"{binding.site.span.line}: {part.numpy}")
        compared += 1
    assert compared >= 3
