"""Loops that no ``for`` or ``while`` statement writes: comprehensions, functions that are called by ``map``, recursion.

In: the syntax tree of a program.  Out: each such piece of code with the statement that would do the same, which is what
is asked whether it trains; that statement is never run.  Invariant: the statement holds the program's own nodes wherever
it can, so that what stands inside of it is found by identity.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tracer.program.changes import arguments_of, called_name, first_argument

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOP = (ast.For, ast.While)
#: Which argument these call again and again, and which they walk through.
_CALLING = {
    "map": (0, 1), "filter": (0, 1), "starmap": (0, 1), "reduce": (0, 1), "accumulate": (1, 0), "iter": (0, 1),
    "apply_along_axis": (0, 2),
}  # fmt: skip
#: They hand on to the function what it gave before.
_FOLDS = ("reduce", "accumulate")
_MODULES = {"itertools", "functools", "np", "numpy", "it", "ft"}
_STORE, _LOAD = ast.Store(), ast.Load()


@dataclass(frozen=True)
class Walk:
    """A loop of any kind: ``node`` is what stands in the program, ``statement`` a loop that does the same."""

    node: ast.AST
    statement: ast.For | ast.While
    function: ast.AST | None = None


def unwritten(tree: ast.AST) -> Iterator[Walk]:
    """Every comprehension, call of a function by another one, and recursive function."""
    for node in ast.walk(tree):
        if isinstance(node, COMPREHENSIONS) and not any(part.is_async for part in node.generators):
            yield Walk(node, _of_comprehension(node))
        elif isinstance(node, ast.Call) and handed_over(node) is not None:
            yield Walk(node, _of_call(node))
        elif isinstance(node, ast.FunctionDef):
            calls = _calls_of_itself(node)
            if calls:
                yield Walk(node, _of_recursion(node, calls), node)


def handed_over(call: ast.Call) -> int | None:
    """Which argument a call of ``map``, ``reduce`` and the like calls again and again; ``None`` for any other call."""
    name = called_name(call)
    if name not in _CALLING or any(isinstance(a, ast.Starred) for a in call.args[: _CALLING[name][0] + 1]):
        return None
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if owner is not None and not (isinstance(owner, ast.Name) and owner.id in _MODULES):
        return None
    return _CALLING[name][0] if len(call.args) > max(_CALLING[name]) else None


def folds(call: ast.Call) -> bool:
    """Whether the function is given what it gave before."""
    return called_name(call) in _FOLDS


def tested(loop: ast.AST) -> bool:
    """Whether a ``while`` statement calls something in its test, and has nothing to do where the test ends it."""
    if not isinstance(loop, ast.While) or loop.orelse:
        return False
    return any(isinstance(n, ast.Call) for n in ast.walk(loop.test))


def with_its_test(loop: ast.While) -> ast.While:
    """``while step() > 0.1: …`` as a loop that takes its step in the body."""
    return ast.copy_location(ast.While(ast.Constant(True), [*_statements(loop.test), *loop.body], []), loop)


def _of_comprehension(node: Any) -> ast.For:
    made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    inner = node.generators[-1]
    body = [statement for part in (*inner.ifs, *made) for statement in _statements(part)]
    return ast.copy_location(ast.For(inner.target, inner.iter, body, []), node)


def _statements(value: ast.expr) -> list[ast.stmt]:
    """An expression as statements: what it binds on its way, ``(w := w - step)``, is an assignment."""
    bound: list[ast.stmt] = [
        _placed(ast.Assign([n.target], n.value), n) for n in ast.walk(value) if isinstance(n, ast.NamedExpr)
    ]
    return [*bound, _placed(ast.Expr(value), value)]


def _of_call(call: ast.Call) -> ast.For:
    name = called_name(call)
    called, walked = (call.args[k] for k in _CALLING[name])
    walked = walked.value if isinstance(walked, ast.Starred) else walked
    item: ast.expr = _placed(ast.Name("_item", _LOAD), call)
    if isinstance(called, ast.Lambda):
        names = [a.arg for a in called.args.args]
        result, kept = called.body, names[0] if names else ""
    else:
        kept = "_kept"
        given = [_placed(ast.Name(kept, _LOAD), call), item] if folds(call) else [item]
        if isinstance(called, ast.Call) and called_name(called) == "partial" and called.args:
            called, *before = called.args
            given = [*before, *given]
        result = _placed(ast.Call(called, given, []), call)
    body = _statements(result)
    if folds(call):
        body = [*body[:-1], _placed(ast.Assign([_placed(ast.Name(kept, _STORE), call)], result), call)]
    return ast.copy_location(ast.For(_placed(ast.Name("_item", _STORE), call), walked, body, []), call)


def of_calls(function: ast.FunctionDef) -> ast.While:
    """A function that is called again and again, whoever calls it, as a loop around its body."""
    return ast.copy_location(ast.While(ast.Constant(True), list(function.body), []), function)


def suspended(function: ast.AST) -> bool:
    """Whether a function is a generator: it hands over to other code in its midst."""
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            todo += ast.iter_child_nodes(node)
    return False


def _calls_of_itself(function: ast.FunctionDef) -> list[ast.Call]:
    """The calls by which a function goes on as a loop would: one after the other, not from a loop of its own.

    A method that calls that of another object walks through a list or a tree.
    """
    found: list[ast.Call] = []
    todo: list[tuple[ast.AST, bool]] = [(statement, False) for statement in function.body]
    while todo:
        node, returned = todo.pop()
        if isinstance(node, ast.Call) and is_itself(node.func, function):
            found.append(node)
            if not returned and len(found) > 1:
                return []
        looped = isinstance(node, (*_LOOP, *COMPREHENSIONS, *_FUNCTIONS, ast.Lambda))
        inside = [(child, isinstance(node, ast.Return)) for child in ast.iter_child_nodes(node)]
        if looped and any(
            isinstance(n, ast.Call) and is_itself(n.func, function) for child, _ in inside for n in ast.walk(child)
        ):
            return []
        todo += inside if not looped else []
    return found


def is_itself(called: ast.expr, function: ast.FunctionDef) -> bool:
    if isinstance(called, ast.Name):
        return called.id == function.name
    return (
        isinstance(called, ast.Attribute)
        and called.attr == function.name
        and isinstance(called.value, ast.Name)
        and called.value.id == first_argument(function)
    )


def _of_recursion(function: ast.FunctionDef, calls: list[ast.Call]) -> ast.While:
    """The function's body, which ends with giving its parameters the values of the next call."""
    made = {
        n.targets[0].id: n.value
        for n in ast.walk(function)
        if isinstance(n, ast.Assign) and len(n.targets) == 1 and isinstance(n.targets[0], ast.Name)
    }
    parameters = {a.arg for a in function.args.args}
    given: list[ast.stmt] = []
    for name, value in arguments_of(calls[-1], function):
        if isinstance(value, ast.Name) and value.id not in parameters:
            value = made.get(value.id, value)
        if not (isinstance(value, ast.Name) and value.id == name):
            given.append(_placed(ast.Assign([_placed(ast.Name(name, _STORE), calls[-1])], value), calls[-1]))
    return ast.copy_location(ast.While(ast.Constant(True), [*function.body, *given], []), function)


def _placed(node: Any, at: ast.AST) -> Any:
    """A new node at the place of one of the program."""
    return ast.copy_location(node, at)
