"""An oracle that shares nothing with the printers: every entry of an expression, one at a time, in Python."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tracer.calculus.printing import DeclaredNames
from tracer.calculus.terms import (
    Affine,
    Axis,
    Condition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Size,
    Term,
)

RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
SCALAR = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "Max": max,
    "Min": min,
    "Abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "pi": math.pi,
}


@dataclass
class World:
    """Arrays of small distinct sizes, with the names that printed code calls them by."""

    sizes: dict[Axis, int]
    declared: dict[str, tuple[Axis | None, ...]]
    values: dict[str, Any]
    names: DeclaredNames = field(init=False)

    def __post_init__(self) -> None:
        self.names = DeclaredNames(
            self.declared,
            integers=frozenset(n for n, v in self.values.items() if np.asarray(v).dtype.kind == "i"),
            booleans=frozenset(n for n, v in self.values.items() if np.asarray(v).dtype.kind == "b"),
        )

    def _position(self, index: IndexExpr, at: Mapping[Index, int]) -> int:
        if isinstance(index, int):
            return index
        if isinstance(index, Index):
            return at[index]
        if isinstance(index, Entry):
            return int(self._number(index, at))
        assert isinstance(index, Affine)
        where = index.constant + sum(self.sizes[axis] for axis in index.sizes)
        for atom, coefficient in index.parts:
            step = self.sizes[coefficient] if isinstance(coefficient, Axis) else coefficient
            where += step * self._position(atom, at)
        return where

    def _number(self, entry: Entry, at: Mapping[Index, int]) -> float:
        where = tuple(self._position(index, at) for index in entry.indices)
        assert all(place >= 0 for place in where)
        return float(np.asarray(self.values[entry.array])[where])

    def _factor(self, factor: Factor, at: Mapping[Index, int]) -> float:
        match factor:
            case Entry():
                return self._number(factor, at)
            case Size(axis):
                return float(self.sizes[axis])
            case Delta(over, other):
                return float(self._position(over, at) == self._position(other, at))
            case Condition(relation, left, right):
                return float(RELATIONS[relation](self._position(left, at), self._position(right, at)))
            case Mask(relation, left, right):
                a, b = (self._number(s, at) if isinstance(s, Entry) else float(s) for s in (left, right))
                return float(RELATIONS[relation](a, b))
            case Function(name, arguments):
                known = {f"x{n}": self._number(argument, at) for n, argument in enumerate(arguments)}
                return float(eval(name, {**SCALAR, **known}))

    def _term(self, term: Term, at: Mapping[Index, int]) -> float:
        total = 0.0
        for places in itertools.product(*(range(self.sizes[index.axis]) for index in term.bound)):
            here = {**at, **dict(zip(term.bound, places, strict=True))}
            value = float(term.coefficient)
            conditions = [f for f, _ in term.factors if isinstance(f, Condition)]
            if all(self._factor(f, here) for f in conditions):
                for factor, exponent in term.factors:
                    value *= self._factor(factor, here) ** float(exponent)
                total += value
        return total

    def evaluate(self, expr: Expr, free: tuple[Index | int, ...]) -> np.ndarray:
        """The value of an expression, by brute force."""
        result = np.zeros(self.shape(free))
        real = [index for index in free if isinstance(index, Index)]
        for places in itertools.product(*(range(self.sizes[index.axis]) for index in real)):
            at = dict(zip(real, places, strict=True))
            where = tuple(at[index] if isinstance(index, Index) else 0 for index in free)
            result[where] = sum(self._term(term, at) for term in expr)
        return result

    def shape(self, free: tuple[Index | int, ...]) -> tuple[int, ...]:
        return tuple(self.sizes[index.axis] if isinstance(index, Index) else 1 for index in free)

    def run(self, code: str, result: str = "result") -> Any:
        """What printed statements leave in ``result``; every input must be left as it was."""
        space = {name: np.array(v) if isinstance(v, np.ndarray) else v for name, v in self.values.items()}
        with np.errstate(all="raise"):
            exec(compile(code, "printed", "exec"), {"np": np}, space)
        return space[result]


N, D, H, K = Axis("N"), Axis("D"), Axis("h"), Axis("K")
ROW, WIDE = Axis("row"), Axis("wide")
i, j, a, k = Index("n1", N), Index("d1", D), Index("h1", H), Index("k1", K)


@pytest.fixture
def world() -> World:
    """Data of 3 rows and 4 columns, weights to 2 units and 5 classes, labels, masks, scalars."""
    rng = np.random.default_rng(7)
    sizes = {N: 3, D: 4, H: 2, K: 5, WIDE: 9}
    declared: dict[str, tuple[Axis | None, ...]] = {
        "X": (N, D),
        "Z": (N, D),
        "W": (D, H),
        "V": (H, K),
        "G": (N, H),
        "P": (N, K),
        "b": (None, H),
        "c": (H,),
        "m": (N, None),
        "E": (K, D),
        "Q": (N, D, H),
        "S": (N, N),
        "t": (WIDE,),
        "y": (N,),
        "z": (N,),
        "T": (D, D),
        "on": (N, D),
        "reg": (),
    }
    values: dict[str, Any] = {
        name: rng.uniform(0.5, 2.0, tuple(1 if x is None else sizes[x] for x in axes))
        for name, axes in declared.items()
    }
    values["z"] = np.array([2, 0, 2])
    values["y"] = rng.permutation(5)[:3]
    values["on"] = np.array([[True, False, True, True], [False, True, True, False], [True] * 4])
    values["reg"] = 0.1
    return World(sizes, declared, values)


@pytest.fixture
def make_world() -> type[World]:
    """Worlds of a test's own arrays."""
    return World


