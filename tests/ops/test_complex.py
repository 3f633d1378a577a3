"""Operations on complex numbers: their formulas, and their gradients with the convention g = ∂L/∂Re z − i ∂L/∂Im z."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from complex_cases import COMPLEX_CASES as FIRST_CASES
from complex_cases import complex_, real
from complex_linear_cases import COMPLEX_LINEAR_CASES
from table_cases import Array, Case

from tracer.calculus import VectorJacobian, arrays_in, evaluate, shown_axes, vector_jacobian
from tracer.calculus.complex_values import as_real_part, conjugate, conjugate_of, is_complex, marked
from tracer.calculus.printing import DeclaredNames
from tracer.calculus.terms import Axes, Axis, Definition, Expr, Index
from tracer.gradients.rules import product_code
from tracer.ops import OPERATIONS, AxisTable, NoFormula, auxiliary, define, held_values

COMPLEX_CASES = [*FIRST_CASES, *COMPLEX_LINEAR_CASES]


class Prepared:
    """A case with its arrays as operands, its definition and the values for evaluating it."""

    def __init__(self, case: Case) -> None:
        self.case, self.table = case, AxisTable()
        self.arrays: dict[str, Array] = {}
        self.operands = tuple(self._operand(o) for o in case.operands)
        self.result = np.asarray(case.call(*case.operands))
        self.out = marked("out", np.iscomplexobj(self.result))
        self.definition = self.define()
        self.definition = self.define()  # the second time equal axes are known
        looked_up = auxiliary(case.op, self.out, self.operands, case.arguments)
        self.values: dict[str, Any] = held_values({**self.arrays, **looked_up, self.out: self.result})

    def define(self) -> Definition:
        shape, kind = self.result.shape, str(self.result.dtype)
        return define(self.case.op, self.out, self.operands, self.case.arguments, self.table, shape, kind)

    def _operand(self, item: Any) -> Any:
        if isinstance(item, np.ndarray):
            name = marked("ABCDEFGH"[len(self.arrays)], np.iscomplexobj(item))
            self.arrays[name] = item
            return self.table.operand(name, item.shape, dtype=str(item.dtype), value=item)
        return tuple(map(self._operand, item)) if isinstance(item, tuple) else item

    def evaluate(self, expr: Expr, free: tuple[Index | int, ...], weights: Any = None) -> Array:
        upstream = marked("G", np.iscomplexobj(self.result))
        values = self.values if weights is None else {**self.values, **held_values({upstream: weights})}
        return evaluate(expr, free, values, self.table.sizes())

    def call(self, name: str, value: Array) -> Array:
        names = iter(self.arrays)

        def replaced(item: Any) -> Any:
            if isinstance(item, np.ndarray):
                return value if next(names) == name else item
            return tuple(map(replaced, item)) if isinstance(item, tuple) else item

        return np.asarray(self.case.call(*map(replaced, self.case.operands)))

    def derivatives(self) -> Iterator[tuple[str, Axes, VectorJacobian]]:
        upstream = marked("G", np.iscomplexobj(self.result))
        for name, array in self.arrays.items():
            if array.dtype.kind in "fc":
                axes = self.table.axes(name, array.shape)
                yield name, axes, vector_jacobian(self.definition, name, upstream, axes)


def weights_for(prepared: Prepared) -> Array:
    rng = np.random.default_rng(5)
    drawn = rng.standard_normal(prepared.result.shape)
    return drawn + 1j * rng.standard_normal(drawn.shape) if np.iscomplexobj(prepared.result) else drawn


def differences(prepared: Prepared, name: str, weights: Array, step: float = 1e-6) -> Array:
    """∂L/∂Re − i ∂L/∂Im of L = Re Σ g out, entry by entry."""
    x = prepared.arrays[name]
    result = np.zeros(x.shape, dtype=x.dtype)
    for place in np.ndindex(*x.shape):
        for direction in (1, 1j) if np.iscomplexobj(x) else (1,):
            up, down = x.copy(), x.copy()
            up[place] += step * direction
            down[place] -= step * direction
            moved = prepared.call(name, up) - prepared.call(name, down)
            result[place] += np.conj(direction) * np.sum(weights * moved).real / (2 * step)
    return result


@pytest.mark.parametrize("case", COMPLEX_CASES, ids=str)
def test_the_formula_is_what_numpy_computes(case: Case) -> None:
    prepared = Prepared(case)
    found = prepared.evaluate(prepared.definition.expr, prepared.definition.free)
    np.testing.assert_allclose(found, prepared.result, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", COMPLEX_CASES, ids=str)
def test_the_derivative_by_every_operand_is_the_difference_in_its_real_and_imaginary_part(case: Case) -> None:
    prepared = Prepared(case)
    weights = weights_for(prepared)
    compared = 0
    for name, _, derived in prepared.derivatives():
        found = prepared.evaluate(derived.result, derived.free, weights)
        np.testing.assert_allclose(found, differences(prepared, name, weights), rtol=1e-6, atol=1e-7)
        compared += 1
    assert compared


@pytest.mark.parametrize("case", COMPLEX_CASES, ids=str)
def test_the_printed_code_computes_the_derivative(case: Case) -> None:
    prepared = Prepared(case)
    weights = weights_for(prepared)
    for _, _, derived in prepared.derivatives():
        code = printed(prepared, derived.result, derived.free, weights)
        found = prepared.evaluate(derived.result, derived.free, weights)
        np.testing.assert_allclose(np.broadcast_to(code, found.shape), found, rtol=1e-9, atol=1e-11)


def printed(prepared: Prepared, expr: Expr, free: tuple[Index | int, ...], weights: Array) -> Array:
    upstream = marked("G", np.iscomplexobj(prepared.result))
    values = held_values({**prepared.values, upstream: weights})
    used = arrays_in(expr) | set(prepared.arrays) | {upstream}
    shapes = {**{n: a.shape for n, a in prepared.arrays.items()}, upstream: prepared.result.shape}
    declared: dict[str, Axes] = {}
    for name in used:
        base = name if name in shapes else conjugate_of(name)
        axes = prepared.table.axes(prepared.out if base == upstream else base, shapes[base]) if base in shapes else None
        axes = shown_axes(expr, name) if axes is None else axes
        if axes is not None:
            declared[name] = axes
    texts = {n: n.replace(".", "_") for n in used}
    sizes = {Axis(n): str(size) for n, size in prepared.table.sizes().items()}
    booleans = frozenset(n for n, a in prepared.arrays.items() if a.dtype == bool)
    space: dict[str, Any] = {"np": np, **{n.replace(".", "_"): v for n, v in values.items()}}
    exec(product_code(expr, free, DeclaredNames(declared, texts, sizes, booleans=booleans)), space)
    return np.asarray(space["result"])


def test_a_derivative_with_the_conjugate_left_out_is_seen_to_be_wrong() -> None:
    """The negative control: |z|² has the derivative z̄, not z."""
    prepared = Prepared(Case("absolute", (complex_(4, 3),), np.absolute))
    weights = weights_for(prepared)
    (name, _, derived), = prepared.derivatives()
    wrong = prepared.evaluate(conjugate(derived.result), derived.free, weights)
    assert np.max(np.abs(wrong - differences(prepared, name, weights))) > 0.1


@pytest.mark.parametrize("op", ["maximum", "greater", "sign", "max", "sort", "median", "clip", "ptp", "linalg.cond", "less"])
def test_what_compares_numbers_or_is_written_for_real_ones_has_no_formula_for_complex_ones(op: str) -> None:
    table = AxisTable()
    operands = [table.operand("Aζ", (3, 3), dtype="complex128", value=complex_(3, 3)) for _ in range(2)]
    assert op in OPERATIONS
    with pytest.raises(NoFormula, match="complex"):
        define(op, "outζ", operands[: 2 if op in ("maximum", "greater", "less") else 1], {}, table, (3, 3), "complex128")


def test_the_weights_of_a_transform_are_the_roots_of_unity() -> None:
    k = np.arange(6)
    found = auxiliary("fft.fft", "outζ", (AxisTable().operand("A", (6,), value=real(6)),), {})
    np.testing.assert_allclose(found["outζ.waveζ"], np.exp(-2j * np.pi * np.outer(k, k) / 6), atol=1e-14)


def test_a_gradient_by_real_numbers_is_seen_to_be_a_real_part() -> None:
    prepared = Prepared(Case("fft.fft", (real(5),), np.fft.fft))
    (_, _, derived), = prepared.derivatives()
    inner = as_real_part(derived.result)
    assert len(derived.result) == 2
    assert inner is not None
    assert len(inner) == 1
    weights = weights_for(prepared)
    whole = prepared.evaluate(derived.result, derived.free, weights)
    np.testing.assert_allclose(prepared.evaluate(inner, derived.free, weights).real, whole, atol=1e-12)
    assert is_complex(prepared.out)
