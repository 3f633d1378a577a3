"""Rewrite a program so that it records itself.

In: a `Program`.  Out: a syntax tree in which every expression of the recorded version calls the
recorder (``__tracer__``) with the number of its `Place`.  Each function body and each loop body stands
there twice, recorded and native, and the recorder decides at run time which one is carried out; so
code outside the recorded windows runs at native speed.

Invariant: the rewritten program does what the program does, in the same order; the trees of the
`Program` are never modified, every version is made from its own copy.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from typing import Any

from tracer.program.changes import arguments_of
from tracer.program.unwritten import folds, handed_over, is_itself
from tracer.recording.code_making import OPERATIONS, CodeMaking
from tracer.recording.syntax import asks_for_variables, calls_something, is_text, needs_its_place, suspends
from tracer.recording.targets import form_of

_LOAD = ast.Load()


class Instrumenter(CodeMaking):
    """The two versions of a program's code; what it is given is said in `CodeMaking`."""

    def module(self) -> ast.Module:
        """The whole program, recorded version; function and loop bodies in both versions."""
        body = copy.deepcopy(self.program.tree.body)
        future = [s for s in body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
        doc = body[:1] if body and is_text(body[0]) else []
        rest = [s for s in body if s not in future and s not in doc]
        tree = ast.Module([*doc, *future, *self.statements(rest)], [])
        ast.fix_missing_locations(tree)
        return tree

    def native(self, node: Any) -> Any:
        """The same code without recording (functions in it still have both versions)."""
        from tracer.recording.native_code import NativeCode

        return NativeCode(self).visit(copy.deepcopy(node))

    def native_body(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for statement in body:
            new = self.native(statement)
            found += new if isinstance(new, list) else [new]
        return found

    # -- expressions: each gives an AST that evaluates to a Box -----------------------------------

    def expression(self, node: ast.expr) -> ast.expr:
        method: Callable[[Any], ast.expr] | None = getattr(self, "_" + type(node).__name__, None)
        return method(node) if method else self.wrap(node)

    def wrap(self, node: ast.expr) -> ast.expr:
        place = self.place(node)
        if calls_something(node):
            return self.call("native", self.call("natively", place, at=node), self.native(node), at=node)
        return self.call("wrap", place, self.native(node), at=node)

    def _Constant(self, node: ast.Constant) -> ast.expr:
        return self.call("literal", self.place(node), copy.copy(node), at=node)

    def _Name(self, node: ast.Name) -> ast.expr:
        return self.call(
            "name", self.place(node, node.id), ast.copy_location(ast.Name(node.id, _LOAD), node), at=node
        )

    def _BinOp(self, node: ast.BinOp) -> ast.expr:
        place = self.place(node, self.operation(node.op))
        if isinstance(node.left, ast.Name) and isinstance(node.right, ast.Name):
            read: list[ast.expr] = []
            for name in (node.left, node.right):
                read += [self.place(name, name.id), ast.copy_location(ast.Name(name.id, _LOAD), name)]
            return self.call("between_names", place, *read, at=node)
        return self.call("binary", place, self.expression(node.left), self.expression(node.right), at=node)

    def _UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return self.call("literal", self.place(node), copy.deepcopy(node), at=node)
        place = self.place(node, OPERATIONS[type(node.op)])
        return self.call("unary", place, self.expression(node.operand), at=node)

    def _BoolOp(self, node: ast.BoolOp) -> ast.expr:
        return ast.copy_location(ast.BoolOp(node.op, [self.expression(v) for v in node.values]), node)

    def _IfExp(self, node: ast.IfExp) -> ast.expr:
        branches = self.expression(node.body), self.expression(node.orelse)
        return ast.copy_location(ast.IfExp(self.expression(node.test), *branches), node)

    def _Compare(self, node: ast.Compare) -> ast.expr:
        if any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops) or suspends(node):
            return self.wrap(node)
        if len(node.ops) > 1 and (self.in_class_body or any(map(needs_its_place, node.comparators[1:]))):
            return self.wrap(node)  # What comes later is evaluated in a function of its own.
        place = self.place(node, " ".join(OPERATIONS[type(op)] for op in node.ops))
        first, *rest = node.comparators
        later: list[ast.expr] = [_delayed(self.expression(c)) for c in rest]
        return self.call(
            "compare",
            place,
            self.expression(node.left),
            self.expression(first),
            ast.Tuple(later, _LOAD),
            at=node,
        )

    def _Attribute(self, node: ast.Attribute) -> ast.expr:
        name = ast.Constant(self.mangled(node.attr))
        return self.call("attribute", self.place(node, node.attr), self.expression(node.value), name, at=node)

    def _Subscript(self, node: ast.Subscript) -> ast.expr:
        return self.call(
            "subscript", self.place(node), self.expression(node.value), self.expression(node.slice), at=node
        )

    def _Slice(self, node: ast.Slice) -> ast.expr:
        parts = [
            self.expression(p) if p is not None else ast.Constant(None)
            for p in (node.lower, node.upper, node.step)
        ]
        return self.call("slice", self.place(node), *parts, at=node)

    def _display(self, node: Any) -> ast.expr:
        items = ast.List([self.argument(item) for item in node.elts], _LOAD)
        return self.call(
            "display", self.place(node), ast.Constant(type(node).__name__.lower()), items, at=node
        )

    _Tuple = _List = _Set = _display

    def argument(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Starred):
            return ast.copy_location(
                ast.Starred(self.call("star", self.expression(node.value), at=node), _LOAD), node
            )
        return self.expression(node)

    def _Dict(self, node: ast.Dict) -> ast.expr:
        keys = [self.plain(k) if k is not None else ast.Constant(None) for k in node.keys]
        stars = [ast.Constant(k is None) for k in node.keys]
        values = [self.expression(v) for v in node.values]
        parts = (ast.List(keys, _LOAD), ast.List(list(stars), _LOAD), ast.List(values, _LOAD))
        return self.call("dictionary", self.place(node), *parts, at=node)

    def _JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        outer, self.inside = self.inside, self.inside or node
        try:
            text = self._text_parts(node)
        finally:
            self.inside = outer
        return self.call("text", self.place(node), self.call("text_begins", at=node), text, at=node)

    def _text_parts(self, node: ast.JoinedStr) -> ast.JoinedStr:
        values: list[ast.expr] = []
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                spec = value.format_spec
                spec = self._text_parts(spec) if isinstance(spec, ast.JoinedStr) else spec
                part = self.call("formatted", self.expression(value.value), at=node)
                value = ast.copy_location(ast.FormattedValue(part, value.conversion, spec), value)
            values.append(value)
        return ast.copy_location(ast.JoinedStr(values), node)

    def _NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        bound = self.call("bind", self.place(node, node.target.id), self.expression(node.value), at=node)
        assigned = ast.copy_location(ast.NamedExpr(copy.copy(node.target), bound), node)
        return self.call("name", self.place(node.target, node.target.id), assigned, at=node)

    def _comprehension(self, node: Any) -> ast.expr:
        return self.call("wrap", self.place(node), self.comprehension(node), at=node)

    _ListComp = _SetComp = _GeneratorExp = _DictComp = _comprehension

    def comprehension(self, node: Any, recorded_header: bool = True) -> ast.expr:
        """Each element in both versions: in the set-up only the first ones are recorded, of one that trains its windows."""
        trains = self.trains(node)
        generators = []
        for part in node.generators:
            source: ast.expr = self.native(part.iter)
            tests: list[ast.expr] = [self._either(test) for test in part.ifs]
            if recorded_header:
                place, items = self.place(part.iter), self.expression(part.iter)
                source = self.call("iterate", place, items, form_of(part.target), at=part.iter)
                tests = [self.call("truth", self.expression(test), at=test) for test in part.ifs]
            if trains is not None and part is node.generators[-1]:
                source = self.call("steps", trains, source, at=part.iter)
                tests = [self._either(test) for test in part.ifs]
            generators.append(ast.comprehension(copy.deepcopy(part.target), source, tests, part.is_async))
        new: ast.expr
        if isinstance(node, ast.DictComp):
            new = ast.DictComp(self._either(node.key), self._either(node.value), generators)
        else:
            new = type(node)(self._either(node.elt), generators)
        return ast.copy_location(new, node)

    def _either(self, node: ast.expr) -> ast.expr:
        choice = self.call("following", at=node)
        return ast.copy_location(ast.IfExp(choice, self.plain(node), self.native(node)), node)

    def _Lambda(self, node: ast.Lambda) -> ast.expr:
        return self.call("wrap", self.place(node), self.lambda_(node, recorded_header=True), at=node)

    def lambda_(self, node: ast.Lambda, recorded_header: bool = False) -> ast.Lambda:
        """A lambda with both versions of its body."""
        from tracer.recording.definitions import defaults

        arguments = defaults(self, node.args) if recorded_header else self.native(node.args)
        entered = self.call("enter", self.place(node, "<lambda>"), at=node)
        recorded = self.call("returned", self.place(node.body), self.expression(node.body), at=node)
        body = ast.copy_location(ast.IfExp(entered, recorded, self.native(node.body)), node)
        return ast.copy_location(ast.Lambda(arguments, body), node)

    def _Yield(self, node: ast.Yield) -> ast.expr:
        given = ast.Yield(self.plain(node.value) if node.value else None)
        return self.call("wrap", self.place(node), ast.copy_location(given, node), at=node)

    def _YieldFrom(self, node: ast.YieldFrom) -> ast.expr:
        return self.call(
            "wrap", self.place(node), ast.copy_location(ast.YieldFrom(self.plain(node.value)), node), at=node
        )

    def _Await(self, node: ast.Await) -> ast.expr:
        return self.call(
            "wrap", self.place(node), ast.copy_location(ast.Await(self.plain(node.value)), node), at=node
        )

    def _Call(self, node: ast.Call) -> ast.expr:
        if asks_for_variables(node):
            return self.wrap(node)
        keywords: list[ast.expr] = [
            ast.Tuple([ast.Constant(k.arg), self.expression(k.value)], _LOAD) for k in node.keywords
        ]
        given = [self.argument(a) for a in node.args]
        trains, at = self.trains(node), handed_over(node)
        if trains is not None and at is not None:
            given[at] = self.call("step_by_step", trains, given[at], ast.Constant(folds(node)), at=node)
        if self.recursing and is_itself(node.func, self.recursing[-1]):
            for at, (name, value) in enumerate(arguments_of(node, self.recursing[-1])):
                if at < len(given) and value is node.args[at] and not isinstance(value, (ast.Name, ast.Constant)):
                    given[at] = self.call("given_next", self.place(value, name), given[at], at=node)
        arguments = ast.List(given, _LOAD)
        function = self.expression(node.func)
        return self.call("call", self.place(node), function, arguments, ast.List(keywords, _LOAD), at=node)

    # -- statements -----------------------------------------------------------------------------

    def statements(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The recorded version of a block."""
        from tracer.recording.statements import recorded

        found: list[ast.stmt] = []
        for statement in body:
            for new in recorded(self, statement):
                found.append(ast.copy_location(new, statement))
        return found


def _delayed(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)
