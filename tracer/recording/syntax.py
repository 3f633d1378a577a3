"""What a piece of code needs, as far as its text says.

In: a node of a syntax tree.  Out: yes or no.
"""

from __future__ import annotations

import ast

#: Calls that need the caller's own frame.
_FRAME_CALLS = {"super", "locals", "globals", "vars", "eval", "exec", "dir"}
#: Those of them that only look.
_LOOKING = {"super", "locals", "globals", "vars", "dir"}


def asks_for_variables(node: ast.AST) -> bool:
    """Whether a call looks at the variables of the code around it: ``locals()``, ``eval("x")``, ``super()``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FRAME_CALLS


def needs_its_place(node: ast.AST) -> bool:
    """Whether an expression would do something else in a function of its own.

    It suspends a generator, binds a name, or asks for the variables around it.
    """
    return suspends(node) or any(
        isinstance(n, ast.NamedExpr) or asks_for_variables(n) for n in ast.walk(node)
    )


def suspends(node: ast.AST) -> bool:
    return any(isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await)) for n in ast.walk(node))


def calls_something(node: ast.expr) -> bool:
    """Whether an expression that runs as it stands may change what others hold."""
    calls = [n for n in ast.walk(node) if isinstance(n, (ast.Call, ast.Await, ast.YieldFrom, ast.Yield))]
    names = {n.func.id for n in calls if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return len(calls) > 0 and not (names <= _LOOKING and len(calls) == 1 and names)


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a documentation string."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
