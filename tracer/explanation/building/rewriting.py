"""An edit on the tape as an edit of the source text.

Comes in: what is to be done and where, as `tracer.diagnosis.rewrites` says it.  Goes out: edits of whole lines, the
likeliest first; who asks runs the edited program before believing any.  Python 2 programs are edited as they were written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from tracer.diagnosis.rewrites import (
    Accumulate,
    AddAt,
    AddName,
    AddTerm,
    DerivativeInstead,
    Drop,
    Exchanged,
    Gradient,
    Negate,
    OnlyPart,
    Operand,
    Operator,
    OtherCache,
    Overwrite,
    Reduction,
    Rewrite,
    Scale,
    ScaleOperand,
    SumOperand,
    TimesDerivative,
    Transposed,
)
from tracer.explanation.building.code_words import CodeWords
from tracer.explanation.model import Edit
from tracer.program import Program
from tracer.tape.node import Span

_SYMBOLS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "greater": ">",
    "less": "<",
    "greater_equal": ">=",
    "less_equal": "<=",
}
_SUMS = (ast.Add, ast.Sub)
_PRODUCTS = (ast.Mult, ast.Div)
_TIGHT = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Constant)


class Rewritten(Struct, frozen=True):
    """One way to write an edit: the lines, and the expression before and after."""

    edit: Edit
    old: str
    new: str


class SourceEditor:
    """Writes edits of one program."""

    def __init__(self, program: Program, words: CodeWords) -> None:
        self.program, self.words = program, words
        self._nodes: dict[Span, list[ast.AST]] = {}
        self._loose: set[Span] = set()
        for node in ast.walk(program.tree):
            if isinstance(node, ast.expr | ast.stmt):
                self._nodes.setdefault(program.span(node), []).append(node)
            self._loose.update(program.span(inner) for inner in _beside_operators(node))

    def ways(self, rewrite: Rewrite) -> Iterator[Rewritten]:
        """The edits that may carry out a rewrite, the likeliest first."""
        seen: set[Edit] = set()
        for found in self._ways(rewrite):
            if found.edit not in seen and _parses(edited(self.program, found.edit)) is not False:
                seen.add(found.edit)
                yield found

    def _ways(self, rewrite: Rewrite) -> Iterator[Rewritten]:
        match rewrite:
            case Negate(span):
                yield from self._at(span, self._negated(span))
            case Operator(span, op):
                statement = self._statement(span)
                new = self._operator(span, op)
                if new is not None and isinstance(statement, ast.AugAssign) and self.program.span(statement) == span:
                    yield from self._replace_statement(statement, new)
                else:
                    yield from self._at(span, new)
            case Transposed(span, flipped, swapped):
                yield from self._at(span, self._product(span, flipped, swapped))
            case Drop(span, kept):
                yield from self._dropped(span, kept)
            case Reduction(span, op, axis, keepdims):
                yield from self._at(span, self._reduction(span, op, axis, keepdims))
            case SumOperand(span, operand, axes, keepdims):
                operands = self._operand_nodes(span)
                if operand < len(operands):
                    place = self.program.span(operands[operand])
                    yield from self._replace(place, self._summed(operands[operand], axes, keepdims))
            case ScaleOperand(span, operand, text):
                operands = self._operand_nodes(span)
                if operand < len(operands):
                    place = self.program.span(operands[operand])
                    inner = self._inside(operands[operand], self.program.text_of(place))
                    yield from self._replace(place, f"{text} * {inner}")
            case Overwrite(span) | Accumulate(span):
                yield from self._bound(span, isinstance(rewrite, Accumulate))
            case AddAt(span):
                yield from self._added_at(span)
            case Scale(span, text):
                for way in self.words.factors(text, span):
                    yield from self._scaled(span, way)
            case Operand():
                yield from self._other_operand(rewrite)
            case OnlyPart():
                yield from self._only_part(rewrite)
            case Exchanged(span, one, other):
                yield from self._at(span, self._exchanged(span, one, other))
            case OtherCache(span):
                yield from self._other_cache(span)
            case TimesDerivative(span, of, wrt):
                for slope in self.words.slopes(of, wrt):
                    yield from self._times(span, slope)
            case DerivativeInstead(span, operand, of, wrt):
                node = self._operand_nodes(span)
                if operand < len(node):
                    place = self.program.span(node[operand])
                    for slope in self.words.slopes(of, wrt):
                        yield from self._replace(place, slope)
            case AddTerm(span, value, factor, root, via):
                for term in self.words.terms(value, factor, root, via, span):
                    yield from self._plus(span, term)
            case AddName(span, name):
                yield from self._plus(span, name)
            case Gradient(span, node_, root, wrt, factors):
                for code in self.words.gradients(node_, root, wrt, factors):
                    yield from self._replace(span, code)

    # -- text of a place ---------------------------------------------------------------------------

    def _text(self, node: ast.AST) -> str:
        return self.program.text_of(self.program.span(node))

    def _expression(self, span: Span) -> ast.expr | None:
        return next((n for n in self._nodes.get(span, ()) if isinstance(n, ast.expr)), None)

    def _statement(self, span: Span) -> ast.stmt | None:
        place = self.program.statement_at(span.line, span.column)
        return (
            next((n for n in self._nodes.get(place, ()) if isinstance(n, ast.stmt)), None) if place else None
        )

    def _replace(self, span: Span, new: str) -> Iterator[Rewritten]:
        """The text of a span replaced; put into parentheses where it needs them."""
        if "\n" in new:
            return
        if span in self._loose and not _is_tight(new) and not self._is_enclosed(span):
            new = f"({new})"
        lines = list(self.program.lines[span.line - 1 : span.end_line])
        if not lines:
            return
        last = lines[-1][span.end_column :]
        text = lines[0][: span.column] + new + last
        yield Rewritten(Edit(span.line, span.end_line, text), self.program.text_of(span), new)

    def _is_enclosed(self, span: Span) -> bool:
        """Whether the program has put an expression into parentheses already."""
        before = self.program.source_line(span.line)[: span.column].rstrip()
        after = self.program.source_line(span.end_line)[span.end_column :].lstrip()
        return before.endswith("(") and after.startswith(")")

    def _at(self, span: Span, new: str | None) -> Iterator[Rewritten]:
        if new is not None:
            yield from self._replace(span, new)

    def _after(self, span: Span, line: str) -> Iterator[Rewritten]:
        """A line of its own behind the statement."""
        place = self.program.statement_at(span.line, span.column)
        if place is None:
            return
        written = list(self.program.lines[place.line - 1 : place.end_line])
        indent = written[0][: len(written[0]) - len(written[0].lstrip())]
        text = "\n".join([*written, indent + line])
        yield Rewritten(Edit(place.line, place.end_line, text), "", line)

    # -- the rewrites --------------------------------------------------------------------------------

    def _negated(self, span: Span) -> str | None:
        node = self._expression(span)
        if node is None:
            return None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            left, right = self._text(node.left), self._text(node.right)
            return f"{right} - {self._inside(node.left, left)}"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._text(node.operand)
        text = self.program.text_of(span)
        loose = isinstance(node, ast.BinOp) and isinstance(node.op, _SUMS)
        return f"-({text})" if loose else f"-{text}"

    def _inside(self, node: ast.expr, text: str) -> str:
        """An operand's text, in parentheses if it is a sum itself."""
        return f"({text})" if isinstance(node, ast.BinOp) and isinstance(node.op, _SUMS) else text

    def _operator(self, span: Span, op: str) -> str | None:
        symbol = _SYMBOLS.get(op)
        for node in self._nodes.get(span, ()):
            if isinstance(node, ast.AugAssign) and symbol in ("+", "-", "*", "/"):
                return f"{self._text(node.target)} {symbol}= {self._text(node.value)}"
            if isinstance(node, ast.BinOp) and isinstance(node.op, (*_SUMS, *_PRODUCTS)):
                right = (
                    self._inside(node.right, self._text(node.right))
                    if symbol in ("-", "/")
                    else self._text(node.right)
                )
                left = self._text(node.left)
                return f"{self._inside(node.left, left) if symbol in ('*', '/') else left} {symbol} {right}"
            if isinstance(node, ast.Compare) and len(node.ops) == 1:
                return f"{self._text(node.left)} {symbol} {self._text(node.comparators[0])}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                text = self.program.text_of(span)
                old = self._text(node.func)
                return text.replace(old, old.rpartition(".")[0] + f".{op}", 1)
        return None

    def _operand_nodes(self, span: Span) -> list[ast.expr]:
        """The operands of the operation that a place computes, in the order in which it takes them."""
        for node in self._nodes.get(span, ()):
            if isinstance(node, ast.BinOp):
                return [node.left, node.right]
            if isinstance(node, ast.UnaryOp):
                return [node.operand]
            if isinstance(node, ast.AugAssign):
                return [node.target, node.value]
            if isinstance(node, ast.Call):
                method = isinstance(node.func, ast.Attribute) and not self._is_module(node.func.value)
                first = [node.func.value] if method and isinstance(node.func, ast.Attribute) else []
                return [*first, *node.args]
            if isinstance(node, ast.Attribute) and node.attr == "T":
                return [node.value]
        return []

    @staticmethod
    def _is_module(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math", "scipy")

    def _product(self, span: Span, flipped: tuple[bool, bool], swapped: bool) -> str | None:
        operands = self._operand_nodes(span)
        if len(operands) != 2:
            return None
        texts = [
            self._transposed(o, self._text(o)) if f else self._text(o)
            for o, f in zip(operands, flipped, strict=True)
        ]
        tight = [f"({t})" if not _is_tight(t) else t for t in texts]
        if swapped:
            texts, tight = texts[::-1], tight[::-1]
        node = next(n for n in self._nodes[span] if isinstance(n, ast.BinOp | ast.Call))
        if isinstance(node, ast.BinOp):
            return f"{tight[0]} @ {tight[1]}"
        if isinstance(node.func, ast.Attribute) and not self._is_module(node.func.value):
            return f"{tight[0]}.{node.func.attr}({texts[1]})"
        return f"{self._text(node.func)}({texts[0]}, {texts[1]})"

    @staticmethod
    def _transposed(node: ast.expr, text: str) -> str:
        if isinstance(node, ast.Attribute) and node.attr == "T":
            return text.rpartition(".T")[0]
        return f"{text}.T" if _is_tight(text) else f"({text}).T"

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

    def _dropped(self, span: Span, kept: int) -> Iterator[Rewritten]:
        statement = self._statement(span)
        operands = self._operand_nodes(span)
        if isinstance(statement, ast.AugAssign) and self.program.span(statement) == span:
            new = "pass" if kept == 0 else f"{self._text(statement.target)} = {self._text(statement.value)}"
            yield from self._replace_statement(statement, new)
        elif kept < len(operands):
            yield from self._replace(span, self._text(operands[kept]))

    def _replace_statement(self, statement: ast.stmt, new: str) -> Iterator[Rewritten]:
        span = self.program.span(statement)
        lines = self.program.lines[span.line - 1 : span.end_line]
        text = lines[0][: span.column] + new + lines[-1][span.end_column :]
        yield Rewritten(Edit(span.line, span.end_line, text), self.program.text_of(span), new)

    def _reduction(self, span: Span, op: str, axis: int | None, keepdims: bool) -> str | None:
        node = self._expression(span)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        owner = node.func.value
        first = [self._text(node.args[0])] if self._is_module(owner) and node.args else []
        settings = [] if axis is None else [f"axis={axis}"]
        settings += ["keepdims=True"] if keepdims else []
        return f"{self._text(owner)}.{op}({', '.join([*first, *settings])})"

    def _summed(self, node: ast.expr, axes: tuple[int, ...], keepdims: bool) -> str:
        axis = f"axis={axes[0] if len(axes) == 1 else axes}" if axes else ""
        settings = [text for text in (axis, "keepdims=True" if keepdims else "") if text]
        return f"np.sum({', '.join([self._text(node), *settings])})"

    def _added_at(self, span: Span) -> Iterator[Rewritten]:
        statement = self._statement(span)
        match statement:
            case ast.AugAssign(target=ast.Subscript(value=array, slice=index), value=value):
                parts = ", ".join(self._text(part) for part in (array, index, value))
                shown = f"({self._text(index)})"
                if isinstance(index, ast.Tuple):
                    parts = f"{self._text(array)}, {shown}, {self._text(value)}"
                yield from self._replace_statement(statement, f"np.add.at({parts})")

    def _bound(self, span: Span, adding: bool) -> Iterator[Rewritten]:
        statement = self._statement(span)
        if isinstance(statement, ast.AugAssign) and not adding:
            yield from self._replace_statement(
                statement, f"{self._text(statement.target)} = {self._text(statement.value)}"
            )
        if isinstance(statement, ast.Assign) and adding and len(statement.targets) == 1:
            yield from self._replace_statement(
                statement, f"{self._text(statement.targets[0])} += {self._text(statement.value)}"
            )

    def _changed_in_place(self, span: Span) -> str | None:
        """The variable that a statement changes in place, if the place is the statement itself."""
        statement = self._statement(span)
        if statement is None or self.program.span(statement) != span:
            return None
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", ())), None)
        while isinstance(target, ast.Subscript) and not _is_key(target.slice):
            target = target.value
        return None if target is None else self._text(target)

    def _scaled(self, span: Span, text: str) -> Iterator[Rewritten]:
        below = text.removeprefix("1 / ") if text.startswith("1 / ") else None
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} /= {below}" if below else f"{changed} *= {text}")
            return
        node = self._expression(span)
        if node is None:
            return
        scale = f"/ {_tight(below)}" if below else f"* {_tight(text)}"
        if self._is_enclosed(span) and span not in self._loose:
            # The parentheses that are there are all that it needs.
            around = replace(span, column=span.column - 1, end_column=span.end_column + 1)
            if self.program.text_of(around)[:1] == "(" and self.program.text_of(around)[-1:] == ")":
                yield from self._replace(around, f"{self.program.text_of(around)} {scale}")
        yield from self._replace(span, f"{self._inside(node, self.program.text_of(span))} {scale}")

    def _times(self, span: Span, slope: str) -> Iterator[Rewritten]:
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} *= {slope}")
            return
        node = self._expression(span)
        if node is not None:
            inner = self._inside(node, self.program.text_of(span))
            yield from self._replace(span, f"{inner} * {_tight(slope)}")

    def _plus(self, span: Span, term: str) -> Iterator[Rewritten]:
        minus = term.startswith("-")
        term = term[1:].strip() if minus else term
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} {'-' if minus else '+'}= {term}")
            return
        yield from self._replace(span, f"{self.program.text_of(span)} {'-' if minus else '+'} {term}")

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
        for old in places or {self._text(outer): []}:
            yield from self._copied(rewrite.span, old)
        yield from self._other_lists(rewrite.span)

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
        for node in ast.walk(outer) if outer is not None else ():
            if isinstance(node, ast.Subscript) and self._text(node.value) in filled:
                for other in dict.fromkeys(filled):
                    if other != self._text(node.value):
                        yield from self._replace(self.program.span(node.value), other)

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
                lines[row] = before + (new if _is_tight(new) else f"({new})") + after
            yield Rewritten(Edit(place.line, place.end_line, "\n".join(lines)), old, new)


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


def edited(program: Program, edit: Edit) -> str:
    """The source text with an edit applied."""
    lines = list(program.lines)
    lines[edit.line - 1 : edit.end_line] = edit.new.split("\n")
    return "\n".join(lines)


def _beside_operators(node: ast.AST) -> list[ast.expr]:
    """The expressions within a node that stand beside an operator, a dot or a bracket."""
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case ast.BoolOp(values=values):
            return list(values)
        case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Call(func=value):
            return [value]
    return []


def _is_key(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_tight(text: str) -> bool:
    """Whether an expression may stand beside any operator without parentheses."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return False
    return isinstance(node, _TIGHT) and not (isinstance(node, ast.Constant) and text.startswith("-"))


def _tight(text: str) -> str:
    return text if _is_tight(text) else f"({text})"


def _parses(source: str) -> bool | None:
    """Whether an edited text is Python; None if that cannot be told because it is Python 2."""
    try:
        ast.parse(source)
    except SyntaxError:
        return None if re.search(r"^\s*print\b\s*[^(\s]|xrange|except \w+, ", source, re.M) else False
    return True
