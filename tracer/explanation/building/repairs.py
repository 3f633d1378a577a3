"""A fault told and mended: the sentence, the corrected lines, and proof that they are right.

Comes in: a finding.  Goes out: a `Diagnosis`.  Invariant: edits are given only if the edited program was
run and every gradient that was spoiled is then right, and none is wrong that was right before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain, islice

from msgspec.structs import replace

from tracer.diagnosis import Finding, Kind, grown_parameters, targets
from tracer.diagnosis.rewrites import (
    AddUp,
    Drop,
    ExchangedNames,
    OnlyPart,
    Operand,
    OtherArray,
    OtherIndex,
    Reshaped,
    Rewrite,
    StoreSum,
)
from tracer.explanation.building.code_words import CodeWords
from tracer.explanation.building.parts import PartMaker
from tracer.explanation.building.reordering import Reader, kept_in, reordered
from tracer.explanation.building.rewriting import SourceEditor
from tracer.explanation.building.source_places import Rewritten, edited
from tracer.explanation.model import Diagnosis, Edit, Formula
from tracer.explanation.words.findings import Told, fault, stale_operand
from tracer.formula import render, scalar_symbol, symbol
from tracer.formula.tree import Partial
from tracer.matching.analysing import identified
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match
from tracer.matching.clock import Task
from tracer.program import Program
from tracer.recording import Recording
from tracer.tape.node import Span


def diagnose_stale(
    program: Program,
    analysis: Analysis,
    finding: Finding,
    maker: PartMaker,
    rerun: Callable[[str], Recording | None] | None,
    loss: str | None,
) -> Diagnosis:
    """What went wrong, what it should be, and the lines in the right order."""
    tape = analysis.tape
    early = _statement(program, maker, finding.cause)
    late = [s for u in finding.spoiled if (s := _statement(program, maker, u)) is not None]
    parameter = (
        maker.reading.node(finding.cause).names[0]
        if maker.reading.node(finding.cause).names
        else "the parameter"
    )
    spoiled = [maker.reading.node(u).names[0] for u in finding.spoiled if maker.reading.node(u).names]
    readers = sorted({site.span.line for n in finding.readers if (site := tape.nodes[n].site) is not None})
    ways = [] if early is None else reordered(program, early, late, _readers(analysis, finding))
    edit = next((e for e in ways if rerun is None or _mends(program, e, rerun, loss, finding, maker)), None)
    match = next(iter(finding.meant.values()))
    root = scalar_symbol(maker.reading.root_name(match.candidate.root))
    first = finding.spoiled[0]
    before = analysis.updates[first].before
    should = Formula(
        *render(
            Partial(
                root, symbol(maker.reading.node(before).names[0] if maker.reading.node(before).names else "W")
            )
        )
    )
    says = stale_operand(
        parameter,
        early.line if early else None,
        spoiled,
        [s.line for s in late],
        readers,
        maker.reading.root_name(match.candidate.root),
        None if edit is None else kept_in(program, edit),
    )
    return Diagnosis(
        "stale operand",
        says,
        should,
        None if edit is None else edit.new,
        () if edit is None else (edit,),
        None,
    )


def _readers(analysis: Analysis, finding: Finding) -> list[Reader]:
    """The expressions that read a version which came too early."""
    nodes = [analysis.tape.nodes[n] for n in finding.readers]
    found = [Reader(n.site.span, n.site.text, n.shape == ()) for n in nodes if n.site is not None and n.op == "getitem"]
    found += [Reader(n.site.span, "", False) for n in nodes if n.site is not None and n.op != "getitem"]
    return list(dict.fromkeys(found))


def _statement(program: Program, maker: PartMaker, node: int) -> Span | None:
    site = maker.reading.node(node).site
    return None if site is None else program.statement_at(site.span.line, site.span.column)


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def diagnose_fault(
    program: Program,
    analysis: Analysis,
    finding: Finding,
    maker: PartMaker,
    rerun: Callable[[str], Recording | None] | None,
    loss: str | None,
) -> Diagnosis:
    """What went wrong, what it should be, and the corrected line."""
    rewritten: Rewritten | None = None
    likeliest: Rewritten | None = None
    words = CodeWords(maker.reading, maker.gradients.derived, maker.slopes.derived)
    if finding.rewrite is not None:
        editor = SourceEditor(program, words)
        for way in islice(chain.from_iterable(map(editor.ways, _told_as(finding))), _MOST_WAYS):
            likeliest = likeliest or way
            if rerun is None or _mends(program, way.edit, rerun, loss, finding, maker):
                rewritten = way
                break
    site = analysis.tape.nodes[finding.cause].site
    span = finding.place or (site.span if site is not None else None)
    if isinstance(finding.rewrite, AddUp) and rewritten is not None:  # what only hands values on computes none
        span = program.statement_at(rewritten.edit.line, _indentation(program, rewritten.edit.line)) or span
        maker.faults.moved[finding.cause] = span
    match = _meaning(analysis, finding)
    should = None
    if match is not None:
        by = maker.reading.named_as(match.candidate.wrt)[0]
        should = Formula(
            *render(Partial(scalar_symbol(maker.reading.root_name(match.candidate.root)), symbol(by)))
        )
    told = Told(
        kind=finding.kind.value,
        line=span.line if span is not None else 0,
        place=maker.reading.place(span.line if span is not None else 0),
        old=rewritten.old if rewritten else "",
        new=rewritten.new if rewritten else "",
        mended=_other_line(program, rewritten, span),
        derivative=None if match is None else should.text if should is not None else None,
        spoiled=_spoiled_names(finding, maker),
        penalised=words.readings(finding.rewrite.part)[0] if isinstance(finding.rewrite, OnlyPart) else "",
        how=_done(analysis, finding),
        grown=None if finding.grown is None else (str(finding.grown[0]), str(finding.grown[1])),
    )
    edit = rewritten.edit if rewritten is not None else None
    return Diagnosis(
        finding.kind.value,
        fault(told),
        should,
        None if edit is None else _corrected(program, edit, rewritten),
        () if edit is None else (edit,),
        None,
    )


def _indentation(program: Program, line: int) -> int:
    return len(_indent(program.lines[line - 1]))


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


#: What a line does to an array, where a rewrite says it.
_DONE: dict[type, str] = {
    OtherArray: "changes",
    OtherIndex: "takes",
    ExchangedNames: "takes",
    Reshaped: "repeats",
    StoreSum: "stores",
}


def _done(analysis: Analysis, finding: Finding) -> str:
    """What a line does to an array, where that says more than the kind of the fault."""
    adds = analysis.tape.nodes[finding.cause].op in ("add", "subtract")
    if isinstance(finding.rewrite, Drop) and adds and finding.kind is Kind.EXTRA_DERIVATIVE:
        return "adds"
    return _DONE.get(type(finding.rewrite), "")


#: How many ways to write an edit are run at most.
_MOST_WAYS = 5


def _corrected(program: Program, edit: Edit, rewritten: Rewritten | None) -> str:
    """The line, or lines, that an edit changes, as they should be."""
    new = edit.new.split("\n")
    old = program.lines[edit.line - 1 : edit.end_line]
    changed = [line for line in new if line not in old] or new
    return "\n".join(line.strip() for line in changed)


def _meaning(analysis: Analysis, finding: Finding) -> Match | None:
    """What the place of the fault should have been: the last of the changed nodes that has a meaning."""
    known = [finding.meant[n] for n in finding.readers if n in finding.meant]
    if known:
        return known[-1]
    return None


def _spoiled_names(finding: Finding, maker: PartMaker) -> tuple[str, ...]:
    """The parameters whose gradients a fault spoils."""
    found: dict[str, None] = {}
    for node in finding.spoiled:
        update = maker.reading.analysis.updates.get(node)
        if update is not None:
            found[maker.reading.named_as(update.wrt)[0]] = None
        elif node in finding.meant:
            found[maker.reading.named_as(finding.meant[node].candidate.wrt)[0]] = None
    return tuple(found)


def _mends(
    program: Program,
    edit: Edit,
    rerun: Callable[[str], Recording | None],
    loss: str | None,
    finding: Finding,
    maker: PartMaker,
) -> bool:
    """Whether the edited program runs and all gradients that were spoiled are right in it."""
    clock = maker.reading.analysis.clock
    if not clock.left(Task.CORRECTION):
        clock.leave_out(Task.CORRECTION, (edit.line,))
        return False
    start = time.monotonic()
    recording = rerun(edited(program, edit))
    again = None if recording is None else identified(recording.tape, loss)
    clock.add(Task.CORRECTION, time.monotonic() - start)
    if again is None:
        return False
    before, after = targets(maker.reading.analysis), targets(again)
    names = _spoiled_names(finding, maker)
    judged = [t for t in after if set(names) & set(_all_names(again, t.wrt))]
    wrong = sum(t.is_wrong for t in after)
    if finding.grown is not None:
        left = [g for g in grown_parameters(again) if set(names) & set(_all_names(again, g.before))]
        return bool(judged) and not any(t.is_wrong for t in judged) and not left
    return bool(judged) and not any(t.is_wrong for t in judged) and wrong < sum(t.is_wrong for t in before)


def _all_names(analysis: Analysis, node: int) -> list[str]:
    """The names of a version of a parameter and of the versions before it; a row of one goes by how it is read."""
    first = analysis.tape.nodes[node]
    found = list(first.names) or ([first.site.text] if first.site is not None else [])
    while node in analysis.updates:
        node = analysis.updates[node].before
        found += analysis.tape.nodes[node].names
    return found
