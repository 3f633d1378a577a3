"""When an edit that makes gradients right may be believed, and when a fault may.

Numbers alone do not tell a fault from a convention: a term may be left out on purpose, come from a loss that is
written nowhere, or the value may not be meant as a gradient at all.  Comes in: an edit, or what was found.  Goes out:
whether it may be said. Invariant: in doubt nothing is called wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracer.diagnosis.entrances import enters
from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.rewrites import AddTerm, Drop
from tracer.diagnosis.target import Target, is_gradient
from tracer.diagnosis.trials import Edit, Trials
from tracer.gradients.adjoints import ELEMENTWISE
from tracer.gradients.selection import MOVES_ENTRIES
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import GRADIENTS, Match, Sort
from tracer.matching.decay import has_penalty
from tracer.matching.gradient_names import is_backward, says_gradient
from tracer.tape.node import Kind as NodeKind

_ENTRY_BY_ENTRY = ELEMENTWISE | MOVES_ENTRIES | {"equal", "greater", "less", "greater_equal", "less_equal", "not_equal"}


def is_believable(trials: Trials, edit: Edit, mended: Iterable[Target]) -> bool:
    """Whether an edit may be what is wrong, given that it mends these targets."""
    if edit.kind is Kind.UNKNOWN and not _is_enclosed(trials, edit):
        whole = len({t.wrt for t in trials.targets})
        if not (len({t.wrt for t in mended}) == whole > 1 and _begins(trials, edit)):
            return False
    return not _makes_it_fit_less(trials, edit) and not _goes_by_other_data(trials, mended)


def _goes_by_other_data(trials: Trials, mended: Iterable[Target]) -> bool:
    """Whether steps rest on data that what they should go down does not rest on, and nobody calls a loss: it is a score."""
    matcher, tape = trials.analysis.matcher, trials.analysis.tape
    named = {r.node for r in matcher.roots if r.named}
    for target in mended:
        if target.roots[0] in named:
            continue
        behind, inside = matcher.all_ancestors(target.node), matcher.all_ancestors(target.roots[0])
        for node in behind - inside - matcher.variables.versions:
            weighs = all(tape.nodes[u].op in ("multiply", "divide") for u in tape.users(node) if u in behind)
            if tape.nodes[node].kind is NodeKind.LEAF and not weighs:
                return True
    return False


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
    return enters(trials, edit) or any(is_gradient(trials.best(k)) for n in edit.nodes for k in trials.operands(n))


def _begins(trials: Trials, edit: Edit) -> bool:
    """Whether a value is where a backward pass begins: made entry by entry from what the forward pass computed."""
    forward = trials.analysis.matcher.forward
    behind, todo = set[int](), list(edit.nodes)
    while todo:
        node = todo.pop()
        if node not in behind and (node not in forward or node in edit.nodes):
            behind.add(node)
            todo += trials.operands(node)
    arrays = [trials.node(k) for k in behind if trials.node(k).window in trials.windows and trials.node(k).shape]
    return len(edit.nodes) == 1 and all(n.kind is NodeKind.LEAF or n.op in _ENTRY_BY_ENTRY for n in arrays)


def _adds_parts(trials: Trials, node: int) -> bool:
    """Whether a value is the sum of what several paths, or several losses, give to the gradient by one value."""
    matches = [trials.best(k) for k in trials.operands(node)]
    by = {m.candidate.wrt for m in matches if m is not None and m.candidate.sort in GRADIENTS and m.scale.rank <= 3}
    return trials.node(node).op in ("add", "subtract") and None not in matches and len(by) == 1


def without_unwritten_terms(analysis: Analysis, judged: Iterable[Target], wrong: Iterable[Target]) -> list[Target]:
    """The wrong gradients that nothing was added to on the way which may come from a term of the loss of its own.

    So it is where a code is kept near to a normal distribution: ``dz + mu / n``; and where a value rests on parameters that
    the inferred loss does not rest on, as the policy beside a critic: there is another loss.
    """
    beside = Trials(analysis, judged).beside_gradients
    alone = (t for t in wrong if beside.isdisjoint(analysis.matcher.all_ancestors(t.node) | {t.node}))
    return [t for t in alone if not _rests_on_more(analysis, t)]


def _rests_on_more(analysis: Analysis, target: Target) -> bool:
    """Whether a value is computed from a parameter that no loss of it is computed from, whichever version of it."""
    variables, behind = analysis.matcher.variables, analysis.matcher.all_ancestors
    of_losses = {variables.first(n) for root in target.roots for n in behind(root) & variables.versions}
    return any(variables.first(n) not in of_losses for n in behind(target.node) & variables.versions)


def are_believable(analysis: Analysis, findings: list[Finding], judged: Iterable[Target], still_wrong: bool) -> bool:
    """Whether faults may be told of a program.

    They may beside a gradient that is right.  Where nothing is a gradient, one may not be meant at all.

    Arguments:
        still_wrong: whether there are wrong values that none of them explains.
    """
    judged = list(judged)
    if any(not t.is_wrong for t in judged):
        return True
    if still_wrong:
        return False
    added = (analysis.updates[n].change for f in findings for n in f.readers if n in analysis.updates)
    if any(is_gradient(analysis.matcher.best(change)) for change in added):
        return True  # a sum that was not set back adds up gradients
    behind = Trials(analysis, judged).behind
    if any(_is_meant_as_one(analysis, m) for n in behind if (m := analysis.matcher.best(n)) is not None):
        return True
    return len(findings) == 1 and _is_meant(analysis, findings[0])


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
