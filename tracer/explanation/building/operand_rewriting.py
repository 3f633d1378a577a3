"""Edits of what a place reads: another variable, a part of one, a copy, another item or cache.

Comes in: a place and the values that it reads and should read.  Goes out: edits of whole lines, the likeliest first.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tracer.diagnosis.rewrites import BeforeTheFirst, OnlyPart, Operand, WithCall, WithoutCall
from tracer.explanation.building.source_places import Rewritten, SourcePlaces, is_tight, renamed
from tracer.explanation.model import Edit
from tracer.tape.node import Span


class OperandEditor(SourcePlaces):
    """Writes edits of operands of one program."""

    def _other_operand(self, rewrite: Operand) -> Iterator[Rewritten]:
        """The expressions within a place that read the old value, replaced by what reads the new one."""
        news = self.words.readings(rewrite.new)
        outer = next(iter(self._nodes.get(rewrite.span, ())), None)
        if outer is None:
            return
        places = self._readers(rewrite.span, rewrite.old)
        for old, nodes in sorted(places.items(), key=lambda item: -len(item[0])):
            for new in [self._transposed(nodes[0], old)] if rewrite.transposed else news:
                if new != old:
                    yield from self._replace_all(rewrite.span, nodes, old, new)
        yield from self._other_lists(rewrite.span)
        yield from self._neighbours(rewrite.span)
        for old in places or {self._text(outer): []}:
            yield from self._copied(rewrite.span, old)
        if isinstance(outer, ast.Call):  # a call of the program's own that drew the old value
            for new in news:
                yield from self._replace(rewrite.span, new)

    def _before_the_first(self, rewrite: BeforeTheFirst) -> Iterator[Rewritten]:
        """Another value where an index such as ``t - 1`` is negative, which Python counts from the end of a list."""
        for old, nodes in self._readers(rewrite.span, rewrite.old).items():
            match nodes[0]:
                case ast.Subscript(value=series, slice=ast.BinOp(left=index, op=ast.Sub(), right=back)):
                    items = f"{self._text(series)}[{self._text(index)}]"
                    first = f"{self._text(index)} >= {self._text(back)}"
                    if self._text(back) == "1":
                        first = f"{self._text(index)} > 0"
                    for new in [*self.words.readings(rewrite.new), f"np.zeros_like({items})"]:
                        yield from self._replace_all(rewrite.span, nodes, old, f"{old} if {first} else {new}")

    def _without_call(self, rewrite: WithoutCall) -> Iterator[Rewritten]:
        """A value as it is in the place of each call with it that the statement writes as one expression is written."""
        statement, called = self._statement(rewrite.span), self._expression(rewrite.span)
        if statement is None or called is None:
            return
        old = self._text(called)
        same = [n for n in ast.walk(statement) if isinstance(n, ast.expr) and self._text(n) == old]
        given = [self._text(a) for a in called.args] if isinstance(called, ast.Call) else []
        for new in given if len(given) == 1 else self.words.readings(rewrite.value):
            yield from self._replace_all(rewrite.span, same, old, new)

    def _with_call(self, rewrite: WithCall) -> Iterator[Rewritten]:
        """A value that a statement reads, as the argument of the function that the forward pass hands it to."""
        place = self.program.statement_at(rewrite.span.line, rewrite.span.column)
        calls = [e for p in self.words.calls(rewrite.of) if isinstance(e := self._expression(p), ast.Call)]
        if place is None:
            return
        for function in dict.fromkeys(self._text(c.func) for c in calls if len(c.args) == 1 and not c.keywords):
            for old, nodes in self._readers(place, rewrite.value).items():
                yield from self._replace_all(rewrite.span, nodes, old, f"{function}({old})")

    def _readers(self, span: Span, node: int) -> dict[str, list[ast.expr]]:
        """The expressions within a place that read a value, by their text."""
        texts = set(self.words.readings(node))
        outer = next(iter(self._nodes.get(span, ())), None)
        places: dict[str, list[ast.expr]] = {}
        for place in self.words.places(node):
            if place != span and span.contains(place):
                expression = self._expression(place)
                if expression is not None:
                    places.setdefault(self._text(expression), []).append(expression)
        for inner in ast.walk(outer) if outer is not None else ():
            if isinstance(inner, ast.Name | ast.Attribute | ast.Subscript | ast.Call) and inner is not outer:
                text = self._text(inner)
                known = places.get(text, [])
                if text in texts and inner not in known and not isinstance(getattr(inner, "ctx", None), ast.Store):
                    places.setdefault(text, []).append(inner)
        return places

    def _only_part(self, rewrite: OnlyPart) -> Iterator[Rewritten]:
        """A variable with zeros where its slice is not: ``np.r_[0, theta[1:]]``, ``np.c_[np.zeros(len(W)), W[:, 1:]]``."""
        index = next((p[p.index("[") :] for p in self.words.readings(rewrite.part) if "[" in p), "")
        for old, nodes in self._readers(rewrite.span, rewrite.whole).items():
            if index:
                yield from self._replace_all(rewrite.span, nodes, old, _padded(old, old + index, rewrite.edges))

    def _other_lists(self, span: Span) -> Iterator[Rewritten]:
        """Items that a place reads, from another list that is filled alongside: ``zs[-l]`` for ``activations[-l]``."""
        outer = next(iter(self._nodes.get(span, ())), None)
        filled = [
            self._text(node.func.value)
            for nodes in self._nodes.values()
            for node in nodes
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append"
        ]
        inside = list(ast.walk(outer)) if outer is not None else []
        names = {node.id for node in inside if isinstance(node, ast.Name)}
        held = [v for n in names for v in self._bound_to(n)]  # z, after z = activations[-l]
        for node in [*inside, *held]:
            if isinstance(node, ast.Subscript) and self._text(node.value) in filled:
                for other in dict.fromkeys(filled):
                    if other != self._text(node.value):
                        yield from self._replace(self.program.span(node.value), other)

    def _neighbours(self, span: Span) -> Iterator[Rewritten]:
        """Items that a place reads, from one place before or behind: ``hs[t]`` for ``hs[t + 1]``."""
        outer = next(iter(self._nodes.get(span, ())), None)
        for node in ast.walk(outer) if outer is not None else ():
            match node:
                case ast.Subscript(slice=ast.Name(id=index)):
                    near = [f"{index} - 1", f"{index} + 1"]
                case ast.Subscript(slice=ast.BinOp(left=ast.Name(id=index), right=ast.Constant(value=1))):
                    near = [index]
                case _:
                    continue
            for other in near:
                yield from self._replace(self.program.span(node.slice), other)

    def _bound_to(self, name: str) -> list[ast.expr]:
        """What the program gives a variable, wherever it does."""
        statements = (node for nodes in self._nodes.values() for node in nodes)
        return [
            s.value
            for s in statements
            if isinstance(s, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in s.targets)
        ]

    def _copied(self, span: Span, name: str) -> Iterator[Rewritten]:
        """Where a variable that a place reads was bound, bound to a copy: what changes the array leaves it alone."""
        bound = [
            node
            for nodes in self._nodes.values()
            for node in nodes
            if isinstance(node, ast.Assign)
            and [self._text(t) for t in node.targets] == [name]
            and node.lineno < span.line
            and isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript)
        ]
        if bound:
            last = max(bound, key=lambda node: node.lineno)
            yield from self._replace(self.program.span(last.value), f"{self._text(last.value)}.copy()")

    def _replace_all(self, within: Span, nodes: list[ast.expr], old: str, new: str) -> Iterator[Rewritten]:
        for chosen in [nodes, *([n] for n in nodes if len(nodes) > 1)]:
            spans = sorted((self.program.span(n) for n in chosen), reverse=True)
            place = self.program.statement_at(within.line, within.column) or within
            lines = list(self.program.lines[place.line - 1 : place.end_line])
            for span in spans:
                if span.line != span.end_line:
                    return
                row = span.line - place.line
                before, after = lines[row][: span.column], lines[row][span.end_column :]
                if re.search(r"(^|[^\w)\]])\($", before) and after.startswith(")"):
                    before, after = before[:-1], after[1:]
                listed = re.search(r"[(\[,]\s*$", before) and re.match(r"\s*[)\],]", after)
                lines[row] = before + (new if listed or is_tight(new) else f"({new})") + after
            yield Rewritten(Edit(place.line, place.end_line, "\n".join(lines)), old, new)

    def _exchanged(self, span: Span, one: int, other: int) -> str | None:
        call = self._expression(span)
        listed = call.args[0] if isinstance(call, ast.Call) and call.args else None
        if call is None or not isinstance(listed, ast.List | ast.Tuple) or max(one, other) >= len(listed.elts):
            return None
        items = [self._text(item) for item in listed.elts]
        old = ", ".join(items)
        items[one], items[other] = items[other], items[one]
        whole = self._text(call)
        return whole.replace(old, ", ".join(items), 1) if old in whole else None

    def _without_slice(self, span: Span) -> Iterator[Rewritten]:
        """A statement that changes ``x[1:]``, without that index wherever it stands."""
        statement = self._statement(span)
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", ())), None)
        if statement is not None and isinstance(target, ast.Subscript):
            index = f"[{self._text(target.slice)}]"
            yield from self._replace_statement(statement, self._text(statement).replace(index, ""))

    def _other_index(self, span: Span, of: int) -> Iterator[Rewritten]:
        """A place with the index of another one."""
        new = next((index for place in self.words.places(of) if (index := self._index_at(place)) is not None), None)
        old = self._index_at(span)
        if old is not None and new is not None:
            yield from self._replace(self.program.span(old), self._text(new))

    def _exchanged_names(self, span: Span, names: dict[str, str]) -> Iterator[Rewritten]:
        """The index at a place with other variables."""
        index = self._index_at(span)
        if index is not None:
            yield from self._replace(self.program.span(index), renamed(self._text(index), names))

    def _index_at(self, span: Span) -> ast.expr | None:
        """What stands in the brackets of an expression, or of what a statement changes."""
        for node in self._nodes.get(span, ()):
            target = getattr(node, "target", None) or next(iter(getattr(node, "targets", ())), node)
            if isinstance(target, ast.Subscript):
                return target.slice
        return None

    def _other_array(self, span: Span, array: int) -> Iterator[Rewritten]:
        """A statement that changes one array, with another one in its place."""
        statement = self._statement(span)
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        changed = targets[0]
        while isinstance(changed, ast.Subscript) and self._text(changed) not in self.words.readings(array):
            changed = changed.value
        if statement is not None and isinstance(changed, ast.Name | ast.Attribute | ast.Subscript):
            old = self._text(changed)
            same = [n for n in ast.walk(statement) if isinstance(n, ast.expr) and self._text(n) == old]
            for new in self.words.readings(array):
                if new != old:
                    yield from self._replace_all(span, [changed], old, new)
                    yield from self._replace_all(span, same, old, new)

    def _other_cache(self, span: Span) -> Iterator[Rewritten]:
        """Each plain argument of a call, as what another call of the function that gave it returned there."""
        call = self._expression(span)
        given = [a for a in call.args if isinstance(a, ast.Name)] if isinstance(call, ast.Call) else []
        returned: dict[str, tuple[str, int]] = {}
        for node in ast.walk(self.program.tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                targets = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else node.targets
                for at, target in enumerate(targets):
                    if isinstance(target, ast.Name):
                        returned[target.id] = (self._text(node.value.func), at)
        for argument in given:
            for other, source in returned.items():
                if source == returned.get(argument.id) and other != argument.id:
                    yield from self._replace(self.program.span(argument), other)


def _padded(whole: str, part: str, edges: tuple[tuple[int, int], ...]) -> str:
    """A slice of an array with zeros at the end of the axis where the slice leaves something out."""
    axis = next(a for a, cut in enumerate(edges) if any(cut))
    low, high = edges[axis]
    count = low or high
    if len(edges) == 1:
        zeros, join = "0.0" if count == 1 else f"np.zeros({count})", "np.r_[{}, {}]"
    else:
        sizes = [str(count) if a == axis else f"{whole}.shape[{a}]" for a in range(len(edges))]
        zeros, join = f"np.zeros(({', '.join(sizes)}))", f"np.concatenate(({{}}, {{}}), axis={axis})"
    return join.format(*((zeros, part) if low else (part, zeros)))
