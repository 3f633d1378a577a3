"""Names that NumPy no longer has: ``np.float``, ``np.mat``, ``np.product``.

In: a program written for an older NumPy.  Out: as long as it runs, those of them that it uses stand for what they were, each
with a notice.  NumPy's own modules never use them, so that nothing else is changed.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tracer.program.program import Program
from tracer.tape.node import Notice

#: What each of them was, and how that is written today.
_FORMER: dict[str, tuple[Any, str]] = {
    "float": (float, "float"), "int": (int, "int"), "object": (object, "object"), "str": (str, "str"),
    "complex": (complex, "complex"), "unicode": (str, "str"), "bool": (bool, "bool"), "long": (int, "int"),
    "float_": (np.float64, "np.float64"), "complex_": (np.complex128, "np.complex128"), "int0": (np.intp, "np.intp"),
    "bool8": (np.bool_, "np.bool_"), "NaN": (np.nan, "np.nan"), "NAN": (np.nan, "np.nan"), "Inf": (np.inf, "np.inf"),
    "Infinity": (np.inf, "np.inf"), "infty": (np.inf, "np.inf"), "PINF": (np.inf, "np.inf"), "NINF": (-np.inf, "-np.inf"),
    "mat": (np.asmatrix, "np.asmatrix"), "product": (np.prod, "np.prod"), "cumproduct": (np.cumprod, "np.cumprod"),
    "alltrue": (np.all, "np.all"), "sometrue": (np.any, "np.any"), "round_": (np.round, "np.round"),
    "row_stack": (np.vstack, "np.vstack"), "rank": (np.ndim, "np.ndim"), "asscalar": (np.ndarray.item, "np.ndarray.item"),
    "in1d": (getattr(np, "isin", None), "np.isin"), "trapz": (getattr(np, "trapezoid", None), "np.trapezoid"),
}  # fmt: skip


@contextlib.contextmanager
def former_names(programs: Iterable[Program], say: Callable[[Notice], None]) -> Iterator[None]:
    """While the programs run, what they use of NumPy's former names is there."""
    given: list[str] = []
    for number, program in enumerate(programs):
        for name, line in _used(program).items():
            if not hasattr(np, name):
                setattr(np, name, _FORMER[name][0])
                np.__all__.append(name)
                given.append(name)
            if name in given:
                what = f"NumPy no longer has np.{name}; it stands for {_FORMER[name][1]}, as it did."
                say(Notice(line if number == 0 else 0, 0, what))
    try:
        yield
    finally:
        for name in given:
            delattr(np, name)
            np.__all__.remove(name)


def _used(program: Program) -> dict[str, int]:
    """The former names that a program reads from NumPy, each with its first line; but for those that it asks for first."""
    modules, everything, found = {"numpy"}, False, dict[str, int]()
    asked = {node.value for node in ast.walk(program.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for node in ast.walk(program.tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "numpy"}
        elif isinstance(node, ast.ImportFrom) and node.module == "numpy":
            everything = everything or any(alias.name == "*" for alias in node.names)
            for alias in node.names:
                if alias.name in _FORMER:
                    found.setdefault(alias.name, program.line_as_written(node.lineno))
    for node in ast.walk(program.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            name = node.attr
        elif isinstance(node, ast.Name) and everything and not hasattr(builtins, node.id):
            name = node.id
        else:
            continue
        if name in _FORMER:
            found.setdefault(name, program.line_as_written(node.lineno))
    return {name: line for name, line in found.items() if name not in asked}
