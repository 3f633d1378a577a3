"""What all rewritten code is made of: places, and calls of the recorder; and which loops are windows.

In: a `Program`, its training loops, and a list to put places in.  Out: pieces of syntax trees that are new.
"""

from __future__ import annotations

import ast
import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from tracer.program.loops import Loop
from tracer.program.program import Program
from tracer.recording.box import Place
from tracer.tape.node import Site

#: The name by which rewritten code knows the recorder.
RECORDER = "__tracer__"
OPERATIONS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder", ast.Pow: "power", ast.MatMult: "matmul", ast.LShift: "left_shift",
    ast.RShift: "right_shift", ast.BitOr: "bitwise_or", ast.BitXor: "bitwise_xor", ast.BitAnd: "bitwise_and",
    ast.USub: "negative", ast.UAdd: "positive", ast.Not: "not", ast.Invert: "invert",
    ast.Eq: "equal", ast.NotEq: "not_equal", ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater",
    ast.GtE: "greater_equal", ast.Is: "is", ast.IsNot: "is_not",
}  # fmt: skip
_LOAD = ast.Load()


class CodeMaking(ABC):
    """Makes places and calls of the recorder, and knows which loops are windows.

    Arguments:
        program: the program.
        places: the list that new places are added to; their numbers are positions in it.
        training: the loops whose iterations are windows; those of other programs only count in the numbering.
            Their ``statement`` tells whether one takes its steps in its test.
        costs: ``if`` statements below which the cost is computed.
    """

    def __init__(
        self,
        program: Program,
        places: list[Place],
        training: Sequence[Loop] = (),
        costs: Sequence[ast.AST] = (),
    ) -> None:
        self.program, self.places = program, places
        own = {id(node) for node in ast.walk(program.tree)}
        self.training = {_extent(loop.node): at for at, loop in enumerate(training) if id(loop.node) in own}
        self.tested = {_extent(loop.node) for loop in training if loop.statement is not loop.node}
        self.costs = {_extent(node) for node in costs if id(node) in own}
        self.scope: list[str] = []
        self.class_name: str | None = None
        self.in_class_body = False
        self.inside: ast.AST | None = None
        self.recursing: list[ast.FunctionDef] = []
        self._tokens = itertools.count()

    def place(self, node: ast.AST, name: str = "") -> ast.Constant:
        """A new place for an expression or statement; inside an f-string, the f-string's own, but with its own text."""
        program = self.program
        span = program.span(self.inside or node)
        within = self.inside not in (None, node) and isinstance(node, ast.expr)
        text = ast.unparse(node) if within else program.text_of(span)
        self.places.append(Place(Site(span, text, program.path), name, ".".join(self.scope)))
        return ast.Constant(len(self.places) - 1)

    def token(self) -> str:
        """A variable that no other loop of the rewritten program uses, for what the recorder gives a loop to keep."""
        return f"_tracer_loop_{next(self._tokens)}__"

    def trains(self, node: ast.AST) -> ast.expr | None:
        """The number of a training loop, as code; ``None`` for any other node."""
        number = self.training.get(_extent(node))
        return None if number is None else ast.Constant(number)

    def takes_steps_in_its_test(self, node: ast.AST) -> bool:
        return _extent(node) in self.tested

    def computes_cost(self, node: ast.AST) -> bool:
        return _extent(node) in self.costs

    def call(self, method: str, *args: ast.expr, at: ast.AST) -> ast.expr:
        function = ast.Attribute(ast.Name(RECORDER, _LOAD), method, _LOAD)
        return ast.copy_location(ast.Call(function, list(args), []), at)

    def mark(self, at: ast.stmt) -> ast.stmt:
        """The statement that tells the recorder that this iteration computes the cost, or makes the updates."""
        return ast.copy_location(ast.Expr(self.call("mark", at=at)), at)

    def plain(self, node: ast.expr) -> ast.expr:
        """The expression, recorded, as a plain value."""
        return self.call("plain", self.expression(node), at=node)

    def operation(self, op: ast.operator) -> str:
        """The canonical name of an operator; ``/`` of Python 2 has one of its own."""
        classic = isinstance(op, ast.Div) and self.program.classic_division
        return "classic_divide" if classic else OPERATIONS[type(op)]

    def mangled(self, name: str) -> str:
        if self.class_name and name.startswith("__") and not name.endswith("__"):
            return f"_{self.class_name.lstrip('_')}{name}"
        return name

    @abstractmethod
    def expression(self, node: ast.expr) -> ast.expr:
        """The recorded version of an expression; it evaluates to a `Box`."""


def _extent(node: Any) -> tuple[str, int, int, int, int]:
    """What tells a node from others in all copies of a tree."""
    return type(node).__name__, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
