"""A stale operand told and mended: the sentence, the corrected order of lines, and proof that it is right.

Comes in: a finding.  Goes out: a `Diagnosis`.  Invariant: edits are given only if the edited program was
run and every gradient that was spoiled is then right.
"""

from __future__ import annotations

from collections.abc import Callable

from tracer.diagnosis import Finding
from tracer.explanation.building.parts import PartMaker
from tracer.explanation.model import Diagnosis, Edit, Formula
from tracer.explanation.words.findings import stale_operand
from tracer.formula import render, symbol
from tracer.formula.tree import Partial
from tracer.matching.analysis import Analysis, analyse
from tracer.matching.judging import is_right, judged_updates
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
    edit = None if early is None else _reordered(program, early, late)
    if edit is not None and rerun is not None and not _mends(program, edit, rerun, loss, finding, maker):
        edit = None
    match = next(iter(finding.meant.values()))
    root = symbol(maker.reading.root_name(match.candidate.root))
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
    )
    return Diagnosis(
        "stale operand",
        says,
        should,
        None if edit is None else edit.new,
        () if edit is None else (edit,),
        None,
    )


def _statement(program: Program, maker: PartMaker, node: int) -> Span | None:
    site = maker.reading.node(node).site
    return None if site is None else program.statement_at(site.span.line, site.span.column)


def _reordered(program: Program, early: Span, late: list[Span]) -> Edit | None:
    """The block from the early update to the last spoiled one, with the early update moved to its end."""
    if not late or any(s.line <= early.end_line for s in late):
        return None
    last = max(late, key=lambda s: s.line)
    lines = program.lines
    indent = _indent(lines[early.line - 1])
    if any(_indent(lines[s.line - 1]) != indent for s in late):
        return None
    between = lines[early.end_line : last.end_line]
    if any(text.strip() and not text.startswith(indent) for text in between):
        return None
    moved = [*between, *lines[early.line - 1 : early.end_line]]
    return Edit(early.line, last.end_line, "\n".join(moved))


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def edited(program: Program, edit: Edit) -> str:
    """The source text with an edit applied."""
    lines = list(program.lines)
    lines[edit.line - 1 : edit.end_line] = edit.new.split("\n")
    return "\n".join(lines)


def _mends(
    program: Program,
    edit: Edit,
    rerun: Callable[[str], Recording | None],
    loss: str | None,
    finding: Finding,
    maker: PartMaker,
) -> bool:
    """Whether the edited program runs and all gradients that were spoiled are right in it."""
    recording = rerun(edited(program, edit))
    if recording is None:
        return False
    again = analyse(recording.tape, loss)
    names = {name for u in finding.spoiled for name in maker.reading.node(u).names}
    judged = [u for u in judged_updates(again.matcher) if names & set(again.tape.nodes[u.node].names)]
    return bool(judged) and all(is_right(again.matcher, u) for u in judged)
