"""An update that came too early, told and mended: the sentence, and the lines in the right order.

Comes in: a finding.  Goes out: a `Diagnosis`.  Invariant: an order is given only if the program was run in it.
"""

from __future__ import annotations

from tracer.diagnosis import Finding
from tracer.explanation.building.edited_runs import EditedRuns
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.reordering import Reader, kept_in, reordered
from tracer.explanation.model import Diagnosis, Formula
from tracer.explanation.words.findings import stale_operand
from tracer.formula import render, scalar_symbol, symbol
from tracer.formula.tree import Partial
from tracer.matching.analysis import Analysis
from tracer.tape.node import Span


def diagnose_stale(finding: Finding, reading: Reading, runs: EditedRuns) -> Diagnosis:
    """What went wrong, what it should be, and the lines in the right order."""
    analysis, program = reading.analysis, reading.program
    early = _statement(reading, finding.cause)
    late = [s for u in finding.spoiled if (s := _statement(reading, u)) is not None]
    spoiled = [reading.node(u).names[0] for u in finding.spoiled if reading.node(u).names]
    readers = sorted({site.span.line for n in finding.readers if (site := reading.node(n).site) is not None})
    ways = [] if early is None else reordered(program, early, late, _readers(analysis, finding))
    edit = next((e for e in ways if runs.mends(e, finding)), None)
    match = next(iter(finding.meant.values()))
    root = reading.root_name(match.candidate.root)
    before = reading.node(analysis.updates[finding.spoiled[0]].before)
    says = stale_operand(
        reading.node(finding.cause).names[0] if reading.node(finding.cause).names else "the parameter",
        early.line if early else None,
        spoiled,
        [s.line for s in late],
        readers,
        root,
        None if edit is None else kept_in(program, edit),
    )
    should = Formula(*render(Partial(scalar_symbol(root), symbol(before.names[0] if before.names else "W"))))
    corrected = None if edit is None else edit.new
    return Diagnosis("stale operand", says, should, corrected, () if edit is None else (edit,), None)


def _readers(analysis: Analysis, finding: Finding) -> list[Reader]:
    """The expressions that read a version which came too early."""
    nodes = [analysis.tape.nodes[n] for n in finding.readers]
    found = [Reader(n.site.span, n.site.text, n.shape == ()) for n in nodes if n.site is not None and n.op == "getitem"]
    found += [Reader(n.site.span, "", False) for n in nodes if n.site is not None and n.op != "getitem"]
    return list(dict.fromkeys(found))


def _statement(reading: Reading, node: int) -> Span | None:
    site = reading.node(node).site
    return None if site is None else reading.program.statement_at(site.span.line, site.span.column)
