"""Every row of the table of operations, and every derivative of it, in every printed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.ops.table_cases import CASES, Case
from tests.ops.test_table import Prepared
from tracer.calculus import evaluate, vector_jacobian
from tracer.calculus.printing import DeclaredNames, Letters, NoForm, loops, matrix_code, open_code, statements
from tracer.calculus.terms import Axis, Expr, Index
from tracer.formula import Symbols, index_form, matrix_formula, render


def _expressions(prepared: Prepared) -> list[tuple[Expr, tuple[Index | int, ...]]]:
    found = [(prepared.definition.expr, prepared.definition.free)]
    for name, array in prepared.arrays.items():
        if array.dtype.kind == "f":
            axes = prepared.table.axes(name, array.shape)
            step = vector_jacobian(prepared.definition, name, "G", axes)
            found += [(step.chained, step.free), (step.result, step.free)]
    return found


def _run(code: str, values: dict[str, Any], result: str) -> Any:
    space = {name: np.array(value) for name, value in values.items()}
    with np.errstate(all="ignore"):
        exec(compile(code, "printed", "exec"), {"np": np}, space)
    assert all(np.array_equal(space[name], value) for name, value in values.items()), code
    return space[result]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_form_has_the_value_of_the_formula(case: Case) -> None:
    prepared = Prepared(case)
    weights = np.random.default_rng(1).normal(size=prepared.result.shape)
    values = {**prepared.values, "out": prepared.result, "G": weights}
    plain = {name.replace(".", "_"): value for name, value in values.items()}
    declared = {name: prepared.table.axes(name, array.shape) for name, array in prepared.arrays.items()}
    out = tuple(index.axis if isinstance(index, Index) else None for index in prepared.definition.free)
    declared |= {"out": out, "G": out}
    names = DeclaredNames(
        declared,
        texts={name: name.replace(".", "_") for name in values},
        sizes={Axis(axis): str(size) for axis, size in prepared.table.sizes().items()},
        integers=frozenset(name for name, value in values.items() if np.asarray(value).dtype.kind == "i"),
        booleans=frozenset(name for name, value in values.items() if np.asarray(value).dtype.kind == "b"),
    )
    for expr, free in _expressions(prepared):
        right = evaluate(expr, free, values, prepared.table.sizes())
        codes = {
            "open": open_code(expr, free, names).replace("result", "answer"),
            "loops": loops(expr, free, names, "answer"),
            "statements": statements(expr, free, names, "answer"),
        }
        try:
            codes["matrix"] = f"answer = {matrix_code(expr, free, names)}"
            render(matrix_formula(expr, free, names, Symbols()))
        except NoForm:
            pass
        for form, code in codes.items():
            value = _run(code, plain, "answer")
            assert np.shape(value) == right.shape, (form, code)
            np.testing.assert_allclose(
                np.asarray(value, dtype=float), right, rtol=1e-9, atol=1e-11, err_msg=f"{form}\n{code}"
            )
        render(index_form(expr, free, Letters.of(free, expr), Symbols(), names))
