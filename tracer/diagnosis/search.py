"""The smallest edit that makes wrong gradients right.

Comes in: an analysis.  Goes out: a `Finding` for each fault, with the edit that mends it on the tape.  Edits are tried
from the nearest to the furthest; one that mends several gradients at once is told rather than several that
mend one each.  What no edit mends is not called wrong.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from tracer.diagnosis.accumulation import not_added_up, overwritten
from tracer.diagnosis.edits import carried_terms, changed_code, meant_values
from tracer.diagnosis.entrances import Entrances, changes_factor, is_known
from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.identification import identify
from tracer.diagnosis.intent import targets
from tracer.diagnosis.rewrites import Accumulate, AddTerm, Drop
from tracer.diagnosis.target import Target, is_gradient
from tracer.diagnosis.trials import Edit, Trials
from tracer.gradients.adjoints import ELEMENTWISE
from tracer.gradients.selection import MOVES_ENTRIES
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import GRADIENTS, Match, Sort
from tracer.matching.clock import Task
from tracer.matching.decay import has_penalty
from tracer.matching.gradient_names import is_backward, says_gradient
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node, Span

#: How much further an edit may be fetched than the best so far and still be tried.
_MARGIN = 0.35
#: How much further an edit is fetched that changes nothing in some of the runs of its place.
_IDLE = 0.3
#: How much further an edit is fetched after which a gradient still has another factor than the others.
_ODD = 0.6
_ENTRY_BY_ENTRY = ELEMENTWISE | MOVES_ENTRIES | {"equal", "greater", "less", "greater_equal", "less_equal", "not_equal"}
#: How many faults of one program are looked for.
_MOST_FINDINGS = 4


def find_faults(analysis: Analysis, explained: Iterable[int] = ()) -> list[Finding]:
    """The faults behind the gradients that are wrong; the analysis's clock says when no further edit is tried.

    Arguments:
        explained: nodes whose fault is known already.
    """
    known = set(explained)
    judged = targets(analysis)
    wrong = [t for t in judged if t.is_wrong and t.node not in known]
    wrong = _of_what_is_inferred(analysis, judged, wrong) if analysis.is_fitted else wrong
    right = [t for t in judged if not t.is_wrong]
    start = time.thread_time()
    until = start + analysis.clock.left(Task.FAULT)
    findings: list[Finding] = []
    for look in (overwritten, not_added_up):
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
        findings.append(_finding(trials, edit, mended))
        # What else a step may have meant as the gradient is mended with it.
        steps = {t.update for t in mended if t.update is not None}
        wrong = [t for t in wrong if t not in mended and t.update not in steps]
    analysis.clock.spend(Task.FAULT, start)
    if wrong and time.thread_time() > until:
        sites = [analysis.tape.nodes[t.node].site for t in wrong]
        analysis.clock.leave_out(Task.FAULT, sorted(s.span.line for s in sites if s is not None))
    if right or any(_is_meant_as_one(analysis, match) for match in _recognised(analysis, judged)):
        return findings if right or not wrong else []
    # Where nothing is a gradient, one may not be meant at all.
    return findings if not wrong and len(findings) == 1 and _is_meant(analysis, findings[0]) else []


def _of_what_is_inferred(analysis: Analysis, judged: list[Target], wrong: list[Target]) -> list[Target]:
    """The wrong gradients that nothing was added to on the way which may come from a term of the loss of its own.

    So it is where a code is kept near to a normal distribution: ``dz + mu / n``.
    """
    beside = Trials(analysis, judged).beside_gradients
    return [t for t in wrong if beside.isdisjoint(analysis.matcher.all_ancestors(t.node) | {t.node})]


def _is_meant_as_one(analysis: Analysis, match: Match) -> bool:
    """Whether a value is a gradient, or all of one but for a penalty."""
    of = match.candidate
    penalised = of.sort is Sort.PATH and match.scale.rank <= 3 and has_penalty(analysis.matcher, of.root, of.wrt)
    return penalised or is_gradient(match)


def _is_meant(analysis: Analysis, finding: Finding) -> bool:
    """Whether one fault explains why nothing is a gradient.

    It does if it mends several parameters; or the only one, if the program computes a loss, calls a value a gradient,
    and there is a certain thing to put right: not a term, which may be left out on purpose, nor a factor.
    """
    if len(finding.spoiled) > 1:
        return True
    certain = finding.kind not in (Kind.UNKNOWN, Kind.MISSING_TERM, Kind.FACTOR)
    own = analysis.inferred is None or analysis.inferred.how == "moved"
    named = own and any(root.named for root in analysis.matcher.roots)
    nodes = [analysis.tape.nodes[n] for n in finding.meant]
    called = any(says_gradient(n.names) or any(is_backward(c.function) for c in n.calls) for n in nodes)
    return certain and named and called


def _recognised(analysis: Analysis, judged: Iterable[Target]) -> Iterator[Match]:
    """What the values behind the judged gradients are recognised as."""
    for node in Trials(analysis, judged).behind:
        match = analysis.matcher.best(node)
        if match is not None:
            yield match


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
            settled = self.has_all and self.best is not None and edit.level > self.best[1].level + _MARGIN
            if settled or time.thread_time() > self._until:
                return
            self._try(edit)

    def _try(self, edit: Edit) -> None:
        trials = self.trials
        if edit in self._tried:
            return
        self._tried.add(edit)
        mended = trials.mended(edit)
        if not mended:
            return
        everything = len({t.wrt for t in mended}) == self._everything > 1
        if edit.kind is Kind.UNKNOWN and not _is_enclosed(trials, edit) and not (everything and _begins(trials, edit)):
            return
        if _makes_it_fit_less(trials, edit):
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


def _makes_it_fit_less(trials: Trials, edit: Edit) -> bool:
    """Whether a term of forward values alone is put in or left out, where there may be a loss that it comes from.

    An inferred loss is what fits most of the backward pass; a term of its own may be written nowhere.  So may one where
    a program computes several losses, and does not add them up.
    """
    match edit.text:
        case AddTerm(root=None):
            return trials.analysis.is_fitted
        case Drop(kept=kept):
            operands = trials.operands(edit.nodes[0])
            if len(operands) != 2 or trials.node(edit.nodes[0]).op not in ("add", "subtract"):
                return False
            behind = trials.analysis.matcher.all_ancestors(operands[1 - kept])
            return _has_several_losses(trials) and trials.gradients.isdisjoint(behind)
    return False


def _has_several_losses(trials: Trials) -> bool:
    """Whether the iteration computes losses that no other one is computed from."""
    behind = trials.analysis.matcher.all_ancestors
    own = {r.node for r in trials.analysis.matcher.roots if r.named and trials.node(r.node).window in trials.windows}
    return sum(not any(o != p and o in behind(p) for p in own) for o in own) > 1


def _is_enclosed(trials: Trials, edit: Edit) -> bool:
    """Whether something that a value was computed from is right, so that the fault is not anywhere before it.

    What only adds up parts of a gradient may leave others out on purpose, as an advantage that is held fixed.
    """
    if all(_adds_parts(trials, n) for n in edit.nodes):
        return False
    return _enters(trials, edit) or any(is_gradient(trials.best(k)) for n in edit.nodes for k in trials.operands(n))


def _begins(trials: Trials, edit: Edit) -> bool:
    """Whether a value is where a backward pass begins: made entry by entry from what the forward pass computed."""
    forward = trials.analysis.matcher.forward
    behind = {k for n in edit.nodes for k in trials.analysis.matcher.all_ancestors(n) if k not in forward}
    arrays = [trials.node(k) for k in behind if trials.node(k).window in trials.windows and trials.node(k).shape]
    return len(edit.nodes) == 1 and all(n.kind is NodeKind.LEAF or n.op in _ENTRY_BY_ENTRY for n in arrays)


def _adds_parts(trials: Trials, node: int) -> bool:
    """Whether a value is the sum of what several paths, or several losses, give to the gradient by one value."""
    matches = [trials.best(k) for k in trials.operands(node)]
    by = {m.candidate.wrt for m in matches if m is not None and m.candidate.sort in GRADIENTS and m.scale.rank <= 3}
    return trials.node(node).op in ("add", "subtract") and None not in matches and len(by) == 1


def _distance_from_the_fault(trials: Trials, edit: Edit) -> float:
    """0 where a fault enters, 2 where what is changed was right, and 1 where that is not known."""
    known = [n for n in edit.nodes if is_known(trials, n)]
    if any(not changes_factor(trials, n) for n in known):
        return 2.0
    if known:
        return 0.0
    return 0.0 if _enters(trials, edit) else 1.0


def _enters(trials: Trials, edit: Edit) -> bool:
    """Whether what an edit changes is not recognised, though all that it was computed from is."""
    inside = set(trials.behind)
    return any(
        not is_gradient(trials.best(node))
        and all(k not in inside or trials.best(k) is not None for k in trials.operands(node))
        for node in edit.nodes
    )


def _finding(trials: Trials, edit: Edit, mended: tuple[Target, ...]) -> Finding:
    per_replay = [trials.values(edit, r) or {} for r in range(len(trials.analysis.replays.values))]
    by_node = {t.node: t for t in mended}
    # A loss may be computed after the step, of what was there before it.
    last = max(max(t.update or t.node, *map(trials.analysis.matcher.position, t.roots[:1])) for t in mended)
    meant: dict[int, Match] = {}
    for node in per_replay[0]:
        target = by_node.get(node)
        match = identify(
            trials.analysis,
            node,
            [changed[node] for changed in per_replay],
            last,
            target.wrt if target else None,
        )
        if match is not None:
            meant[node] = match
    return Finding(
        edit.kind,
        min(edit.nodes),
        tuple(dict.fromkeys(t.node if t.update is None else t.update for t in mended)),
        edit.nodes,
        meant,
        edit.text,
        _place(trials, edit),
    )


def _place(trials: Trials, edit: Edit) -> Span | None:
    """Where an edit stands; for code that other calls run rightly, the call from which it goes wrong."""
    if edit.text is None:
        return None
    span: Span = edit.text.span
    first = trials.node(min(edit.nodes))
    chain = _chain(first)
    if span not in chain:
        return span
    # What is computed and then not used says nothing.
    ancestors = trials.analysis.matcher.all_ancestors
    used = trials.analysis.matcher.forward.union(*(ancestors(t.node) for t in (*trials.targets, *trials.right)))
    right = [
        _chain(n)
        for n in trials.analysis.tape.window_nodes()
        if n.window in trials.windows and n.id not in edit.nodes and n.op == first.op and n.site == first.site
        if n.id in used
    ]
    place = chain.index(span)
    while place > 0 and any(chain[place] in other for other in right):
        place -= 1
    return chain[place]


def _chain(node: Node) -> list[Span]:
    """The calls that a node was computed in, outermost first, and its own place."""
    own = [] if node.site is None else [node.site.span]
    return [*(call.site.span for call in node.calls), *own]
