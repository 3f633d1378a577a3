"""Matrix form: the expression a teacher would write, run and compared with the sum it stands for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tracer.calculus.printing import DeclaredNames, NoForm, matrix_code, open_code, statements
from tracer.calculus.terms import Axis, Delta, Entry, Expr, Factor, Function, Index, Mask, Size, Term

N, D, h, K = Axis("N"), Axis("D"), Axis("h"), Axis("K")
i, j, a, k = Index("i", N), Index("j", D), Index("a", h), Index("k", K)
SIZES = {N: 3, D: 4, h: 2, K: 5}
NAMES = DeclaredNames(
    {
        "X": (N, D),
        "W1": (D, h),
        "W2": (h, K),
        "hidden": (N, h),
        "dhidden": (N, h),
        "dscores": (N, K),
        "probs": (N, K),
        "b2": (None, K),
        "c": (h,),
        "y": (N,),
        "E": (K, D),
        "m": (N, None),
        "Q": (N, D, h),
        "reg": (),
    },
    sizes={N: "N", D: "D", h: "h", K: "K"},
    integers=frozenset("y"),
)
NO_SINGLE_EXPRESSION = {
    "second piece",
    "scatter with a step",
    "scatter into a window",
    "scatter of a flattened matrix",
    "two pieces",
}


def term(coefficient: Any, bound: tuple[Index, ...], *factors: Any) -> Term:
    pairs = tuple(f if isinstance(f, tuple) else (f, 1) for f in factors)
    return Term(Fraction(coefficient), bound, tuple((f, Fraction(e)) for f, e in pairs))


X, W1, W2 = Entry("X", (i, j)), Entry("W1", (j, a)), Entry("W2", (a, k))
HIDDEN, SCORES, PROBS = Entry("hidden", (i, a)), Entry("dscores", (i, k)), Entry("probs", (i, k))
Y = Entry("y", (i,))


def test_the_expression_has_the_values_and_the_shape_of_the_formula(case: Any, world: Any) -> None:
    if case.name in NO_SINGLE_EXPRESSION:
        with pytest.raises(NoForm):
            matrix_code(case.expr, case.free, world.names)
        return
    value = world.run(f"result = {matrix_code(case.expr, case.free, world.names)}")
    assert np.shape(value) == world.shape(case.free)
    np.testing.assert_allclose(value, world.evaluate(case.expr, case.free), rtol=1e-12)


def test_statements_have_the_values_and_the_shape_of_the_formula(case: Any, world: Any) -> None:
    before = {name: np.array(value) for name, value in world.values.items()}
    value = world.run(statements(case.expr, case.free, world.names, "answer"), "answer")
    assert np.shape(value) == world.shape(case.free)
    np.testing.assert_allclose(value, world.evaluate(case.expr, case.free), rtol=1e-12)
    assert all(np.array_equal(world.values[name], value) for name, value in before.items())


def test_an_altered_term_gives_another_value(case: Any, world: Any) -> None:
    if not case.expr:
        return
    first, *rest = case.expr
    right = world.evaluate(case.expr, case.free)
    for wrong in (
        replace(first, coefficient=-first.coefficient),
        replace(first, coefficient=first.coefficient * 3),
    ):
        value = world.run(statements((wrong, *rest), case.free, world.names, "answer"), "answer")
        assert not np.allclose(value, right)


@pytest.mark.parametrize(
    ("expr", "free", "code"),
    [
        ((term(1, (k,), SCORES, W2),), (i, a), "dscores @ W2.T"),
        ((term(1, (i,), HIDDEN, SCORES),), (a, k), "hidden.T @ dscores"),
        ((term(1, (i,), SCORES),), (0, k), "np.sum(dscores, axis=0, keepdims=True)"),
        ((term(1, (i,), SCORES),), (k,), "np.sum(dscores, axis=0)"),
        (
            (term(1, (k,), SCORES, W2, Mask(">", HIDDEN, Fraction(0))),),
            (i, a),
            "(dscores @ W2.T) * (hidden > 0)",
        ),
        (
            (term(1, (), PROBS, (Size(N), -1)), term(-1, (), Delta(k, Y), (Size(N), -1))),
            (i, k),
            "(probs - np.eye(K)[y]) / N",
        ),
        (
            (term(1, (i,), X, Entry("dhidden", (i, a))), term(1, (), Entry("reg"), W1)),
            (j, a),
            "X.T @ dhidden + reg * W1",
        ),
        ((term(1, (), PROBS), term(-1, (), (PROBS, 2))), (i, k), "probs * (1 - probs)"),
        ((term(Fraction(1, 2), (j, a), Entry("reg"), (W1, 2)),), (), "reg * np.sum(W1**2) / 2"),
        ((term(1, (), Entry("probs", (i, Y))),), (i,), "probs[np.arange(N), y]"),
        ((term(1, (j, a), X, W1, W2),), (i, k), "X @ W1 @ W2"),
        ((term(1, (j,), X, W1), term(1, (), Entry("c", (a,)))), (i, a), "X @ W1 + c"),
    ],
)
def test_the_expression_is_the_one_people_write(expr: Expr, free: Any, code: str) -> None:
    assert matrix_code(expr, free, NAMES) == code


def test_the_gradient_of_an_embedding_adds_rows_where_labels_repeat() -> None:
    expr = (term(1, (i,), X, Delta(k, Y)),)
    code = statements(expr, (k, j), NAMES, "dE")
    assert code == "dE = np.zeros((K, D))\nnp.add.at(dE, y, X)"


def test_statements_never_write_into_an_array_they_read() -> None:
    expr = (term(1, (), Entry("E", (k, j))), term(-1, (i,), X, Delta(k, Y)))
    space: dict[str, Any] = {"E": np.ones((5, 4)), "X": np.ones((3, 4)), "y": np.array([0, 0, 1])}
    exec(statements(expr, (k, j), NAMES, "out"), {"np": np}, space)
    assert np.array_equal(space["E"], np.ones((5, 4)))
    assert space["out"][0, 0] == -1.0


def test_a_free_index_that_is_not_in_the_result_is_an_error() -> None:
    with pytest.raises(NoForm, match="neither bound"):
        matrix_code((term(1, (), X),), (i,), NAMES)


def _random_expr(rng: np.random.Generator) -> tuple[Expr, tuple[Index | int, ...]]:
    pool: dict[Axis, list[Index]] = {
        axis: [Index(f"{axis.name}{n}", axis) for n in range(2)] for axis in SIZES
    }
    everything = [index for indices in pool.values() for index in indices]
    free = tuple(rng.permutation(np.array(everything, dtype=object))[: rng.integers(0, 3)])
    terms = []
    for _ in range(rng.integers(1, 4)):
        factors: dict[Factor, Fraction] = {}
        for _ in range(rng.integers(1, 5)):
            arrays = ["X", "W1", "W2", "hidden", "dscores", "b2", "c", "m", "Q", "reg"]
            name = str(rng.choice(arrays))
            indices = tuple(
                0 if axis is None else pool[axis][rng.integers(2)] for axis in NAMES.declared[name]
            )
            entry = Entry(name, indices)
            kind = rng.integers(10)
            factor: Factor = entry
            if kind == 7:
                factor = Mask(">", entry, Fraction(1))
            elif kind == 8:
                factor = Function("exp(-x0)", (entry,))
            elif kind == 9:
                factor = Delta(pool[K][rng.integers(2)], Entry("y", (pool[N][rng.integers(2)],)))
            exponent = Fraction(str(rng.choice(["1", "1", "1", "2", "-1", "1/2"])))
            factors[factor] = exponent if isinstance(factor, Entry) else Fraction(1)
        used = dict.fromkeys(x for f in factors for x in _indices(f))
        bound = tuple(x for x in used if x not in free)
        coefficient = Fraction(int(rng.choice([-3, -1, 1, 1, 2])), int(rng.choice([1, 1, 2, 3, 100])))
        terms.append(Term(coefficient, bound, tuple(factors.items())))
    shape = tuple(free[:1]) + (0,) * int(rng.integers(0, 2)) + tuple(free[1:])
    return tuple(terms), shape


def _indices(factor: Any) -> list[Index]:
    if isinstance(factor, Index):
        return [factor]
    if isinstance(factor, Entry):
        return [x for index in factor.indices for x in _indices(index)]
    if isinstance(factor, Mask):
        return _indices(factor.left)
    if isinstance(factor, Function):
        return [x for argument in factor.arguments for x in _indices(argument)]
    if isinstance(factor, Delta):
        return _indices(factor.over) + _indices(factor.at)
    return []


def test_random_expressions_have_the_same_value_in_every_form(make_world: Any) -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(300):
        expr, free = _random_expr(rng)
        values: dict[str, Any] = {
            name: rng.uniform(0.5, 2.0, tuple(1 if axis is None else SIZES[axis] for axis in axes))
            for name, axes in NAMES.declared.items()
        }
        values |= {"y": rng.integers(0, 5, 3), "reg": 0.3, "N": 3, "D": 4, "h": 2, "K": 5}
        world = make_world(SIZES, dict(NAMES.declared), values)
        right = world.evaluate(expr, free)
        open_value = world.run(open_code(expr, free, NAMES))
        assert np.shape(open_value) == right.shape
        np.testing.assert_allclose(open_value, right, 1e-9, 1e-9, err_msg=open_code(expr, free, NAMES))
        value = world.run(statements(expr, free, NAMES, "answer"), "answer")
        assert np.shape(value) == right.shape
        np.testing.assert_allclose(value, right, rtol=1e-9, atol=1e-9)
        try:
            code = matrix_code(expr, free, NAMES)
        except NoForm:
            continue
        found += 1
        value = world.run(f"result = {code}")
        assert np.shape(value) == right.shape, code
        np.testing.assert_allclose(value, right, rtol=1e-9, atol=1e-9, err_msg=code)
    assert found > 250
