"""Names that NumPy and Python no longer have: ``np.float``, ``np.mat``, ``time.clock``, ``collections.Iterable``.

In: a program written for an older one.  Out: as long as it runs, those of them that it uses stand for what they were, each
with a notice.  The modules themselves never use them, so that nothing else is changed.
"""

from __future__ import annotations

import ast
import builtins
import collections.abc
import contextlib
import inspect
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tracer.program.program import Program
from tracer.tape.node import Notice

_NUMPY: dict[str, tuple[Any, str]] = {
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
_ABSTRACT = "Callable Container Hashable Iterable Iterator Mapping MutableMapping MutableSequence Sequence Set Sized".split()
#: What each of them was, and how that is written today, by modules.
_FORMER = {
    "numpy": _NUMPY,
    "time": {"clock": (time.process_time, "time.process_time")},
    "collections": {name: (getattr(collections.abc, name), f"collections.abc.{name}") for name in _ABSTRACT},
    "fractions": {"gcd": (math.gcd, "math.gcd")},
    "inspect": {"getargspec": (inspect.getfullargspec, "inspect.getfullargspec")},
}


@contextlib.contextmanager
def former_names(programs: Iterable[Program], say: Callable[[Notice], None]) -> Iterator[None]:
    """While the programs run, what they use of former names is there."""
    given: list[tuple[str, str]] = []
    for number, program in enumerate(programs):
        for name, line in _used(program).items():
            if not hasattr(sys.modules[name[0]], name[1]):
                _put(*name)
                given.append(name)
            if name in given:
                say(Notice(line if number == 0 else 0, 0, _told(*name)))
    try:
        yield
    finally:
        for module, called in given:
            delattr(sys.modules[module], called)
            if called in getattr(sys.modules[module], "__all__", ()):
                sys.modules[module].__all__.remove(called)


def _put(module: str, name: str) -> None:
    setattr(sys.modules[module], name, _FORMER[module][name][0])
    if hasattr(sys.modules[module], "__all__"):
        sys.modules[module].__all__.append(name)


def _told(module: str, name: str) -> str:
    whose, called = ("NumPy", f"np.{name}") if module == "numpy" else ("Python", f"{module}.{name}")
    return f"{whose} no longer has {called}; it stands for {_FORMER[module][name][1]}, as it did."


def _used(program: Program) -> dict[tuple[str, str], int]:
    """The former names that a program reads, each with its first line; but for those that it asks for first."""
    nodes = list(ast.walk(program.tree))
    asked = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    modules, whole, found = {name: name for name in _FORMER}, set[str](), dict[tuple[str, str], int]()
    for node in nodes:
        if isinstance(node, ast.Import):
            modules |= {alias.asname: alias.name for alias in node.names if alias.asname and alias.name in _FORMER}
        elif isinstance(node, ast.ImportFrom) and node.module in _FORMER:
            for alias in node.names:
                whole |= {node.module} if alias.name == "*" else set()
                if alias.name in _FORMER[node.module]:
                    found.setdefault((node.module, alias.name), program.line_as_written(node.lineno))
    for node in nodes:
        names: list[tuple[str, str]] = []
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            names = [(modules[node.value.id], node.attr)]
        elif isinstance(node, ast.Name) and not hasattr(builtins, node.id):
            names = [(module, node.id) for module in whole]
        for module, name in names:
            if name in _FORMER[module] and isinstance(node, ast.expr):
                found.setdefault((module, name), program.line_as_written(node.lineno))
    return {name: line for name, line in found.items() if name[1] not in asked}
