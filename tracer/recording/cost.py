"""Where a training loop computes its cost: found in the text, to know which iteration to explain.

Some programs compute the cost only every so often (``if i % 100 == 0: print(loss(...))``).  The window
should be an iteration that does.
"""

from __future__ import annotations

import ast
import re

_LOSS = re.compile(
    r"(^|_)(loss|cost|error|err|objective|j|nll|mse|bce|c?xent|cross_?entropy|ll|likelihood)(_|$|\d)", re.I
)
_LOSS_INSIDE = re.compile(r"loss|cost|entropy|objective|likelihood", re.I)


def is_loss_name(name: str) -> bool:
    """Whether a program's own name says that it is a loss: ``loss``, ``total_cost``, ``mse``, ``calc_loss``."""
    return bool(_LOSS.search(name) or _LOSS_INSIDE.search(name))


def conditional_costs(loop: ast.For | ast.While) -> list[ast.If]:
    """The ``if`` statements below which the loop's cost is computed; none if it always is."""
    if any(_computes(statement) for statement in _unconditional(loop.body)):
        return []
    found = []
    for node in ast.walk(loop):
        if isinstance(node, ast.If) and any(_computes(s) for s in node.body):
            found.append(node)
    return found


def is_followed_by_cost(loop: ast.For | ast.While, tree: ast.Module) -> bool:
    """Whether a loop computes no cost, and a loop around it does so when this one has ended: at the end of an epoch."""
    if any(_computes(statement) for statement in loop.body):
        return False
    return any(
        any(node is loop for node in ast.walk(statement)) and any(_computes(s) for s in outer.body[at + 1 :])
        for outer in ast.walk(tree)
        if isinstance(outer, ast.For | ast.While) and outer is not loop
        for at, statement in enumerate(outer.body)
    )


def _unconditional(body: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, (ast.For, ast.While, ast.With, ast.Try)):
            found += _unconditional(statement.body)
        elif not isinstance(statement, ast.If):
            found.append(statement)
    return found


def _computes(statement: ast.AST) -> bool:
    """Whether a statement binds a loss-named variable to a call or arithmetic, or calls a function so named."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if is_loss_name(name) and name not in ("append",):
                return True
        elif isinstance(node, ast.Assign) and isinstance(node.value, (ast.Call, ast.BinOp, ast.UnaryOp)):
            for target in node.targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name) and is_loss_name(part.id):
                        return True
    return False
