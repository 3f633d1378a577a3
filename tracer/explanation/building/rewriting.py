"""An edit on the tape as an edit of the source text.

Comes in: what is to be done and where, as `tracer.diagnosis.rewrites` says it.  Goes out: edits of whole lines, the
likeliest first; who asks runs the edited program before believing any.  Python 2 programs are edited as they were written.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator

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
    OfSoftmax,
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
from tracer.explanation.building.operation_rewriting import OperationEditor
from tracer.explanation.building.source_places import Rewritten, edited, tight
from tracer.explanation.building.term_rewriting import TermEditor
from tracer.explanation.model import Edit


class SourceEditor(OperandEditor, OperationEditor, TermEditor):
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
            case OfSoftmax(span, shares, gradient, axis):
                settings = "" if axis is None else f"axis={axis}, keepdims=True"
                for p, g in itertools.product(self.words.readings(shares)[:2], self.words.readings(gradient)[:2]):
                    yield from self._replace(span, f"{tight(p)} * ({g} - ({tight(g)} * {tight(p)}).sum({settings}))")
            case ThroughStatistics():
                yield from self._through_statistics(rewrite)


def _parses(source: str) -> bool | None:
    """Whether an edited text is Python; None if that cannot be told because it is Python 2."""
    try:
        ast.parse(source)
    except SyntaxError:
        return None if re.search(r"^\s*print\b\s*[^(\s]|xrange|except \w+, ", source, re.M) else False
    return True
