"""From a recording to an `Explanation`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracer.diagnosis import find_faults, find_grown, find_stale_operands
from tracer.diagnosis.first_order import first_order_steps
from tracer.explanation.building.edited_runs import EditedRuns
from tracer.explanation.building.modules import with_modules
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
    Note,
    Part,
    ProgramInfo,
    Section,
)
from tracer.explanation.words.findings import left_out
from tracer.explanation.words.losses import (
    came_back,
    first_order,
    inferred,
    never_moves,
    no_number,
    none_found,
)
from tracer.matching.analysing import analyse
from tracer.matching.analysis import Analysis
from tracer.matching.clock import Clock
from tracer.matching.severed import is_severed
from tracer.program.notebook import is_cell
from tracer.recording import Recording
from tracer.tape.node import UNTRACKED, Kind

#: Runs an edited program, its own modules with other texts by their paths, and gives its recording; None if it fails.
Rerun = Callable[[str, dict[str, str]], Recording | None]


def build_explanation(
    recording: Recording, loss: str | None = None, rerun: Rerun | None = None
) -> Explanation:
    """Explain a recorded program.

    Arguments:
        loss: the name of the loss, if the user gave one.
        rerun: records an edited source text, so that a corrected program is shown only after it was run.
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
    maker = PartMaker(Reading(program, analysis, joined.sections), [*findings, *faults])
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
        _notes(recording, analysis, lines, loss, sections),
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


def _notes(
    recording: Recording,
    analysis: Analysis,
    lines: list[Line],
    loss: str | None,
    sections: tuple[Section, ...],
) -> tuple[Note, ...]:
    notes = [Note(n.line, n.column, n.what) for n in recording.notices]
    notes += [
        Note(
            s.line,
            0,
            f"The lines {s.line} to {s.end_line} here are lines 1 to {s.end_line - s.line + 1} of "
            + ("another cell." if is_cell(s.path) else f"{s.path}."),
        )
        for s in sections
    ]
    if not analysis.updates and not any(p.verdict for line in lines for p in line.parts):
        notes.append(
            Note(0, 0, "There is no backward pass in what was recorded; the forward pass is explained.")
        )
    if analysis.inferred is not None:
        found_out = analysis.inferred
        said = inferred(found_out.says, found_out.how, found_out.reported, found_out.own_sample)
        written = [r for r in analysis.matcher.inferred if r >= analysis.matcher.end]
        lines_of = [analysis.tape.nodes[r].site for r in written]
        place = next((s.span for s in lines_of if s is not None), None)
        notes.append(Note(place.line if place else 0, place.column if place else 0, said))
    if loss is not None and not analysis.matcher.roots:
        notes.append(Note(0, 0, f"No scalar called {loss} was computed in the recorded iteration."))
    if loss is None and analysis.updates and not (analysis.matcher.roots or analysis.matcher.unmoved):
        first = analysis.tape.nodes[max(analysis.updates)].site
        notes.append(Note(first.span.line if first is not None else 0, 0, none_found()))
    for update, ahead in first_order_steps(analysis).items():
        site = analysis.tape.nodes[update].site
        names = [analysis.tape.nodes[n].names for n in (ahead, analysis.updates[update].wrt)]
        if site is not None:
            said = first_order(*(n[0] if n else "what it is moved to" for n in names))
            notes.append(Note(site.span.line, site.span.column, said))
    behind = frozenset().union(*(analysis.matcher.all_ancestors(r.node) for r in analysis.matcher.roots))
    for lost in analysis.tape.window_nodes():
        if lost.id in behind and lost.site is not None and (is_severed(lost) or lost.op == UNTRACKED):
            notes.append(Note(lost.site.span.line, lost.site.span.column, came_back(lost.site.text)))
    notes += _without_numbers(analysis)
    for root in (r for r in analysis.matcher.unmoved if r.named and np.all(np.isfinite(analysis.replays.of(r.node)[0]))):
        still = analysis.tape.nodes[root.node]
        place = still.site.span if still.site is not None else None
        said = never_moves(still.names[-1] if still.names else "the loss")
        notes.append(Note(place.line if place else 0, place.column if place else 0, said))
    for sweeps in analysis.matcher.adjoints.values():
        for node in sorted(sweeps[0].blocked):
            site = analysis.tape.nodes[node].site
            if site is not None and analysis.tape.nodes[node].op not in ("empty_like", "held"):
                reason = analysis.graph.reasons.get(node, "it has no derivative here")
                notes.append(
                    Note(site.span.line, site.span.column, f"{site.text} was not differentiated: {reason}")
                )
    notes += [Note(min(at, default=0), 0, left_out(task, at)) for task, at in analysis.clock.left_out.items()]
    return tuple(dict.fromkeys(notes))


def _without_numbers(analysis: Analysis) -> list[Note]:
    """What the recorded iterations start from that holds NaN, or infinities that make a loss no number."""
    losses = [r.node for r in (*analysis.matcher.roots, *analysis.matcher.unmoved) if r.named]
    broken = [r for r in losses if not all(np.all(np.isfinite(v)) for v in analysis.replays.of(r))]
    behind = frozenset().union(*map(analysis.matcher.all_ancestors, broken))
    notes = []
    for leaf in analysis.tape.window_nodes():
        value = np.asarray(leaf.value)
        if leaf.kind is not Kind.LEAF or leaf.site is None or value.dtype.kind != "f" or np.all(np.isfinite(value)):
            continue
        trained = all(np.all(np.isfinite(v)) for v in analysis.replays.of(leaf.id))
        if leaf.id not in behind and not (trained and np.any(np.isnan(value))):
            continue
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        name = leaf.names[0] if leaf.names else leaf.site.text
        said = no_number(name, str(value[first]), first, int(np.sum(~np.isfinite(value))), trained)
        notes.append(Note(leaf.site.span.line, leaf.site.span.column, said))
    return notes


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
            and found_out.how in ("fits", "layer", "begun")
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
