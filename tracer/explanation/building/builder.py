"""From a recording to an `Explanation`."""

from __future__ import annotations

from collections.abc import Callable

from tracer.diagnosis import find_faults, find_grown, find_stale_operands
from tracer.explanation.building.edited_runs import EditedRuns
from tracer.explanation.building.modules import with_modules
from tracer.explanation.building.notes import notes_of
from tracer.explanation.building.numbers import finite
from tracer.explanation.building.parts import PartMaker
from tracer.explanation.building.pieces import find_pieces
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.repairs import diagnose_fault
from tracer.explanation.building.stale_repairs import diagnose_stale
from tracer.explanation.model import (
    Explanation,
    Graph,
    GraphNode,
    Line,
    Loss,
    Part,
    ProgramInfo,
    Section,
)
from tracer.matching.analysing import analyse
from tracer.matching.clock import Clock
from tracer.recording import Recording
from tracer.tape.node import Kind

#: Runs an edited program, its own modules with other texts by their paths, and gives its recording; None if it fails.
Rerun = Callable[[str, dict[str, str]], Recording | None]


def build_explanation(
    recording: Recording, loss: str | None = None, rerun: Rerun | None = None, derivations: bool = True
) -> Explanation:
    """Explain a recorded program.

    Arguments:
        loss: the name of the loss, if the user gave one.
        rerun: records an edited source text, so that a corrected program is shown only after it was run.
        derivations: whether formulas and derivations are written; the verdicts are the same without.
    """
    recording, joined = with_modules(recording)
    program = recording.program

    def run_again(text: str) -> Recording | None:
        return rerun(*joined.separated(text)) if rerun is not None else None

    again = run_again if rerun is not None else None
    analysis = analyse(recording.tape, loss, Clock())
    tape = analysis.tape
    findings = find_stale_operands(analysis)
    grown = find_grown(analysis)
    stale = {n for f in findings for u in f.spoiled for n in (analysis.updates[u].change, *f.meant)}
    faults = [*grown, *find_faults(analysis, stale | {n for f in grown for n in f.meant})]
    maker = PartMaker(Reading(program, analysis, joined.sections, derivations), [*findings, *faults])
    runs = EditedRuns(maker.reading, again, loss)
    for finding in findings:
        maker.faults.diagnoses[finding.cause] = diagnose_stale(finding, maker.reading, runs)
    for finding in faults:
        maker.faults.diagnoses[finding.cause] = diagnose_fault(finding, maker, runs)
    lines = []
    for statement, pieces in find_pieces(program, tape).items():
        parts = _without_repeats([p for piece in pieces for p in maker.parts(piece)])
        if not any(part.verdict == "wrong" for part in parts):
            parts = maker.faults.with_fault(parts, pieces)
        if parts:
            text = program.text_of(statement)
            lines.append(Line(statement.line, statement.end_line, text, tuple(parts)))
    lines += maker.faults.untold(lines)
    sections = tuple(Section(s.path, s.line, s.end_line) for s in joined.sections)
    return Explanation(
        ProgramInfo(str(program.path), program.python2, program.source, sections),
        notes_of(recording, analysis, lines, loss, sections),
        _losses(maker, lines),
        tuple(sorted(lines, key=lambda line: (line.line, line.end_line))),
        _graph(maker),
    )


def _without_repeats(parts: list[Part]) -> list[Part]:
    """One part for each identity and place."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for part in parts:
        key = (part.span, part.role, part.of, part.wrt, part.scale, part.target)
        if key not in seen:
            seen.add(key)
            kept.append(part)
    return kept


def _losses(maker: PartMaker, lines: list[Line]) -> tuple[Loss, ...]:
    """The roots that some line is a gradient of, in program order."""
    explained = set(maker.reading.analysis.tape.last_windows())
    found_out = maker.reading.analysis.inferred
    used = {(p.of, p.of_line) for line in lines for p in line.parts if p.role == "gradient"}
    found: dict[tuple[str, int], Loss] = {}
    for root in sorted(maker.reading.analysis.matcher.roots, key=lambda r: r.node):
        name, line = maker.reading.root_name(root.node), maker.reading.root_line(root.node)
        recorded = maker.reading.node(root.node)
        if not root.named and (name, line) not in used:
            continue
        if (name, line) in found and recorded.window not in explained:
            continue
        found[name, line] = Loss(
            name,
            line,
            finite(recorded.value),
            found_out is not None
            and root.node in found_out.unwritten
            and root.node >= maker.reading.analysis.matcher.end,
            maker.writer.formula_of(root.node),
        )
    return tuple(sorted(found.values(), key=lambda loss: loss.line))


def _graph(maker: PartMaker) -> Graph:
    """The data flow of the forward pass of the explained iterations: named values, and what they are made from."""
    analysis = maker.reading.analysis
    tape = analysis.tape
    named: dict[int, GraphNode] = {}
    roots = [r.node for r in analysis.matcher.roots if r.named] or [r.node for r in analysis.matcher.roots]
    last: dict[int, int] = {}
    for root in roots:
        window = tape.nodes[root].window
        last[tape.windows[window].loop_line] = max(last.get(tape.windows[window].loop_line, 0), window)
    chosen = {r for r in roots if tape.nodes[r].window in last.values()}
    inside: set[int] = set()
    for root in chosen:
        inside |= (
            set(analysis.matcher.adjoints.get(root, [])[0].full)
            if root in analysis.matcher.adjoints
            else set()
        )
        inside |= {
            n
            for n in analysis.matcher.all_ancestors(root)
            if tape.nodes[n].shape and tape.nodes[n].window >= 0
        }
    for node in sorted(inside | chosen):
        recorded = tape.nodes[node]
        if recorded.names and recorded.shape is not None and recorded.kind is not Kind.LITERAL:
            line = recorded.site.span.line if recorded.site and recorded.kind is not Kind.LEAF else 0
            named[node] = GraphNode(node, line, recorded.names[0], recorded.shape)
    edges: list[tuple[int, int]] = []
    for node in named:
        for source in _named_sources(maker, node, named):
            edges.append((source, node))
    return Graph(tuple(named.values()), tuple(dict.fromkeys(edges)))


def _named_sources(maker: PartMaker, node: int, named: dict[int, GraphNode]) -> list[int]:
    if node in maker.reading.analysis.updates or maker.reading.node(node).kind is Kind.LEAF:
        return []
    found: list[int] = []
    seen: set[int] = set()
    todo = list(maker.reading.analysis.tape.operands(node))
    while todo:
        current = todo.pop(0)
        if current in seen:
            continue
        seen.add(current)
        if current in named:
            found.append(current)
        elif current not in maker.reading.analysis.updates:
            todo += maker.reading.analysis.tape.operands(current)
    return sorted(found)
