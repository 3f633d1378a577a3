"""Variables of list comprehensions, which in Python 2 keep their last value: ``[k for k in keys]``, and ``k`` after it.

In: the converted tree of a program in Python 2.  Out: the names that are read where there the comprehension gave the
value, and here something else does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)
_OTHERS = (ast.SetComp, ast.DictComp, ast.GeneratorExp)


def leaked(tree: ast.Module) -> list[ast.Name]:
    """The reads of variables that a list comprehension bound last, as their text stands."""
    found: list[ast.Name] = []
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.Module, *_SCOPES)):
            found += _of_scope(scope)
    return found


def _of_scope(scope: ast.AST) -> Iterator[ast.Name]:
    given: dict[str, bool] = {}  # whether a comprehension gave a name its last value
    stored = {n.id for n in _own(scope, frozenset()) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    stored |= {a.arg for a in ast.walk(scope.args) if isinstance(a, ast.arg)} if isinstance(scope, _FUNCTIONS) else set()
    for node in sorted(_own(scope, frozenset()), key=_place):
        if isinstance(node, ast.ListComp):
            given |= {n.id: True for part in node.generators for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if given.get(node.id) and node.id in stored:
                yield node
        elif isinstance(node, ast.Name):
            given[node.id] = False


def _own(node: ast.AST, bound: frozenset[str]) -> Iterator[ast.Name | ast.ListComp]:
    """The names of a scope and its list comprehensions, without the names that these bind for themselves."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_SCOPES, *_OTHERS)):
            continue
        inside = bound
        if isinstance(child, ast.ListComp):
            yield child
            inside = bound | {n.id for g in child.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        if isinstance(child, ast.Name) and child.id not in bound:
            yield child
        yield from _own(child, inside)


def _place(node: ast.Name | ast.ListComp) -> tuple[int, int, int]:
    """Where a comprehension ends, or a name begins."""
    if isinstance(node, ast.ListComp):
        return node.end_lineno or node.lineno, node.end_col_offset or 0, 0
    return node.lineno, node.col_offset, 1
