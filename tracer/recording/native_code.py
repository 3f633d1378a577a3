"""The native version of code: as it was written, but its functions, lambdas and training loops can be recorded.

In: a copy of a piece of the program.  Out: the same piece, changed where it must be.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any

from tracer.program.carried import goes_round
from tracer.program.unwritten import folds, handed_over

if TYPE_CHECKING:
    from tracer.recording.instrument import Instrumenter


class NativeCode(ast.NodeTransformer):
    """Code that is not recorded itself, but whose functions, lambdas and training loops can be."""

    def __init__(self, instrumenter: Instrumenter) -> None:
        self.instrumenter = instrumenter

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        from tracer.recording.definitions import both_versions

        return both_versions(self.instrumenter, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        from tracer.recording.definitions import both_versions

        return both_versions(self.instrumenter, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        outer, self.instrumenter.class_name = self.instrumenter.class_name, node.name
        self.instrumenter.scope.append(node.name)
        try:
            return self.generic_visit(node)
        finally:
            self.instrumenter.class_name = outer
            self.instrumenter.scope.pop()

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self.instrumenter.lambda_(node)

    def visit_For(self, node: ast.For) -> Any:
        return self._loop(node)

    def visit_While(self, node: ast.While) -> Any:
        return self._loop(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        computes, round_ = self.instrumenter.computes_cost(node), goes_round(node)
        new = self.generic_visit(node)
        if computes and isinstance(new, ast.If):
            (new.orelse if round_ else new.body).insert(0, self.instrumenter.mark(node.body[0]))
        return new

    def _loop(self, node: Any) -> Any:
        from tracer.recording.loop_code import training_loop

        if self.instrumenter.trains(node) is not None:
            return training_loop(self.instrumenter, node, recorded_header=False)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        trains, at = self.instrumenter.trains(node), handed_over(node)
        new = self.generic_visit(node)
        if trains is not None and at is not None and isinstance(new, ast.Call):
            new.args[at] = self.instrumenter.call(
                "stepping", trains, new.args[at], ast.Constant(folds(node)), at=node
            )
        return new

    def _comprehension(self, node: Any) -> Any:
        trains = self.instrumenter.trains(node) is not None
        return self.instrumenter.comprehension(node, recorded_header=False) if trains else self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        new = self.generic_visit(node)
        if (
            self.instrumenter.program.classic_division
            and isinstance(new, ast.BinOp)
            and isinstance(new.op, ast.Div)
        ):
            return self.instrumenter.call("classic_divide", new.left, new.right, at=node)
        return new

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        new = self.generic_visit(node)
        classic = self.instrumenter.program.classic_division
        if not (classic and isinstance(new, ast.AugAssign) and isinstance(new.op, ast.Div)):
            return new
        read: Any = copy.deepcopy(new.target)
        read.ctx = ast.Load()
        divided = self.instrumenter.call("classic_divide_in_place", read, new.value, at=node)
        return ast.copy_location(ast.Assign([new.target], divided), node)
