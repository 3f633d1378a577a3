"""The smallest edit that makes wrong gradients right.

Comes in: an analysis.  Goes out: a `Finding` for each fault, with the edit that mends it on the tape.  Edits are tried
from the nearest to the furthest; one that mends several gradients at once is told rather than several that
mend one each.  What no edit mends is not called wrong.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from tracer.diagnosis.accumulation import not_added_up, overwritten
from tracer.diagnosis.believable import are_believable, is_believable, without_unwritten_terms
from tracer.diagnosis.edits import carried_terms, changed_code, meant_values
from tracer.diagnosis.entrances import Entrances, changes_factor, enters, is_known
from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.intent import targets
from tracer.diagnosis.left_over import never_set_back
from tracer.diagnosis.placing import as_finding
from tracer.diagnosis.rewrites import Accumulate
from tracer.diagnosis.target import Target
from tracer.diagnosis.trials import Edit, Trials
from tracer.matching.analysis import Analysis
from tracer.matching.clock import Task

#: How much further an edit may be fetched than the best so far and still be tried.
_MARGIN = 0.35
#: How much further an edit is fetched that changes nothing in some of the runs of its place.
_IDLE = 0.3
#: How much further an edit is fetched after which a gradient still has another factor than the others.
_ODD = 0.6
#: How many faults of one program are looked for.
_MOST_FINDINGS = 4


def _starts_are_guessed(analysis: Analysis) -> bool:
    """Whether a backward pass starts from several values that are the gradient of nothing known: they may be one."""
    starts = analysis.inferred.starts if analysis.inferred is not None else ()
    windows = [analysis.tape.nodes[n].window for n in starts]
    return len(windows) > len(set(windows))


def find_faults(analysis: Analysis, explained: Iterable[int] = ()) -> list[Finding]:
    """The faults behind the gradients that are wrong; the analysis's clock says when no further edit is tried.

    Arguments:
        explained: nodes whose fault is known already.
    """
    if _starts_are_guessed(analysis):
        return []
    known = set(explained)
    judged = targets(analysis)
    wrong = [t for t in judged if t.is_wrong and t.node not in known]
    wrong = without_unwritten_terms(analysis, judged, wrong) if analysis.is_fitted else wrong
    right = [t for t in judged if not t.is_wrong]
    start = time.thread_time()
    until = start + analysis.clock.left(Task.FAULT)
    findings: list[Finding] = []
    for look in (overwritten, not_added_up, never_set_back):
        for finding in look(analysis, wrong):
            findings.append(finding)
            mended_parameters = {t.wrt for t in wrong if t.node in finding.meant}
            wrong = [t for t in wrong if t.wrt not in mended_parameters]
    while wrong and len(findings) < _MOST_FINDINGS:
        trials = Trials(analysis, wrong, right)
        best = _smallest(trials, until)
        if best is None:
            break
        edit, mended = best
        findings.append(as_finding(trials, edit, mended))
        # What else a step may have meant as the gradient is mended with it.
        steps = {t.update for t in mended if t.update is not None}
        wrong = [t for t in wrong if t not in mended and t.update not in steps]
    analysis.clock.spend(Task.FAULT, start)
    if wrong and time.thread_time() > until:
        sites = [analysis.tape.nodes[t.node].site for t in wrong]
        analysis.clock.leave_out(Task.FAULT, sorted(s.span.line for s in sites if s is not None))
    return findings if are_believable(analysis, findings, judged, bool(wrong)) else []


def _smallest(trials: Trials, until: float) -> tuple[Edit, tuple[Target, ...]] | None:
    """The edit that mends most, of those the nearest, of those the one where the fault enters.

    Where faults may have come in is looked at first, and there those edits first that make a gradient of something;
    elsewhere only if no edit there mends everything.
    """
    search = _Search(trials, until)
    if all(t.factors is not None for t in trials.targets):  # all are gradients but for a factor: any place may bring it in
        search.among(_nearest_first(changed_code(trials)))
        search.among(_nearest_first([*meant_values(trials), *carried_terms(trials)]))
        return None if search.best is None else search.best[1:]
    entrances = Entrances(trials)
    trials.tried = [n for n in trials.behind if n in entrances.nodes]
    there = _nearest_first(changed_code(trials))
    search.among(edit for edit in there if entrances.lets_right_through(edit))
    carried = [] if search.is_settled else _nearest_first(carried_terms(trials))
    search.among(edit for edit in carried if entrances.lets_right_through(edit))  # no look at what each value could be
    meant = [] if search.is_settled else _nearest_first([*meant_values(trials), *carried])
    terms = (edit for edit in meant if edit.kind is not Kind.UNKNOWN and entrances.lets_right_through(edit))
    if not search.is_settled:
        search.among(terms)
    for edits in (there, meant):
        if not search.has_all:
            search.among(edits)
    trials.tried = trials.behind
    if not search.has_all or search.is_last_resort:
        search.among(_nearest_first(changed_code(trials)))
        search.among(_nearest_first([*meant_values(trials), *carried_terms(trials)]))
    return None if search.best is None else search.best[1:]


def _nearest_first(edits: Iterable[Edit]) -> list[Edit]:
    return sorted(edits, key=lambda edit: edit.level)


class _Search:
    """Tries edits one after the other, and keeps the best.

    Attributes:
        best: its rank, the edit, and what it mends.
    """

    def __init__(self, trials: Trials, until: float) -> None:
        self.trials, self._until = trials, until
        self.best: tuple[tuple[float, ...], Edit, tuple[Target, ...]] | None = None
        self._everything = len({t.wrt for t in trials.targets})
        self._tried: set[Edit] = set()

    @property
    def has_all(self) -> bool:
        """Whether an edit was found that mends everything."""
        return self.best is not None and -self.best[0][0] == self._everything

    @property
    def is_settled(self) -> bool:
        """Whether everything is mended in the plainest way; a missing term is rather said than taken from a former value."""
        if self.best is None or not self.has_all:
            return False
        _, edit, _ = self.best
        return not (edit.kind is Kind.MISSING_TERM and isinstance(edit.text, Accumulate))

    @property
    def is_last_resort(self) -> bool:
        """Whether the best edit only says what a value should be."""
        return self.best is not None and self.best[1].kind is Kind.UNKNOWN

    def among(self, edits: Iterable[Edit]) -> None:
        """Try edits, the nearest first, until one mends everything and the others are much further fetched."""
        for edit in edits:
            settled = self.has_all and self.best is not None and edit.level > self.best[0][4] + _MARGIN
            if settled or time.thread_time() > self._until:
                return
            self._try(edit)

    def _try(self, edit: Edit) -> None:
        trials = self.trials
        if edit in self._tried:
            return
        self._tried.add(edit)
        mended = trials.mended(edit)
        if not mended or not is_believable(trials, edit, mended):
            return
        level = edit.level + _IDLE * trials.is_idle_somewhere(edit) + _ODD * trials.leaves_odd(edit, mended)
        rank = (
            -len({t.wrt for t in mended}),
            round(level, 1),
            -len(mended),
            _distance_from_the_fault(trials, edit),
            level,
            float(min(edit.nodes)),
        )
        if self.best is None or rank < self.best[0]:
            self.best = rank, edit, mended


def _distance_from_the_fault(trials: Trials, edit: Edit) -> float:
    """0 where a fault enters, 2 where what is changed was right, and 1 where that is not known."""
    known = [n for n in edit.nodes if is_known(trials, n)]
    if any(not changes_factor(trials, n) for n in known):
        return 2.0
    if known:
        return 0.0
    return 0.0 if enters(trials, edit) else 1.0
