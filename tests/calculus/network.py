"""Small programs as definitions and values at once, for tests of proofs and closed forms."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus import add, backward, entry, evaluate, scale
from tracer.calculus.terms import Definition, Expr, Index
from tracer.ops import AxisTable, auxiliary, define, held_values

NUMPY: dict[str, Callable[..., Any]] = {
    "matmul": np.matmul, "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "negative": np.negative, "exp": np.exp, "log": np.log, "tanh": np.tanh, "sqrt": np.sqrt, "square": np.square,
    "maximum": np.maximum, "sum": np.sum, "mean": np.mean, "max": np.max, "transpose": np.transpose, "var": np.var,
    "greater": np.greater, "less_equal": np.less_equal, "less": np.less, "copy": np.copy, "power": np.power,
    "zeros_like": np.zeros_like, "where": np.where, "absolute": np.abs,
}  # fmt: skip


NUMPY.update(
    {
        "std": np.std, "norm": np.linalg.norm, "linalg.inv": np.linalg.inv, "linalg.solve": np.linalg.solve,
        "linalg.det": np.linalg.det, "prod": np.prod, "median": np.median, "sort": np.sort, "roll": np.roll,
        "linalg.cholesky": np.linalg.cholesky, "outer": np.outer, "cumsum": np.cumsum, "flip": np.flip,
    }
)  # fmt: skip


def _setitem(x: Any, index: Any, value: Any) -> Any:
    new = np.array(x)
    new[index] = value
    return new


NUMPY["hstack"] = lambda pieces: np.hstack(pieces)
NUMPY["getitem"] = lambda x, i: x[i]
NUMPY["setitem"] = _setitem
NUMPY["split"] = lambda x, sections, axis, part: np.split(x, sections, axis=axis)[part]
NUMPY["reshape"] = lambda x, shape: np.reshape(x, shape)


class Network:
    """Names with values and definitions; ``net.op("matmul", "Z", "X", "W")`` computes Z = X @ W."""

    def __init__(self, **leaves: Any) -> None:
        self.table = AxisTable()
        self.values: dict[str, Any] = {k: np.asarray(v) for k, v in leaves.items()}
        self.calls: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = []
        self.sources: dict[str, str] = {}

    def op(self, op: str, out: str, *operands: Any, **arguments: Any) -> str:
        values = [self._value(o) for o in operands]
        self.values[out] = np.asarray(NUMPY[op](*values, **arguments))
        self.calls.append((op, out, operands, arguments))
        return out

    def _value(self, item: Any) -> Any:
        if isinstance(item, str):
            return self.values[item]
        if isinstance(item, tuple):
            return tuple(self._value(i) for i in item)
        return float(item) if isinstance(item, Fraction) else item

    def _operand(self, item: Any) -> Any:
        if isinstance(item, str):
            value = self.values[item]
            return self.table.operand(
                item, value.shape, dtype=str(value.dtype), value=value, source=self.sources.get(item, "")
            )
        if isinstance(item, tuple):
            return tuple(self._operand(i) for i in item)
        return Fraction(item) if isinstance(item, int) and not isinstance(item, bool) else item

    def definitions(self) -> dict[str, Definition]:
        for _ in range(2):
            result = {}
            self.table.compose()
            for op, out, operands, arguments in self.calls:
                given = [self._operand(o) for o in operands]
                shape = self.values[out].shape
                result[out] = define(
                    op, out, given, arguments, self.table, shape, str(self.values[out].dtype)
                )
                self.values.update(auxiliary(op, out, given, arguments))
        return result

    def axes(self) -> dict[str, Any]:
        return {name: self.table.axes(name, v.shape) for name, v in self.values.items()}

    def gradient(self, root: str, wrt: str, **more: Any) -> tuple[tuple[Index | int, ...], Expr]:
        definitions = self.definitions()
        return backward(definitions, root, axes=self.axes(), **more)[wrt]

    def number(self, free: tuple[Index | int, ...], expr: Expr) -> Any:
        return evaluate(expr, free, held_values(self.values), self.table.sizes())

    def difference(self, root: str, wrt: str, hand: str) -> Any:
        free, derived = self.gradient(root, wrt)
        return self.number(free, add(derived, scale(entry(hand, *free), -1)))


def classifier(shifted: bool = False, activation: str = "relu") -> Network:
    """A two-layer network with softmax, cross-entropy and a regulariser, and its backward pass by hand."""
    rng = np.random.default_rng(3)
    net = Network(
        X=rng.normal(size=(5, 4)), W=rng.normal(size=(4, 6)), b=rng.normal(size=(1, 6)), W2=rng.normal(size=(6, 3)),
        b2=rng.normal(size=(1, 3)), reg=0.1, y=np.array([2, 0, 1, 1, 2]), rows=np.arange(5),
    )  # fmt: skip
    half = Fraction(1, 2)
    net.op("matmul", "XW", "X", "W")
    net.op("add", "z", "XW", "b")
    if activation == "relu":
        net.op("maximum", "h", 0, "z")
    else:
        net.op("tanh", "h", "z")
    net.op("matmul", "hW", "h", "W2")
    net.op("add", "scores", "hW", "b2")
    if shifted:
        net.op("max", "top", "scores", axis=1, keepdims=True)
        net.op("subtract", "low", "scores", "top")
        net.op("exp", "e", "low")
    else:
        net.op("exp", "e", "scores")
    net.op("sum", "s", "e", axis=1, keepdims=True)
    net.op("divide", "probs", "e", "s")
    net.op("getitem", "picked", "probs", ("rows", "y"))
    net.op("log", "logs", "picked")
    net.op("negative", "minus", "logs")
    net.op("sum", "total", "minus")
    net.values["N"] = np.asarray(5.0)
    net.op("divide", "data_loss", "total", "N")
    for w in ("W", "W2"):
        net.op("multiply", f"{w}.sq", w, w)
        net.op("sum", f"{w}.sum", f"{w}.sq")
        net.op("multiply", f"{w}.half", half, "reg")
        net.op("multiply", f"{w}.reg", f"{w}.half", f"{w}.sum")
    net.op("add", "reg_loss", "W.reg", "W2.reg")
    net.op("add", "loss", "data_loss", "reg_loss")
    # backward, as it is written by hand
    net.op("getitem", "picked2", "probs", ("rows", "y"))
    net.op("subtract", "picked3", "picked2", 1)
    net.op("setitem", "d1", "probs", ("rows", "y"), "picked3")
    net.op("divide", "dscores", "d1", "N")
    net.op("transpose", "hT", "h")
    net.op("matmul", "dW2a", "hT", "dscores")
    net.op("multiply", "regW2", "reg", "W2")
    net.op("add", "dW2", "dW2a", "regW2")
    net.op("sum", "db2", "dscores", axis=0, keepdims=True)
    net.op("transpose", "W2T", "W2")
    net.op("matmul", "dh", "dscores", "W2T")
    if activation == "relu":
        net.op("less_equal", "off", "h", 0)
        net.op("setitem", "dz", "dh", "off", 0)
    else:
        net.op("multiply", "hh", "h", "h")
        net.op("subtract", "one_minus", 1, "hh")
        net.op("multiply", "dz", "dh", "one_minus")
    net.op("transpose", "XT", "X")
    net.op("matmul", "dWa", "XT", "dz")
    net.op("multiply", "regW", "reg", "W")
    net.op("add", "dW", "dWa", "regW")
    net.op("sum", "db", "dz", axis=0, keepdims=True)
    return net
