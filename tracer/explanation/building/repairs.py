"""A fault told and mended: the sentence, and the corrected lines.

Comes in: a finding.  Goes out: a `Diagnosis`.  Invariant: edits are given only if the edited program was run and
found to be right.
"""

from __future__ import annotations

from itertools import chain, islice

from msgspec.structs import replace

from tracer.diagnosis import Finding, Kind
from tracer.diagnosis.rewrites import (
    AddUp,
    BeforeTheFirst,
    Drop,
    ExchangedNames,
    OnlyPart,
    Operand,
    OtherArray,
    OtherIndex,
    Reshaped,
    Rewrite,
    StoreSum,
    WithCall,
    WithoutCall,
)
from tracer.explanation.building.code_words import CodeWords
from tracer.explanation.building.edited_runs import EditedRuns, spoiled_names
from tracer.explanation.building.parts import PartMaker
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.rewriting import SourceEditor
from tracer.explanation.building.source_places import Rewritten
from tracer.explanation.model import Diagnosis, Edit, Formula
from tracer.explanation.words.findings import Told, fault
from tracer.formula import render, scalar_symbol, symbol
from tracer.formula.tree import Partial
from tracer.matching.analysis import Analysis
from tracer.program import Program
from tracer.tape.node import Span

#: How many ways to write an edit are run at most.
_MOST_WAYS = 5
#: What a line does to an array, where a rewrite says it.
_DONE: dict[type, str] = {
    BeforeTheFirst: "goes round",
    WithoutCall: "applies again",
    WithCall: "never applies",
    OtherArray: "changes",
    OtherIndex: "takes",
    ExchangedNames: "takes",
    Reshaped: "repeats",
    StoreSum: "stores",
}


def diagnose_fault(finding: Finding, maker: PartMaker, runs: EditedRuns) -> Diagnosis:
    """What went wrong, what it should be, and the corrected line."""
    reading = maker.reading
    analysis, program = reading.analysis, reading.program
    words = CodeWords(reading, maker.gradients.derived, maker.slopes.derived)
    rewritten = _rewritten(finding, SourceEditor(program, words), runs)
    site = analysis.tape.nodes[finding.cause].site
    span = finding.place or (site.span if site is not None else None)
    if isinstance(finding.rewrite, AddUp) and rewritten is not None:  # what only hands values on computes none
        span = program.statement_at(rewritten.edit.line, _indentation(program, rewritten.edit.line)) or span
        maker.faults.moved[finding.cause] = span
    should = _should_be(finding, reading)
    told = Told(
        kind=finding.kind.value,
        line=span.line if span is not None else 0,
        place=reading.place(span.line if span is not None else 0),
        old=rewritten.old if rewritten else "",
        new=rewritten.new if rewritten else "",
        mended=_other_line(program, rewritten, span),
        derivative=None if should is None else should.text,
        spoiled=spoiled_names(finding, reading),
        penalised=words.readings(finding.rewrite.part)[0] if isinstance(finding.rewrite, OnlyPart) else "",
        how=_done(analysis, finding),
        grown=None if finding.grown is None else (str(finding.grown[0]), str(finding.grown[1])),
    )
    edit = rewritten.edit if rewritten is not None else None
    corrected = None if edit is None else _corrected(program, edit)
    return Diagnosis(finding.kind.value, fault(told), should, corrected, () if edit is None else (edit,), None)


def _rewritten(finding: Finding, editor: SourceEditor, runs: EditedRuns) -> Rewritten | None:
    """The first way to write what mends a fault that holds up when it is run."""
    ways = chain.from_iterable(map(editor.ways, _told_as(finding)))
    return next((way for way in islice(ways, _MOST_WAYS) if runs.mends(way.edit, finding)), None)


def _should_be(finding: Finding, reading: Reading) -> Formula | None:
    """What the place of the fault should have been: the gradient that the last of the changed nodes was meant to be."""
    known = [finding.meant[n] for n in finding.readers if n in finding.meant]
    if not known:
        return None
    of = known[-1].candidate
    root, by = scalar_symbol(reading.root_name(of.root)), symbol(reading.named_as(of.wrt)[0])
    return Formula(*render(Partial(root, by)))


def _indentation(program: Program, line: int) -> int:
    """The column in which a line begins."""
    text = program.lines[line - 1]
    return len(text) - len(text.lstrip())


def _other_line(program: Program, rewritten: Rewritten | None, told: Span | None) -> int | None:
    """The line that an edit changes, if that is not in the statement in which the fault is told."""
    if rewritten is None or told is None:
        return None
    statement = program.statement_at(told.line, told.column) or told
    line = rewritten.edit.line
    return None if statement.line <= line <= statement.end_line else line


def _told_as(finding: Finding) -> list[Rewrite]:
    """What is to be done to the source, first at the call that is to blame, if the fault shows further inside."""
    rewrite = finding.rewrite
    if isinstance(rewrite, Operand) and finding.place is not None and finding.place != rewrite.span:
        return [replace(rewrite, span=finding.place), rewrite]
    return [] if rewrite is None else [rewrite]


def _done(analysis: Analysis, finding: Finding) -> str:
    """What a line does to an array, where that says more than the kind of the fault."""
    if finding.kind is Kind.ACCUMULATION and finding.cause in analysis.updates:
        return "keeps"
    adds = analysis.tape.nodes[finding.cause].op in ("add", "subtract")
    if isinstance(finding.rewrite, Drop) and adds and finding.kind is Kind.EXTRA_DERIVATIVE:
        return "adds"
    return _DONE.get(type(finding.rewrite), "")


def _corrected(program: Program, edit: Edit) -> str:
    """The line, or lines, that an edit changes, as they should be."""
    new = edit.new.split("\n")
    old = program.lines[edit.line - 1 : edit.end_line]
    changed = [line for line in new if line not in old] or new
    return "\n".join(line.strip() for line in changed)
