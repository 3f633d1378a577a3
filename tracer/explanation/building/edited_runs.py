"""Whether an edited program is right: it is run, and its gradients are judged.

Comes in: an edit of the source, and the fault that it is to mend.  Goes out: whether it does.  Invariant: it does
only if every gradient that was spoiled is then right, and fewer are wrong than before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tracer.diagnosis import Finding, grown_parameters, targets
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.source_places import edited
from tracer.explanation.model import Edit
from tracer.matching.analysing import identified
from tracer.matching.analysis import Analysis
from tracer.matching.clock import Task
from tracer.recording import Recording


@dataclass(frozen=True)
class EditedRuns:
    """Runs edited programs.

    Attributes:
        record: records a source text; None if no program is to be run again, so that every edit is believed.
        loss: the name of the loss, if the user gave one.
    """

    reading: Reading
    record: Callable[[str], Recording | None] | None
    loss: str | None

    def mends(self, edit: Edit, finding: Finding) -> bool:
        """Whether the edited program runs and all gradients that were spoiled are right in it."""
        return self.record is None or self._is_right(self.record, edit, finding)

    def _is_right(self, record: Callable[[str], Recording | None], edit: Edit, finding: Finding) -> bool:
        clock = self.reading.analysis.clock
        if not clock.left(Task.CORRECTION):
            clock.leave_out(Task.CORRECTION, (edit.line,))
            return False
        start = time.monotonic()
        recording = record(edited(self.reading.program, edit))
        again = None if recording is None else identified(recording.tape, self.loss)
        clock.add(Task.CORRECTION, time.monotonic() - start)
        if again is None:
            return False
        before, after = targets(self.reading.analysis), targets(again)
        names = set(spoiled_names(finding, self.reading))
        judged = [t for t in after if names & set(_all_names(again, t.wrt))]
        if not judged or any(t.is_wrong for t in judged):
            return False
        if finding.grown is not None:
            return not any(names & set(_all_names(again, g.before)) for g in grown_parameters(again))
        return sum(t.is_wrong for t in after) < sum(t.is_wrong for t in before)


def spoiled_names(finding: Finding, reading: Reading) -> tuple[str, ...]:
    """The parameters whose gradients a fault spoils."""
    found: dict[str, None] = {}
    for node in finding.spoiled:
        update = reading.analysis.updates.get(node)
        if update is not None:
            found[reading.named_as(update.wrt)[0]] = None
        elif node in finding.meant:
            found[reading.named_as(finding.meant[node].candidate.wrt)[0]] = None
    return tuple(found)


def _all_names(analysis: Analysis, node: int) -> list[str]:
    """The names of a version of a parameter and of the versions before it; a row of one goes by how it is read."""
    first = analysis.tape.nodes[node]
    found = list(first.names) or ([first.site.text] if first.site is not None else [])
    while node in analysis.updates:
        node = analysis.updates[node].before
        found += analysis.tape.nodes[node].names
    return found
