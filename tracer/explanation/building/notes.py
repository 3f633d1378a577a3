"""What a reader should know beside the lines: of the recording, the loss, and what was not followed or not finished.

Comes in: a recording and its analysis.  Goes out: notes with their places, each once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tracer.diagnosis.first_order import first_order_steps
from tracer.explanation.model import Line, Note, Section
from tracer.explanation.words.findings import left_out
from tracer.explanation.words.losses import (
    came_back,
    every_one_with_every_other,
    first_order,
    inferred,
    never_moves,
    no_number,
    none_found,
)
from tracer.matching.analysis import Analysis
from tracer.matching.losses.errors import broadcast_errors
from tracer.matching.losses.written import Inferred
from tracer.matching.severed import is_severed
from tracer.program.notebook import is_cell
from tracer.recording import Recording
from tracer.tape.node import UNTRACKED, Kind


def notes_of(
    recording: Recording,
    analysis: Analysis,
    lines: list[Line],
    loss: str | None,
    sections: tuple[Section, ...],
) -> tuple[Note, ...]:
    """All notes of a report: of the recording, of the loss, of what was not followed or not finished."""
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
        notes += _found_out(analysis, analysis.inferred)
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
    notes += _broadcast_errors(analysis)
    moving = {name for r in analysis.matcher.roots for name in analysis.tape.nodes[r.node].names}
    unmoved = [r for r in analysis.matcher.unmoved if moving.isdisjoint(analysis.tape.nodes[r.node].names)]
    for root in (r for r in unmoved if r.named and np.all(np.isfinite(analysis.replays.of(r.node)[0]))):
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


def _found_out(analysis: Analysis, found: Inferred) -> Iterator[Note]:
    """How each loss was found out that does not stand where the step needs it, at its place; one note for each training."""
    for part in found.parts or (found,):
        written = [analysis.tape.nodes[r] for r in part.losses if r >= analysis.matcher.end]
        for root in written if part.how == "moved" else written[:1]:
            says = root.names[-1] if part.how == "moved" else part.says
            place = root.site.span if root.site is not None else None
            said = inferred(says, part.how, part.reported, part.aside)
            yield Note(place.line if place else 0, place.column if place else 0, said)


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


def _broadcast_errors(analysis: Analysis) -> list[Note]:
    """Differences of outputs and data that take every output with every target: ``(n,)`` and ``(n, 1)``."""
    tape, notes = analysis.tape, []
    for node in map(tape.nodes.__getitem__, broadcast_errors(tape, analysis.updates)):
        if node.site is not None:
            said = every_one_with_every_other(node.site.text, *(tape.nodes[k].shape or () for k in tape.operands(node.id)))
            notes.append(Note(node.site.span.line, node.site.span.column, said))
    return notes
