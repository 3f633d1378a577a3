"""An edit on the tape as an edit of the source text.

Comes in: what is to be done and where, as `tracer.diagnosis.rewrites` says it.  Goes out: edits of whole lines, the
likeliest first; who asks runs the edited program before believing any.  Python 2 programs are edited as they were written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tracer.diagnosis.rewrites import (
    Accumulate,
    AddAt,
    AddName,
    AddTerm,
    AddUp,
    BeforeTheFirst,
    DerivativeInstead,
    Drop,
    Exchanged,
    ExchangedNames,
    ForwardAgain,
    Gradient,
    MaskInstead,
    Negate,
    OneOperand,
    OnlyPart,
    Operand,
    OperandTimesDerivative,
    Operator,
    OtherArray,
    OtherCache,
    OtherIndex,
    Overwrite,
    Reduction,
    Reshaped,
    Rewrite,
    Scale,
    ScaleOperand,
    StoreSum,
    SumOperand,
    ThroughStatistics,
    TimesDerivative,
    Transposed,
    WholeArrays,
    WithCall,
    WithoutCall,
)
from tracer.explanation.building.operand_rewriting import OperandEditor
from tracer.explanation.building.source_places import PRODUCTS, SUMS, Rewritten, edited, tight
from tracer.explanation.model import Edit
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


class SourceEditor(OperandEditor):
    """Writes edits of one program."""

    def ways(self, rewrite: Rewrite) -> Iterator[Rewritten]:
        """The edits that may carry out a rewrite, the likeliest first."""
        seen: set[Edit] = set()
        for said in self._ways(replace(rewrite, span=self._value_span(rewrite.span))):
            found = self._as_imported(said)
            if found.edit not in seen and _parses(edited(self.program, found.edit)) is not False:
                seen.add(found.edit)
                yield found

    def _ways(self, rewrite: Rewrite) -> Iterator[Rewritten]:
        match rewrite:
            case Negate(span):
                yield from self._other_way(span)
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
            case Drop(span, kept, 0):
                yield from self._dropped(span, kept)
            case Drop(span, _, further):
                yield from self._dropped_more(span, further)
            case Reduction(span, op, axis, keepdims):
                yield from self._at(span, self._reduction(span, op, axis, keepdims))
            case SumOperand(span, operand, axes, keepdims):
                for node, place in self._operand(span, operand):
                    yield from self._replace(place, self._summed(node, axes, keepdims))
            case ScaleOperand(span, operand, text):
                for node, place in self._operand(span, operand):
                    inner = self._inside(node, self.program.text_of(place))
                    divisor = text.removeprefix("1 / ")
                    divided = f"{inner} / {tight(divisor)}" if divisor != text else f"{text} * {inner}"
                    yield from self._replace(place, divided)
            case Reshaped(span, operand, column):
                for node, place in self._operand(span, operand):
                    text = tight(self._text(node))
                    yield from self._replace(place, f"{text}[:, None]" if column else f"{text}.ravel()")
            case StoreSum(span, axis):
                yield from self._sum_stored(span, axis)
            case Overwrite(span) | Accumulate(span):
                yield from self._bound(span, isinstance(rewrite, Accumulate))
            case AddUp():
                yield from self._added_up()
            case AddAt(span):
                yield from self._added_at(span)
            case Scale(span, text):
                for way in self.words.factors(text, span):
                    yield from self._scaled(span, way)
            case Operand():
                yield from self._other_operand(rewrite)
            case WithoutCall():
                yield from self._without_call(rewrite)
            case WithCall():
                yield from self._with_call(rewrite)
            case BeforeTheFirst():
                yield from self._before_the_first(rewrite)
            case OneOperand(span, operand, new_node):
                for _, place in self._operand(span, operand):
                    for reading in self.words.readings(new_node):
                        yield from self._replace(place, reading)
            case OnlyPart():
                yield from self._only_part(rewrite)
            case Exchanged(span, one, other):
                yield from self._at(span, self._exchanged(span, one, other))
            case ForwardAgain(span, forward, last):
                yield from self._around(span, self.program.text_of(forward), self.program.text_of(last))
            case ExchangedNames(span, one, other, both):
                yield from self._exchanged_names(span, {one: other, other: one} if both else {one: other})
            case OtherIndex(span, of):
                yield from self._other_index(span, of)
            case WholeArrays(span):
                yield from self._without_slice(span)
            case OtherArray(span, array):
                yield from self._other_array(span, array)
            case OtherCache(span):
                yield from self._other_cache(span)
            case TimesDerivative(span, of, wrt):
                for slope in self._own_first(self.words.slopes(of, wrt), span):
                    yield from self._times(span, slope)
            case DerivativeInstead(span, operand, of, wrt):
                for _, place in self._operand(span, operand):
                    for slope in self._own_first(self.words.slopes(of, wrt), span):
                        yield from self._replace(place, slope)
            case MaskInstead(span):
                yield from self._mask(span)
            case OperandTimesDerivative(span, operand, of, wrt):
                for node, place in self._operand(span, operand):
                    inner = self._inside(node, tight(self._text(node)))
                    for slope in self._own_first(self.words.slopes(of, wrt), span):
                        yield from self._replace(place, f"{inner} * {tight(slope)}")
            case AddTerm(span, value, factor, root, via):
                for said in self.words.terms(value, factor, root, via, span):
                    for term in self._as_given(said, span):
                        yield from self._plus(span, term)
            case AddName(span, name):
                for term in self._as_given(name, span):
                    yield from self._plus(span, term)
            case Gradient(span, node_, root, wrt, factors):
                for code in self.words.gradients(node_, root, wrt, factors):
                    yield from self._replace(span, code)
            case ThroughStatistics():
                yield from self._through_statistics(rewrite)

    def _through_statistics(self, rewrite: ThroughStatistics) -> Iterator[Rewritten]:
        """Without the mean of the value, and its share in the normalised values: a line of its own if it has a name."""
        axis = rewrite.axes[0] if len(rewrite.axes) == 1 else rewrite.axes
        settings = f"axis={axis}" + (", keepdims=True" if rewrite.keepdims else "")
        statement = self._statement(rewrite.span)
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if self.program.span(value) == rewrite.span:
                for y in self.words.readings(rewrite.normalised):
                    line = f"{name} = {name} - {name}.mean({settings}) - {y} * ({name} * {y}).mean({settings})"
                    yield from self._after(rewrite.span, line)
        whole = self._expression(rewrite.span)
        if whole is None:
            return
        text = self.program.text_of(rewrite.span)
        alone, inside = tight(text), self._inside(whole, text)
        for y in self.words.readings(rewrite.normalised):
            line = f"{inside} - {alone}.mean({settings}) - {y} * ({inside} * {y}).mean({settings})"
            yield from self._replace(rewrite.span, line)

    def _other_way(self, span: Span) -> Iterator[Rewritten]:
        """``x -= v`` for ``x += v``, where ``v`` has the wrong sign."""
        statement = self._statement(span)
        if isinstance(statement, ast.AugAssign) and self.program.span(statement.value) == span:
            symbol = {ast.Add: "-", ast.Sub: "+"}.get(type(statement.op))
            if symbol is not None:
                target, value = self._text(statement.target), self._text(statement.value)
                yield from self._replace_statement(statement, f"{target} {symbol}= {value}")

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
        loose = isinstance(node, ast.BinOp) and isinstance(node.op, SUMS)
        return f"-({text})" if loose else f"-{text}"

    def _operator(self, span: Span, op: str) -> str | None:
        symbol = _SYMBOLS.get(op)
        for node in self._nodes.get(span, ()):
            if isinstance(node, ast.AugAssign) and symbol in ("+", "-", "*", "/"):
                return f"{self._text(node.target)} {symbol}= {self._text(node.value)}"
            if isinstance(node, ast.BinOp) and isinstance(node.op, (*SUMS, *PRODUCTS)):
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

    def _product(self, span: Span, flipped: tuple[bool, bool], swapped: bool) -> str | None:
        operands = self._operand_nodes(span)
        if len(operands) != 2:
            return None
        texts = [
            self._transposed(o, self._text(o)) if f else self._text(o)
            for o, f in zip(operands, flipped, strict=True)
        ]
        closed = [tight(t) for t in texts]
        if swapped:
            texts, closed = texts[::-1], closed[::-1]
        node = next(n for n in self._nodes[span] if isinstance(n, ast.BinOp | ast.Call))
        if isinstance(node, ast.BinOp):
            return f"{closed[0]} @ {closed[1]}"
        if isinstance(node.func, ast.Attribute) and not self._is_module(node.func.value):
            return f"{closed[0]}.{node.func.attr}({texts[1]})"
        return f"{self._text(node.func)}({texts[0]}, {texts[1]})"

    def _dropped(self, span: Span, kept: int) -> Iterator[Rewritten]:
        statement = self._statement(span)
        operands = self._operand_nodes(span)
        if isinstance(statement, ast.AugAssign) and self.program.span(statement) == span:
            new = "pass" if kept == 0 else f"{self._text(statement.target)} = {self._text(statement.value)}"
            yield from self._replace_statement(statement, new)
        elif isinstance(statement, ast.Assign) and self.program.span(statement) == span and kept == 0:
            yield from self._replace_statement(statement, "pass")
        elif kept < len(operands):
            yield from self._replace(span, self._text(operands[kept]))

    def _dropped_more(self, span: Span, further: int) -> Iterator[Rewritten]:
        inner = span
        for _ in range(further + 1):
            operands = self._operand_nodes(inner)
            if not operands:
                return
            inner = self.program.span(operands[0])
        yield from self._replace(span, self._text(operands[0]))

    def _reduction(self, span: Span, op: str, axis: int | None, keepdims: bool) -> str | None:
        node = self._expression(span)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        owner = node.func.value
        first = [self._text(node.args[0])] if self._is_module(owner) and node.args else []
        settings = [] if axis is None else [f"axis={axis}"]
        settings += ["keepdims=True"] if keepdims else []
        return f"{self._called_upon(owner)}.{op}({', '.join([*first, *settings])})"

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

    def _sum_stored(self, span: Span, axis: int) -> Iterator[Rewritten]:
        statement = self._statement(span)
        match statement:
            case ast.Assign(targets=[ast.Subscript(value=array) as target]):
                new = f"{self._text(target)} = -np.sum({self._text(array)}, axis={axis})"
                yield from self._replace_statement(statement, new)
            case ast.AugAssign(target=ast.Subscript(value=array) as target, op=ast.Sub()):
                new = f"{self._text(target)} -= np.sum({self._text(array)}, axis={axis})"
                yield from self._replace_statement(statement, new)

    def _added_up(self) -> Iterator[Rewritten]:
        """Each list of sums that a comprehension makes from itself and other items, and takes only the others."""
        for nodes in self._nodes.values():
            for node in nodes:
                match node:
                    case ast.Assign(targets=[target], value=ast.ListComp(elt=ast.Name(id=kept) as item, generators=[over])):
                        for old in _items_of(self._text(target), over, self._text):
                            if old != kept:
                                yield from self._replace(self.program.span(item), f"{old} + {kept}")

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

    def _scaled(self, span: Span, text: str) -> Iterator[Rewritten]:
        below = text.removeprefix("1 / ") if text.startswith("1 / ") else None
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} /= {below}" if below else f"{changed} *= {text}")
            return
        node = self._expression(span)
        if node is None:
            return
        scale = f"/ {tight(below)}" if below else f"* {tight(text)}"
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
            yield from self._replace(span, f"{inner} * {tight(slope)}")

    def _mask(self, span: Span) -> Iterator[Rewritten]:
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed}[{changed} > 0] = 1")
        else:
            yield from self._replace(span, f"({self.program.text_of(span)} > 0)")

    def _plus(self, span: Span, term: str) -> Iterator[Rewritten]:
        minus = term.startswith("-")
        term = term[1:].strip() if minus else term
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} {'-' if minus else '+'}= {term}")
            return
        yield from self._replace(span, f"{self.program.text_of(span)} {'-' if minus else '+'} {term}")


def _items_of(array: str, over: ast.comprehension, text: Callable[[ast.AST], str]) -> list[str]:
    """The variables that stand for the items of a list where a comprehension walks it beside others."""
    match over:
        case ast.comprehension(target=ast.Tuple(elts=names), iter=ast.Call(func=ast.Name(id="zip"), args=lists)):
            return [text(name) for name, given in zip(names, lists, strict=False) if text(given) == array]
    return []


def _parses(source: str) -> bool | None:
    """Whether an edited text is Python; None if that cannot be told because it is Python 2."""
    try:
        ast.parse(source)
    except SyntaxError:
        return None if re.search(r"^\s*print\b\s*[^(\s]|xrange|except \w+, ", source, re.M) else False
    return True
