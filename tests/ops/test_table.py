"""Every row of the table: its formula is what NumPy computes, and its derivative is right for every operand."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from table_cases import CASES, Array, Case

from tracer.calculus import constant, evaluate, vector_jacobian
from tracer.calculus.terms import Definition, Term
from tracer.ops import OPERATIONS, AxisTable, NoFormula, Operand, auxiliary, define


class Prepared:
    """A case with its arrays as operands, its definition and the values for evaluating it."""

    def __init__(self, case: Case) -> None:
        self.case, self.table = case, AxisTable()
        self.arrays: dict[str, Array] = {}
        self.operands = tuple(self._operand(o) for o in case.operands)
        self.result = np.asarray(case.call(*case.operands), dtype=float)
        self.definition = self.define()
        self.definition = self.define()
        self.values: dict[str, Any] = {**self.arrays, **self.auxiliary()}

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


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_derivative_is_that_of_finite_differences_for_every_operand(case: Case) -> None:
    prepared = Prepared(case)
    weights = np.random.default_rng(1).normal(size=prepared.result.shape)
    values = {**prepared.values, "out": prepared.result, "G": weights}
    for name, array in prepared.arrays.items():
        if array.dtype.kind != "f":
            continue
        axes = prepared.table.axes(name, array.shape)
        step = vector_jacobian(prepared.definition, name, "G", axes)
        found = evaluate(step.result, step.free, values, prepared.table.sizes())
        np.testing.assert_allclose(found, differences(prepared, name, weights), rtol=2e-5, atol=2e-6)
        chained = evaluate(step.chained, step.free, values, prepared.table.sizes())
        np.testing.assert_allclose(chained, found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_corrupted_coefficient_is_noticed(case: Case) -> None:
    prepared = Prepared(case)
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
    covered = {id(OPERATIONS[case.op]) for case in CASES}
    missing = {row.names[0] for row in OPERATIONS.values() if id(row) not in covered}
    assert missing == set()


def test_every_operation_states_its_formula() -> None:
    assert all("out" in row.formula for row in OPERATIONS.values())


def test_an_unknown_operation_has_no_formula() -> None:
    with pytest.raises(NoFormula, match="fft: there is no formula for this operation"):
        define("fft", "out", (), {}, AxisTable(), (3,))


def test_an_operand_cannot_be_iterated_over_by_mistake() -> None:
    with pytest.raises(TypeError, match="written with indices"):
        list(Operand("x", (3,), AxisTable()))
