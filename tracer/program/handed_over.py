"""By which names the functions of a program are called: their own, and those that they are handed over by.

In: the nodes of its syntax trees.  Out: for each name, the functions that a call of it may run.  A variable or an
attribute may hold a function, a lambda or an object that is called, a list may hold several, and a function is given some as
arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tracer.program.changes import arguments_of, called_name, pairs_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
Functions = dict[str, list[Function]]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: A function is handed on so many times, from one name to the next.
_MOST_HANDS = 4


def functions_by_name(nodes: Sequence[ast.AST]) -> Functions:
    """Every function of a program by the names that it goes by."""
    found: Functions = {}
    for node in nodes:
        if isinstance(node, _FUNCTIONS):
            found.setdefault(node.name, []).append(node)
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    lambdas: dict[int, Function] = {}
    given = list(_given(nodes, found, classes))
    for _ in range(_MOST_HANDS):
        own = {name: list(functions) for name, functions in found.items()}
        for name, value in given:
            more = [f for f in _functions_in(value, own, classes, lambdas) if f not in found.get(name, ())]
            if more:
                found.setdefault(name, []).extend(more)
        if own == found:
            break
    return found


def properties_by_name(nodes: Sequence[ast.AST]) -> Functions:
    """The functions that run where an attribute is read or set."""
    found: Functions = {}
    for node in nodes:
        if isinstance(node, _FUNCTIONS) and any(_is_of_property(mark) for mark in node.decorator_list):
            found.setdefault(node.name, []).append(node)
    return found


def _is_of_property(mark: ast.expr) -> bool:
    """``@property``, ``@cached_property``, ``@params.setter``"""
    return _name(mark).endswith("property") or isinstance(mark, ast.Attribute) and mark.attr == "setter"


def _given(
    nodes: Sequence[ast.AST], functions: Functions, classes: dict[str, ast.ClassDef]
) -> Iterator[tuple[str, ast.AST]]:
    """The names of variables, attributes and arguments, each with what it is given."""
    for node in nodes:
        match node:
            case ast.Assign():
                yield from ((name, value) for target, value in pairs_of(node) if (name := _name(target)))
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.For(target=target, iter=value):
                if name := _name(target):
                    yield name, value
            case ast.Call():
                called = called_name(node)
                made = [_method(classes[called], "__init__")] if called in classes else []
                for function in (*functions.get(called, ()), *(f for f in made if f is not None)):
                    yield from arguments_of(node, function)


def _functions_in(
    value: ast.AST, known: Functions, classes: dict[str, ast.ClassDef], lambdas: dict[int, Function]
) -> list[Function]:
    """The functions that a value is, or holds, as far as it says so."""
    match value:
        case ast.Lambda(args=args, body=body):
            if id(value) not in lambdas:
                returned = ast.copy_location(ast.Expr(body), value)
                lambdas[id(value)] = ast.FunctionDef("lambda", args, [returned], [])
            return [lambdas[id(value)]]
        case ast.Call() if called_name(value) == "partial" and value.args:
            return _functions_in(value.args[0], known, classes, lambdas)
        case ast.Call():
            method = _method(classes.get(called_name(value)), "__call__")
            return [] if method is None else [method]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [f for part in parts for f in _functions_in(part, known, classes, lambdas)]
        case ast.ListComp(elt=part):
            return _functions_in(part, known, classes, lambdas)
    return known.get(_name(value), []) if isinstance(value, ast.Name | ast.Attribute) else []


def _method(of: ast.ClassDef | None, name: str) -> Function | None:
    body = of.body if of is not None else []
    return next((n for n in body if isinstance(n, _FUNCTIONS) and n.name == name), None)


def _name(target: ast.AST) -> str:
    """The name by which a variable or an attribute is called; ``""`` for anything else."""
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""