def term(
    coefficient: Fraction | int, bound: tuple[Index, ...], *factors: Factor | tuple[Factor, Any]
) -> Term:
    """A term; a factor alone has the exponent one."""
    pairs = tuple(f if isinstance(f, tuple) else (f, 1) for f in factors)
    return Term(Fraction(coefficient), bound, tuple((f, Fraction(e)) for f, e in pairs))


@dataclass(frozen=True)
class Case:
    """An expression with the axes of its result."""

    name: str
    expr: Expr
    free: tuple[Index | int, ...]


def _cases() -> list[Case]:
    i2, j2, k2, w = Index("n2", N), Index("d2", D), Index("k2", K), Index("w", WIDE)
    X, Z, W, G, P = (
        Entry("X", (i, j)),
        Entry("Z", (i, j)),
        Entry("W", (j, a)),
        Entry("G", (i, a)),
        Entry("P", (i, k)),
    )
    y, half = Entry("y", (i,)), Fraction(1, 2)
    reg = Entry("reg")
    return [
        Case("zero", (), (i, j)),
        Case("one", (term(1, ()),), (i, 0)),
        Case("array", (term(1, (), X),), (i, j)),
        Case("negated", (term(-1, (), X),), (i, j)),
        Case("matrix product", (term(1, (j,), X, W),), (i, a)),
        Case("gradient of the left operand", (term(1, (a,), G, W),), (i, j)),
        Case("gradient of the right operand", (term(1, (i,), X, G),), (j, a)),
        Case("transposed product", (term(1, (j,), X, W),), (a, i)),
        Case("masked product", (term(1, (a,), G, W, Mask(">", Z, Fraction(1))),), (i, j)),
        Case("mask between arrays", (term(-1, (), X, Mask(">=", Z, X)),), (i, j)),
        Case("mask alone", (term(-1, (), Mask(">", Z, Fraction(1))),), (i, j)),
        Case("two masks", (term(1, (), Mask(">", Z, Fraction(1)), Mask(">", X, Fraction(1))),), (i, j)),
        Case("sum over axis 0", (term(1, (i,), G),), (a,)),
        Case("sum over axis 0, kept", (term(1, (i,), G),), (0, a)),
        Case("sum over axis 1, kept", (term(1, (a,), G),), (i, 0)),
        Case("sum of everything", (term(1, (i, a), G),), ()),
        Case("mean of everything", (term(1, (i, a), G, (Size(N), -1), (Size(H), -1)),), ()),
        Case("sum of squares", (term(half, (j, a), reg, (W, 2)),), ()),
        Case("repeated row", (term(1, (), Entry("b", (0, a))),), (i, a)),
        Case("repeated scalar", (term(3, (), reg),), (i, a)),
        Case("row plus matrix", (term(1, (), Entry("b", (0, a))), term(1, (j,), X, W)), (i, a)),
        Case("vector plus matrix", (term(1, (), Entry("c", (a,))), term(1, (), G)), (i, a)),
        Case("column times matrix", (term(1, (), Entry("m", (i, 0)), X),), (i, j)),
        Case("matrix over column", (term(1, (), X, (Entry("m", (i, 0)), -1)),), (i, j)),
        Case(
            "softmax and cross-entropy",
            (
                term(1, (), P, (Size(N), -1)),
                term(-1, (), Delta(k, y), (Size(N), -1)),
            ),
            (i, k),
        ),
        Case("one-hot rows", (term(1, (), Delta(k, y)),), (i, k)),
        Case("minus one-hot rows", (term(-1, (), Delta(k, y)),), (i, k)),
        Case("one-hot rows times a column", (term(-1, (), Delta(k, y), Entry("m", (i, 0))),), (i, k)),
        Case("gather", (term(1, (), Entry("P", (i, y))),), (i,)),
        Case(
            "cross-entropy", (term(-1, (i,), Function("log(x0)", (Entry("P", (i, y)),)), (Size(N), -1)),), ()
        ),
        Case("gather of rows", (term(1, (), Entry("E", (y, j))),), (i, j)),
        Case("scatter of rows", (term(1, (i,), X, Delta(k, y)),), (k, j)),
        Case("scatter of entries", (term(2, (), Entry("m", (i, 0)), Delta(k, y)),), (i, k)),
        Case("identity", (term(1, (), Delta(i, i2)),), (i, i2)),
        Case("unit vector", (term(1, (), Delta(i, 1)),), (i,)),
        Case(
            "softmax Jacobian",
            (
                term(1, (), P, Entry("Q5", (i, k))),
                term(-1, (k2,), P, Entry("P", (i, k2)), Entry("Q5", (i, k2))),
            ),
            (i, k),
        ),
        Case("exponents", (term(Fraction(3, 2), (), (X, -half), (Z, 3), (reg, Fraction(1, 3))),), (i, j)),
        Case("coefficient one third", (term(Fraction(1, 3), (), X),), (i, j)),
        Case("coefficient one hundredth", (term(Fraction(-1, 100), (), X),), (i, j)),
        Case("tanh", (term(1, (), G, (Function("1 - tanh(x0)**2", (Entry("c", (a,)),)), 1)),), (i, a)),
        Case("sigmoid", (term(1, (), (Function("1/(1 + exp(-x0))", (X,)), 1)),), (i, j)),
        Case("two arguments", (term(1, (j,), Function("Max(x0, x1)", (X, Z)), W),), (i, a)),
        Case("a constant", (term(2, (), Function("pi", ()), X),), (i, j)),
        Case("reciprocal of a function", (term(1, (), (Function("1 + exp(x0)", (X,)), -1)),), (i, j)),
        Case("lower triangle", (term(1, (i2,), Entry("S", (i, i2)), Condition("<=", i2, i)),), (i,)),
        Case("triangle of ones", (term(1, (), Condition("<=", i2, i)),), (i, i2)),
        Case("slice with a step", (term(1, (), Entry("t", (Affine(((j, 2),), 1),))),), (j,)),
        Case(
            "scatter with a step", (term(1, (j,), Delta(w, Affine(((j, 2),), 1)), Entry("X", (0, j))),), (w,)
        ),
        Case("reversed", (term(1, (), Entry("t", (Affine(((w, -1),), -1, (WIDE,)),))),), (w,)),
        Case(
            "window",
            (
                term(
                    1,
                    (a,),
                    Entry(
                        "t",
                        (
                            Affine(
                                ((j, 1), (a, 1)),
                            ),
                        ),
                    ),
                    Entry("c", (a,)),
                ),
            ),
            (j,),
        ),
        Case(
            "flattened",
            (
                term(
                    1,
                    (),
                    Entry(
                        "t",
                        (
                            Affine(
                                ((j, H), (a, 1)),
                            ),
                        ),
                    ),
                ),
            ),
            (j, a),
        ),
        Case(
            "second piece",
            (term(1, (), Entry("c", (Affine(((w, 1),), -3),)), Condition(">=", w, 3), Condition("<", w, 5)),),
            (w,),
        ),
        Case("a fixed row", (term(1, (), Entry("X", (1, j))),), (j,)),
        Case("booleans as numbers", (term(-1, (), Entry("on", (i, j))),), (i, j)),
        Case("booleans times numbers", (term(-1, (), Entry("on", (i, j)), X),), (i, j)),
        Case("one minus booleans", (term(1, ()), term(-1, (), Entry("on", (i, j)))), (i, j)),
        Case("sum of booleans", (term(1, (i,), Entry("on", (i, j))),), (j,)),
        Case("product of booleans", (term(1, (i,), Entry("on", (i, j)), Entry("on", (i, j2))),), (j, j2)),
        Case("unused sum", (term(1, (k,), X),), (i, j)),
        Case("three factors", (term(1, (j, a), X, W, Entry("V", (a, k))),), (i, k)),
        Case("shared index", (term(1, (j,), X, W, Entry("Q", (i, j, a))),), (i, a)),
        Case("three dimensions", (term(1, (i,), Entry("Q", (i, j, a)), X),), (a, j)),
        Case("trace", (term(1, (i,), Entry("S", (i, i))),), ()),
        Case("diagonal", (term(1, (), Entry("S", (i, i))),), (i,)),
        Case("outer product", (term(1, (), Entry("m", (i, 0)), Entry("c", (a,))),), (i, a)),
        Case("square", (term(1, (i2,), Entry("S", (i, i2)), Entry("S", (i2, i))),), (i,)),
        Case("both triangles", (term(1, (), Entry("S", (i, i2))), term(1, (), Entry("S", (i2, i)))), (i, i2)),
        Case(
            "factored sum",
            (
                term(1, (), G, Entry("c", (a,))),
                term(-1, (), (G, 2), Entry("c", (a,))),
            ),
            (i, a),
        ),
        Case("weights and decay", (term(1, (i,), X, G), term(1, (), reg, W)), (j, a)),
        Case("size-one axes in front", (term(1, (), Entry("c", (a,))),), (0, 0, a)),
        Case("size-one axis in the middle", (term(1, (), X),), (i, 0, j)),
    ]


CASES = _cases()


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request: pytest.FixtureRequest, world: World) -> Case:
    """Each expression of the table in turn."""
    found: Case = request.param
    if "Q5" not in world.values:
        world.declared["Q5"] = (N, K)
        world.values["Q5"] = np.random.default_rng(8).uniform(0.5, 2.0, (3, 5))
    return found
