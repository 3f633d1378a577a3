"""Every row of the table: its formula is what NumPy computes, and its derivative is right for every operand."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from choosing_cases import CHOOSING_CASES
from complex_cases import COMPLEX_CASES
from more_cases import MORE_CASES
from numeric_cases import NUMERIC_CASES
from scipy_cases import SCIPY_CASES
from table_cases import CASES as FIRST_CASES
from table_cases import Array, Case

from tracer.calculus import VectorJacobian, arrays_in, constant, evaluate, shown_axes, vector_jacobian
from tracer.calculus.linearised import is_linearised
from tracer.calculus.printing import DeclaredNames
from tracer.calculus.terms import Axes, Axis, Definition, Expr, Index, Term
from tracer.gradients.rules import product_code
from tracer.ops import (
    OPERATIONS,
    UNDIFFERENTIABLE,
    AxisTable,
    NoFormula,
    Operand,
    auxiliary,
    define,
    held_values,
)

CASES = [*FIRST_CASES, *MORE_CASES, *CHOOSING_CASES, *NUMERIC_CASES, *SCIPY_CASES]


class Prepared:
    """A case with its arrays as operands, its definition and the values for evaluating it."""

    def __init__(self, case: Case) -> None:
        self.case, self.table = case, AxisTable()
        self.arrays: dict[str, Array] = {}
        self.operands = tuple(self._operand(o) for o in case.operands)
        self.result = np.asarray(case.call(*case.operands), dtype=float)
        self.definition = self.define()
        self.definition = self.define()
        self.values: dict[str, Any] = held_values({**self.arrays, **self.auxiliary(), "out": self.result})

    def define(self) -> Definition:
        shape = self.result.shape
        return define(self.case.op, "out", self.operands, self.case.arguments, self.table, shape)

    def auxiliary(self) -> dict[str, Array]:
        return auxiliary(self.case.op, "out", self.operands, self.case.arguments)

    def _operand(self, item: Any) -> Any:
        if isinstance(item, np.ndarray):
            number = len(self.arrays)
            name = "ABCDEFGH"[number]
            self.arrays[name] = item
            source = self.case.sources.get(number, "")
            return self.table.operand(name, item.shape, dtype=str(item.dtype), value=item, source=source)
        if isinstance(item, tuple):
            return tuple(self._operand(i) for i in item)
        return item

    def evaluate(self, definition: Definition) -> Array:
        return evaluate(definition.expr, definition.free, self.values, self.table.sizes())

    def call(self, name: str, value: Array) -> Array:
        """What NumPy computes with another value for one of the arrays."""
        names = iter(self.arrays)

        def replaced(item: Any) -> Any:
            if isinstance(item, np.ndarray):
                return value if next(names) == name else item
            return tuple(replaced(i) for i in item) if isinstance(item, tuple) else item

        return np.asarray(self.case.call(*(replaced(o) for o in self.case.operands)), dtype=float)


def differences(prepared: Prepared, name: str, weights: Array, step: float = 1e-6) -> Array:
    """∂⟨weights, out⟩/∂array by central differences."""
    x = prepared.arrays[name]
    result = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        result[place] = ((prepared.call(name, up) - prepared.call(name, down)) * weights).sum() / (2 * step)
    return result


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_formula_is_what_numpy_computes(case: Case) -> None:
    prepared = Prepared(case)
    found = prepared.evaluate(prepared.definition)
    assert found.shape == prepared.result.shape
    np.testing.assert_allclose(found, prepared.result, rtol=1e-12, atol=1e-12)
    definition = prepared.definition
    if not is_linearised(definition):  # which is no code that anybody would write
        code = printed(prepared, definition.expr, definition.free, np.ones(found.shape))
        np.testing.assert_allclose(np.broadcast_to(code, found.shape), found, rtol=1e-9, atol=1e-11)


def derivatives(prepared: Prepared) -> Iterator[tuple[str, Axes, VectorJacobian]]:
    """The vector-Jacobian product of a case by each of its arrays of floats."""
    for name, array in prepared.arrays.items():
        if array.dtype.kind == "f":
            axes = prepared.table.axes(name, array.shape)
            yield name, axes, vector_jacobian(prepared.definition, name, "G", axes)


def printed(prepared: Prepared, expr: Expr, free: tuple[Index | int, ...], weights: Array) -> Array:
    """What the printed NumPy code of an expression computes."""
    used = arrays_in(expr) | set(prepared.arrays) | {"G"}
    values = {**prepared.values, "G": weights}
    shapes = {**{n: a.shape for n, a in prepared.arrays.items()}, "out": prepared.result.shape}
    declared = {n: prepared.table.axes(n, shapes[n]) for n in used if n in shapes}
    declared["G"] = prepared.table.axes("out", shapes["out"])
    for name in used - set(declared):
        axes = shown_axes(expr, name)
        if axes is not None:
            declared[name] = axes
    sizes = {Axis(n): str(size) for n, size in prepared.table.sizes().items()}
    booleans = frozenset(n for n, a in prepared.arrays.items() if a.dtype == bool)
    texts = {n: n.replace(".", "_") for n in used}
    names = DeclaredNames(declared, texts, sizes, booleans=booleans)
    space: dict[str, Any] = {"np": np, **{n.replace(".", "_"): v for n, v in values.items()}}
    exec(product_code(expr, free, names), space)
    return np.asarray(space["result"], dtype=float)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_derivative_is_that_of_finite_differences_for_every_operand(case: Case) -> None:
    prepared = Prepared(case)
    weights = np.random.default_rng(1).normal(size=prepared.result.shape)
    values = {**prepared.values, "G": weights}
    for name, _, step in derivatives(prepared):
        sizes = prepared.table.sizes()
        found = evaluate(step.result, step.free, values, sizes)
        numeric = differences(prepared, name, weights)
        np.testing.assert_allclose(found, numeric, rtol=2e-5, atol=2e-6)
        chained = evaluate(step.chained, step.free, values, sizes)
        np.testing.assert_allclose(chained, found, rtol=1e-9, atol=1e-12)
        code = np.broadcast_to(printed(prepared, step.result, step.free, weights), found.shape)
        np.testing.assert_allclose(code, found, rtol=1e-9, atol=1e-11)
        for position, term in enumerate(step.result):
            part = evaluate((term,), step.free, values, sizes)
            if np.abs(part).max(initial=0.0) > 1e-3:  # a corrupted rule fails
                wrong = Term(term.coefficient + Fraction(1, 3), term.bound, term.factors)
                terms = (*step.result[:position], wrong, *step.result[position + 1 :])
                corrupted = evaluate(terms, step.free, values, sizes)
                assert not np.allclose(corrupted, numeric, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_corrupted_coefficient_is_noticed(case: Case) -> None:
    prepared = Prepared(case)
    if is_linearised(prepared.definition):
        return  # its value says nothing of its differential; the derivatives above are corrupted instead
    if not prepared.result.size:
        return  # an array without entries has none that could be wrong
    if not prepared.result.any():
        assert not np.allclose(prepared.evaluate(Definition("out", (), constant(1))), prepared.result)
        return
    for position, term in enumerate(prepared.definition.expr):
        alone = Definition("out", prepared.definition.free, (term,))
        if not prepared.evaluate(alone).any():
            continue
        wrong = Term(term.coefficient + Fraction(1, 3), term.bound, term.factors)
        terms = (*prepared.definition.expr[:position], wrong, *prepared.definition.expr[position + 1 :])
        found = prepared.evaluate(Definition("out", prepared.definition.free, terms))
        assert not np.allclose(found, prepared.result, rtol=1e-9, atol=1e-12)


def test_every_operation_of_the_table_has_a_case() -> None:
    covered = {id(OPERATIONS[case.op]) for case in [*CASES, *COMPLEX_CASES]}
    missing = {row.names[0] for row in OPERATIONS.values() if id(row) not in covered}
    assert missing == set()


#: Operations that take shapes of one kind only, or whose forms stand in `table_cases` one by one.
FEW_SHAPES = {
    "float", "item", "int", "bool", "sum_of", "full", "zeros", "ones", "axis_size", "size", "eye", "identity", "tri", "linspace",
    "array", "array_split", "astype", "append", "broadcast_to", "c_", "clip", "column_stack", "concatenate", "dstack",
    "diagflat", "expand_dims", "fill_diagonal", "hstack", "invert", "linalg.matrix_power", "linalg.multi_dot",
    "logical_and", "logical_not", "logical_or", "bitwise_and", "bitwise_or", "moveaxis", "outer", "pad", "r_", "squeeze",
    "stack", "swapaxes", "take", "take_along_axis", "tensordot", "transpose", "trapezoid", "vdot", "vstack", "where",
    "inner", "pi", "e", "block", "bincount", "log_base", "prod_of",
}  # fmt: skip


def test_an_operation_is_tried_in_at_least_six_ways() -> None:
    ways: dict[str, set[str]] = {}
    for case in CASES:
        ways.setdefault(OPERATIONS[case.op].names[0], set()).add(str(case))
    few = {name for name, seen in ways.items() if len(seen) < 6 and not name.endswith(".outer")}
    assert few <= FEW_SHAPES


def test_every_operation_states_its_formula() -> None:
    assert all("out" in row.formula for row in OPERATIONS.values())


def test_what_has_no_derivative_is_declared_with_a_reason_and_has_no_row() -> None:
    assert UNDIFFERENTIABLE.keys().isdisjoint(OPERATIONS)
    for name, reason in UNDIFFERENTIABLE.items():
        with pytest.raises(NoFormula, match=f"^{re.escape(f'{name}: {reason}')}$"):
            define(name, "out", (), {}, AxisTable(), (3,))


def test_an_unknown_operation_has_no_formula() -> None:
    with pytest.raises(NoFormula, match="of_no_kind: there is no formula for this operation"):
        define("of_no_kind", "out", (), {}, AxisTable(), (3,))


def test_an_operand_cannot_be_iterated_over_by_mistake() -> None:
    with pytest.raises(TypeError, match="written with indices"):
        list(Operand("x", (3,), AxisTable()))
