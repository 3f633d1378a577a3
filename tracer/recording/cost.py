"""Where a training loop computes its cost: found in the text, to know which iteration to explain.

Some programs compute the cost only every so often (``if i % 100 == 0: print(loss(...))``).  The window
should be an iteration that does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache

from tracer.program.changes import called_name
from tracer.program.loops import Loop
from tracer.program.loss_words import ANYWHERE, AS_A_WORD, SLOPES

_LOSS = re.compile(rf"{ANYWHERE}|(^|_)(error|err|j|{AS_A_WORD})(_|$|\d)", re.I)
_SLOPE = re.compile(SLOPES, re.I)
#: What makes one number of many entries.
_SUMMING = frozenset(("sum", "mean", "dot", "norm", "average", "inner", "vdot"))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


@cache
def is_loss_name(name: str) -> bool:
    """Whether a program's own name says that it is a loss: ``loss``, ``total_cost``, ``mse``, ``calc_loss``."""
    return _LOSS.search(name) is not None and _SLOPE.search(name) is None


def conditional_costs(loop: ast.For | ast.While) -> list[ast.If]:
    """The ``if`` statements below which the loop's cost is computed; none if it always is."""
    if any(_computes(statement) for statement in _unconditional(loop.body)):
        return []
    found = []
    for node in ast.walk(loop):
        if isinstance(node, ast.If) and any(_computes(s) for s in node.body):
            found.append(node)
    return found


class Following(Enum):
    """When the cost is computed that a loop itself does not compute."""

    NEVER = 0
    ROUND = 1  # when this loop has ended, in a loop around it: at the end of an epoch
    END = 2  # when all loops have ended: after the training


def cost_after(
    loop: Loop, trees: Sequence[ast.Module], training: Sequence[Loop] = ()
) -> Following:
    """When the cost comes after a loop that computes none.

    Arguments:
        trees: the files of the program, that of the loop among them.
        training: all loops that train; what another of them computes is its own cost.
    """
    if any(_computes(statement) for statement in loop.statement.body):
        return Following.NEVER
    others = frozenset(id(other.node) for other in training if other is not loop)
    return max(_Blocks(trees, others).after(loop.node), key=lambda found: found.value, default=Following.NEVER)


class _Blocks:
    """Which statements come after a node, in its own block and in those around it and around the calls of its function."""

    def __init__(self, trees: Sequence[ast.Module], others: frozenset[int]) -> None:
        self.others = others
        self.above: dict[int, tuple[ast.AST, list[ast.stmt]]] = {}
        self.calls: dict[str, list[ast.Call]] = {}
        self.called: set[str] = set()
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    self.calls.setdefault(called_name(node), []).append(node)
                for _, value in ast.iter_fields(node):
                    block = value if isinstance(value, list) else [value]
                    for at, child in enumerate(block):
                        if isinstance(child, ast.AST):
                            after = block[at + 1 :] if isinstance(child, ast.stmt) else []
                            self.above[id(child)] = (node, after)

    def after(self, node: ast.AST) -> Iterator[Following]:
        """For each block around ``node`` that goes on to compute a cost: when it does."""
        while id(node) in self.above:
            around, rest = self.above[id(node)]
            looped = isinstance(around, (ast.For, ast.While))
            if any(map(self._has_cost, rest)):
                yield Following.ROUND if looped or self._in_a_loop(around) else Following.END
                return
            if isinstance(around, _FUNCTIONS) and around.name not in self.called:
                self.called.add(around.name)
                for call in self.calls.get(around.name, ()):
                    yield from self.after(call)
                return
            node = around

    def _has_cost(self, statement: ast.stmt) -> bool:
        if isinstance(statement, _DEFINITIONS) or any(id(n) in self.others for n in ast.walk(statement)):
            return False
        return _computes(statement)

    def _in_a_loop(self, node: ast.AST) -> bool:
        """Whether a block is carried out again and again, as far as its own function says."""
        while id(node) in self.above and not isinstance(node, _FUNCTIONS):
            if isinstance(node, (ast.For, ast.While)):
                return True
            node = self.above[id(node)][0]
        return False


def _unconditional(body: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, (ast.For, ast.While, ast.With, ast.Try)):
            found += _unconditional(statement.body)
        elif not isinstance(statement, ast.If):
            found.append(statement)
    return found


def _computes(statement: ast.AST) -> bool:
    """Whether a statement binds a loss-named variable to a call or arithmetic, or calls a function so named.

    Or it prints what it computes in the same line, and says that it is a loss: ``print("loss", np.mean((y - t) ** 2))``.
    """
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            name = called_name(node)
            if is_loss_name(name) and name not in ("append",):
                return True
            if name == "print" and _says_and_computes(node):
                return True
        elif isinstance(node, ast.Assign) and isinstance(node.value, (ast.Call, ast.BinOp, ast.UnaryOp)):
            for target in node.targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name) and is_loss_name(part.id):
                        return True
    return False


def _says_and_computes(call: ast.Call) -> bool:
    inside = [n for argument in call.args for n in ast.walk(argument)]
    texts = [n.value for n in inside if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    said = any(is_loss_name(word) for text in texts for word in re.findall(r"\w+", text))
    return said and any(isinstance(n, ast.Call) and called_name(n) in _SUMMING for n in inside)
