"""Whose a name is: the functions of a program, what they call, and which of their names belong to others.

In: the syntax trees of a program's files.  Out: `Scopes`, which answers for any node of them.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from tracer.program.changes import base_name, called_name, first_argument, pairs_of, targets_of
from tracer.program.handed_over import Function, functions_by_name, properties_by_name
from tracer.program.parts import names_of_parts, part_read, viewed

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Scopes:
    """The functions of a program by their names, and the names inside them."""

    def __init__(self, trees: Sequence[ast.Module]) -> None:
        nodes = [node for tree in trees for node in ast.walk(tree)]
        self.functions = functions_by_name(nodes)
        self.properties = properties_by_name(nodes)
        self.below: dict[int, set[int]] = {}
        self.owner: dict[int, ast.AST] = {}
        self.borrowed: dict[int, set[str]] = {}
        self.local: dict[int, frozenset[str]] = {}
        for node in nodes:
            if isinstance(node, FUNCTIONS):
                for below in ast.walk(node):
                    self.owner[id(below)] = node
        self.parts: dict[tuple[int, str], set[str]] = {}
        self.views: dict[tuple[int, str], set[str]] = {}
        for node in nodes:
            if isinstance(node, ast.Assign):
                for target, value in pairs_of(node):
                    if isinstance(target, ast.Name) and (base := viewed(value)):
                        self.views.setdefault((self.scope(target), base), set()).add(target.id)
                    if isinstance(target, ast.Name) and (part := part_read(value)) is not None:
                        self.parts.setdefault((self.scope(target), target.id), set()).add(part)

    def is_read_from(self, value: ast.AST, place: str) -> bool:
        """Whether a name holds what was read from a place before: ``pik`` after ``pik = P[i][k]``."""
        return isinstance(value, ast.Name) and place in self.parts.get((self.scope(value), value.id), ())

    def arrays_of(self, name: str, scope: int) -> set[str]:
        """The arrays of which a name stands for a part: a change of ``row[j]`` is one of ``W`` after ``row = W[i]``."""
        places = self.parts.get((scope, name), ())
        return {base_name(ast.parse(place, mode="eval").body) for place in places}

    def views_of(self, target: ast.AST, statement: ast.AST) -> set[str]:
        """The names of views of what a statement changes in place: ``W`` after ``W = theta[:12].reshape(3, 4)``."""
        in_place = isinstance(statement, ast.AugAssign) or isinstance(target, ast.Subscript)
        return self.views.get((self.scope(target), base_name(target)), set()) if in_place else set()

    def set_through(self, base: str) -> set[str]:
        """The attributes in which a property keeps what it is given: ``._w`` of ``.w``."""
        setters = self.properties.get(base[1:], ()) if base.startswith(".") else ()
        return {base_name(t) for f in setters for n in ast.walk(f) if isinstance(n, ast.Assign) for t in targets_of(n)}

    def _run_by(self, node: ast.Call | ast.Attribute) -> list[Function]:
        """The functions that a call runs, or an attribute where it is a property."""
        if isinstance(node, ast.Call):
            return self.functions.get(called_name(node), [])
        return self.properties.get(node.attr, [])

    def functions_called(self, loop: ast.AST, apart: ast.AST | None = None) -> list[ast.AST]:
        """Every user function that may run below ``loop``, by name, ``apart`` and what only it calls left out.

        The method that the loop stands in is not called for another object where another one has its name: in the
        ``backward`` of a network ``layer.backward(grad)`` is that of a layer.
        """
        hidden = {id(n) for n in ast.walk(apart)} if apart is not None else set()
        around = self.owner.get(id(loop))
        seen: dict[int, ast.AST] = {}
        todo: list[ast.AST] = [loop]
        while todo:
            for node in ast.walk(todo.pop()):
                if isinstance(node, ast.Call | ast.Attribute) and id(node) not in hidden:
                    named = self._run_by(node)
                    others = [f for f in named if f is not around] if self._is_of_another(node) else []
                    for function in others or named:
                        if id(function) not in seen:
                            seen[id(function)] = function
                            todo.append(function)
        return list(seen.values())

    def _is_of_another(self, call: ast.Call | ast.Attribute) -> bool:
        """Whether a method is called for an object that is not the caller itself."""
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            return False
        owner, of = self.owner.get(id(call)), call.func.value
        return not (isinstance(owner, FUNCTIONS) and isinstance(of, ast.Name) and of.id == first_argument(owner))

    def is_of_others(self, name: ast.AST) -> bool:
        """Whether a name inside a function is of what others hold too: an argument, or what was read from somewhere."""
        owner = self.owner.get(id(name))
        if not isinstance(owner, FUNCTIONS) or not isinstance(name, ast.Name):
            return False
        if id(owner) not in self.borrowed:
            arguments = {a.arg for a in [*owner.args.args, *owner.args.kwonlyargs, *owner.args.posonlyargs]}
            declared = {
                n for g in ast.walk(owner) if isinstance(g, (ast.Global, ast.Nonlocal)) for n in g.names
            }
            self.borrowed[id(owner)] = arguments | declared | names_of_parts(owner)
        return name.id in self.borrowed[id(owner)]

    def reaches_out(self, target: ast.AST) -> bool:
        """Whether a change in place is one of what the caller handed over, not of a copy that the function made."""
        while isinstance(target, ast.Subscript):
            target = target.value
        return not isinstance(target, ast.Name) or self.is_of_others(target)

    def means(self, reader: ast.AST, name: str, scope: int) -> bool:
        """Whether a statement that reads a name reads the variable of a scope, not one of its own function."""
        own = self.scope(reader)
        return own == scope or name.startswith(".") or name not in self._locals(own)

    def _locals(self, scope: int) -> frozenset[str]:
        """The names that a function itself gives a value to; none for the module."""
        function = next((f for same in self.functions.values() for f in same if id(f) == scope), None)
        if function is None:
            return frozenset()
        if scope not in self.local:
            stored = {
                n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            outside = {
                n for g in ast.walk(function) if isinstance(g, (ast.Global, ast.Nonlocal)) for n in g.names
            }
            self.local[scope] = frozenset(stored - outside)
        return self.local[scope]

    def scope(self, node: ast.AST) -> int:
        """The function that a name belongs to; 0 for the module."""
        return id(self.owner[id(node)]) if id(node) in self.owner else 0

    def statements(self, loop: ast.AST, apart: ast.AST | None) -> list[Any]:
        """The statements below a loop and in the functions that it calls, but not those below ``apart``."""
        hidden = {id(n) for n in ast.walk(apart)} if apart is not None else set()
        found = []
        for part in [loop, *self.functions_called(loop, apart)]:
            found += [
                n for n in ast.walk(part) if isinstance(n, ast.stmt) and n is not loop and id(n) not in hidden
            ]
        return found

    def direct(self, loop: ast.AST) -> set[int]:
        if id(loop) not in self.below:
            self.below[id(loop)] = {id(n) for n in ast.walk(loop)}
        return self.below[id(loop)]
