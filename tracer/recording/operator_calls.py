"""Calls of operators as functions: ``operator.add(x, y)``, ``x.__add__(y)``, ``operator.iadd(x, y)``."""

from __future__ import annotations

import operator
from typing import Any

from tracer.recording.box import Box, Place
from tracer.recording.vectorised import Vectorised

_ARITHMETIC = {
    operator.add: "add", operator.sub: "subtract", operator.mul: "multiply", operator.truediv: "divide",
    operator.neg: "negative", operator.matmul: "matmul", operator.pow: "power",
}  # fmt: skip
ARITHMETIC_KEYS = tuple(_ARITHMETIC)
#: Names of operators in `operator` and, between underscores, in classes.
_BY_NAME = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
}  # fmt: skip


class OperatorCalls(Vectorised):
    """Callbacks of calls that stand for an operator."""

    def operator(self, function: Any, args: list[Box], place: Place) -> Box:
        if len(args) == 1:
            return self.emit("negative", list(args), {}, function(args[0].value), place)
        return self.operation(_ARITHMETIC[function], args[0], args[1], place)

    def operator_by_name(
        self, function: Any, owner: Box | None, args: list[Box], place: Place
    ) -> Box | None:
        """``operator.getitem(x, 0)``, ``x.__add__(y)``, ``operator.iadd(x, y)``; ``None`` for any other call."""
        name = getattr(function, "__name__", "")
        if owner is not None and name.startswith("__"):
            args, name = [owner, *args], name.strip("_")
        elif getattr(function, "__module__", "") != "_operator" or isinstance(function, type):
            return None
        if name == "getitem" and len(args) == 2:
            return self.item(args[0], args[1], args[0].value[args[1].value], place)
        if name == "setitem" and len(args) == 3:
            self.store_item(args[2], args[0], args[1], place)
            return Box(None, None, place)
        if name[:1] == "i" and name[1:] in _BY_NAME and len(args) == 2:
            return self.in_place(_BY_NAME[name[1:]], args[0], args[1], place)
        if name in _BY_NAME and len(args) == 2:
            return self.operation(_BY_NAME[name], args[0], args[1], place)
        if name[:1] == "r" and name[1:] in _BY_NAME and len(args) == 2:
            return self.operation(_BY_NAME[name[1:]], args[1], args[0], place)
        return None
