"""Which loss it is: of all that may be meant the one that most steps go down.

Comes in: an analysis with the losses that the program computes.  Goes out: the analysis with the loss that is meant, in
the order in which the package says that they are looked for.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator

import numpy as np
from msgspec.structs import replace

from tracer.matching.analysis import Analysis, matched
from tracer.matching.clock import Clock, Task
from tracer.matching.judging import explained, is_right, judged_updates, some_are_wrong
from tracer.matching.losses.actions import losses_of_choices
from tracer.matching.losses.added import are_computed_together, sum_of_losses
from tracer.matching.losses.begun import begun_losses
from tracer.matching.losses.classes import losses_of_classes
from tracer.matching.losses.energies import losses_of_energies
from tracer.matching.losses.errors import broadcast_errors
from tracer.matching.losses.layers import layer_losses
from tracer.matching.losses.meant import meant_squares
from tracer.matching.losses.moved import own_losses
from tracer.matching.losses.names import loss_name
from tracer.matching.losses.penalised import with_penalties
from tracer.matching.losses.reported import are_alike, only_tell_absolute_errors
from tracer.matching.losses.restored import restored_losses
from tracer.matching.losses.roots import Root
from tracer.matching.losses.trainings import alone, together, trainings, with_others
from tracer.matching.losses.usual import inferred_losses
from tracer.matching.losses.written import Aside, Inferred
from tracer.matching.matcher import Matcher
from tracer.matching.optimisers import recognise
from tracer.matching.updates import Update
from tracer.tape.node import Kind


def with_its_loss(computed: Analysis, loss: str | None, clock: Clock) -> Analysis:
    """The analysis with the loss that the steps go down, if they do not go down one that is computed before them.

    Arguments:
        computed: the analysis with the losses that the program computes.
        loss: the name of the loss, if the user gave one: then nothing else is one.
    """
    several = _of_trainings(computed, clock) if loss is None else None
    return several or _of_one_training(computed, loss, clock)


def _of_trainings(computed: Analysis, clock: Clock) -> Analysis | None:
    """The analysis with a loss for each of several trainings; None if there is one, or if nothing is found for any."""
    each = trainings(computed.tape, computed.updates)
    if len(each) < 2 or all(_some_are_along(computed.matcher, own) for own in each):
        return None
    moved = _moved(computed, None, clock)
    tape = moved.tape
    found: list[Inferred] = [] if moved.inferred is None else [moved.inferred]
    kept, searched = set[Root](), False
    for windows in each:
        if not _some_are_along(moved.matcher, windows):
            own = alone(tape, windows)
            single = _of_one_training(matched(own, None), None, clock)
            if single.inferred is not None and _some_are_along(single.matcher):
                tape, searched = with_others(tape, own, single.tape), True
                found.append(single.inferred)
                continue
        kept |= _roots_of(moved.matcher, windows)
    if not searched:
        return None
    written = frozenset().union(*(f.losses for f in found))
    return matched(tape, None, together(tape, found, [(r.node, r.named) for r in kept if r.node not in written]))


def _roots_of(matcher: Matcher, windows: Collection[int]) -> set[Root]:
    """The scalars that updates in some iterations are judged by, and those that are computed in these."""
    nodes, roots = matcher.graph.tape.nodes, matcher.roots
    judged = {u.wrt for u in judged_updates(matcher) if nodes[u.node].window in windows}
    by = {r.node for r in roots if not judged.isdisjoint(matcher.adjoints[r.node][0].full)}
    return {r for r in roots if r.node in by or nodes[r.node].window in windows}


def _of_one_training(computed: Analysis, loss: str | None, clock: Clock) -> Analysis:
    analysis = _of_classes(computed, clock) if loss is None else None
    analysis = analysis or _restored(computed, clock) or _moved(computed, loss, clock)
    if loss is None and analysis.inferred is not None and not _some_are_along(analysis.matcher):
        analysis = _of_its_own_sample(computed, analysis.inferred, clock) or analysis
    if loss is None:
        for looked_for in (_added, _of_energies, _fitting, _begun, _behind_layers):
            if analysis.inferred is None:
                analysis = looked_for(analysis, clock)
        analysis = _meant(analysis, computed, clock)
        analysis = _with_further_terms(analysis, computed, clock)
    return analysis


def _of_classes(analysis: Analysis, clock: Clock) -> Analysis | None:
    """A loss of scores that are only compared with a bound, if all steps go down it, and no loss that moves is computed."""
    matcher = analysis.matcher
    if not matcher.updates or any(r.named for r in matcher.roots):
        return None
    tried = _tried(losses_of_classes(matcher), clock)
    return next((a for a in tried if _along_gradients(a.matcher) == len(judged_updates(a.matcher)) > 0), None)


def _restored(analysis: Analysis, clock: Clock) -> Analysis | None:
    """A loss that is computed from what the backward pass has changed by then, of the values before, if steps go down it."""
    matcher = analysis.matcher
    if not matcher.updates or _some_are_along(matcher):
        return None
    tried = _tried(restored_losses(matcher), clock)
    return next((a for a in tried if _some_are_along(a.matcher)), None)


def _moved(analysis: Analysis, loss: str | None, clock: Clock) -> Analysis:
    """Losses that were computed after the step, or of other data: moved to the step, they explain it or judge it.

    Each of several trainings may have one; beside those of others it must explain a step.
    """
    while unjudged := _unjudged_windows(analysis.matcher):
        kept = _judging_losses(analysis.matcher)
        found = own_losses(analysis.matcher, unjudged, kept)
        moved = [a for a in (matched(o.tape, loss, o) for o in _in_time(found, clock)) if _is_judged(a.matcher)]
        best = max(moved, key=lambda a: explained(a.matcher), default=None)
        if best is None or (kept and explained(best.matcher) <= explained(analysis.matcher)):
            break
        if _unjudged_windows(best.matcher) == unjudged:
            break
        analysis = best
    return analysis


def _unjudged_windows(matcher: Matcher) -> set[int]:
    """The explained iterations with updates of which none is one of a parameter of a loss that was computed before it."""
    nodes = matcher.graph.tape.nodes
    updated = {nodes[u].window for u in matcher.updates} & set(matcher.graph.tape.last_windows())
    return updated - {nodes[u.node].window for u in judged_updates(matcher)}


def _judging_losses(matcher: Matcher) -> dict[int, int]:
    """The losses that some update of the explained iterations is judged by, as `Inferred.losses` has them."""
    judged = {u.wrt for u in _shown_updates(matcher)}
    by = (r.node for r in matcher.roots if r.named and not judged.isdisjoint(matcher.adjoints[r.node][0].full))
    return {r: matcher.inferred.get(r, r) for r in by}


def _of_its_own_sample(computed: Analysis, late: Inferred, clock: Clock) -> Analysis | None:
    """A usual loss of what the step reads, if all steps go down it, and the loss that is computed later is one of its kind.

    Where that is of all samples, and every step takes one of them, its gradient is another one.
    """
    usual = (f for f in _usual(computed) if are_alike(f, late) and _is_another(f, computed.matcher))
    found = _best_inferred(_in_time((replace(f, reported=late.says, aside="other samples") for f in usual), clock))
    return None if found is None or _some_are_aside(found.matcher) else found


def _added(analysis: Analysis, clock: Clock) -> Analysis:
    """The sum of losses that are trained on together and never added up, if it explains more."""
    tape, matcher = analysis.tape, analysis.matcher
    together = sum_of_losses(tape, matcher.updates, matcher.live) if some_are_wrong(matcher) else None
    summed = next(_tried([together], clock), None)
    if summed is None:
        return analysis
    one, other = _along_gradients(summed.matcher), _along_gradients(matcher)
    whole, parted = explained(summed.matcher), explained(matcher)
    equal = one == other > 0 or whole == parted > 0  # of a sum the last term is found within it
    better = one > other or (equal and are_computed_together(summed.tape, tape, matcher.updates))
    return summed if better else analysis


def _of_energies(analysis: Analysis, clock: Clock) -> Analysis:
    """A difference of free energies, with its penalty, if all steps go down it; a loss beside it tells how it goes."""
    matcher = analysis.matcher
    if not matcher.updates or _some_are_along(matcher):
        return analysis
    told = _told(matcher)
    found = losses_of_energies(matcher)
    if found is not None and told:
        found = replace(found, reported=told, aside="samples")
    best = next((_penalised(a, clock) for a in _tried([found], clock)), None)
    return analysis if best is None or _some_are_aside(best.matcher) else best


def _fitting(analysis: Analysis, clock: Clock) -> Analysis:
    """A usual loss that nobody computes, with its penalty, if the backward pass fits it."""
    matcher = analysis.matcher
    if not _are_numbers(matcher) or not matcher.updates or _some_are_along(matcher):
        return analysis
    usual = list(_usual(analysis))
    others = [f for f in usual if _is_another(f, matcher)]
    best = _best_inferred(_in_time(others, clock))
    if best is None:
        beside = [replace(f, reported=_told(matcher), aside=why) for f in usual if (why := _aside(f, matcher)) is not None]
        best = _best_inferred(_in_time(beside, clock))
        best = None if best is None or _some_are_aside(best.matcher) else best
    if best is None and not any(r.named for r in (*matcher.roots, *matcher.unmoved)):
        best = _best_inferred(_in_time(losses_of_choices(matcher), clock))
        best = None if best is None or _some_are_aside(best.matcher) else best
    return _penalised(best or analysis, clock)


def _usual(analysis: Analysis) -> Iterator[Inferred]:
    """The usual losses of the errors that the steps are computed from."""
    matcher = analysis.matcher
    parameters = frozenset(u.before for u in matcher.updates.values())
    return inferred_losses(analysis.tape, matcher.live, parameters, matcher.behind_steps)


def _begun(analysis: Analysis, clock: Clock) -> Analysis:
    """The losses behind what backward passes start from, known or not, if steps go down them.

    Where a usual loss fits some of the steps, a sum of known losses is looked for that fits more of them.
    """
    matcher = analysis.matcher
    still = any(r.named for r in matcher.unmoved)  # a loss that nothing moves has no gradient to start from
    if still or not _are_numbers(matcher) or not matcher.updates or _some_are_along(matcher):
        return analysis
    tried = _tried(begun_losses(matcher), clock)
    best = max(tried, key=lambda a: _along_gradients(a.matcher), default=analysis)
    return best if best is not analysis and _along_gradients(best.matcher) else analysis


def _meant(analysis: Analysis, computed: Analysis, clock: Clock) -> Analysis:
    """The squared errors that a start of no known loss is meant to come from, if it multiplies them by what is no slope."""
    matcher = computed.matcher
    is_known = analysis.inferred is not None and analysis.inferred.how != "begun"
    is_known = is_known or any(r.named for r in (*matcher.roots, *matcher.unmoved))
    if is_known or not matcher.updates or _some_are_along(matcher):
        return analysis
    return next(_tried([meant_squares(matcher)], clock), analysis)


def _with_further_terms(analysis: Analysis, computed: Analysis, clock: Clock) -> Analysis:
    """A sum of known losses instead of a usual loss that fits some of the steps, if all its terms are known and more fit."""
    if not analysis.is_fitted or not some_are_wrong(analysis.matcher):
        return analysis
    known = (f for f in begun_losses(computed.matcher) if f.how == "fits")
    tried = _tried(known, clock)
    return next((t for t in tried if _along_gradients(t.matcher) > _along_gradients(analysis.matcher)), analysis)


def _behind_layers(analysis: Analysis, clock: Clock) -> Analysis:
    """What stands for the loss behind layers that are called by hand."""
    layered = None if _some_are_along(analysis.matcher) else layer_losses(analysis.matcher)
    return analysis if layered is None else matched(layered.tape, None, layered)


def _tried(losses: Iterable[Inferred | None], clock: Clock) -> Iterator[Analysis]:
    """The analyses with other losses, as long as there is time to see what they explain."""
    return (matched(f.tape, None, f) for f in _in_time((f for f in losses if f is not None), clock))


def _in_time(losses: Iterable[Inferred], clock: Clock) -> Iterator[Inferred]:
    """Other losses, as long as there is time to see what they explain."""
    for found in losses:
        if not clock.left(Task.LOSS):
            clock.leave_out(Task.LOSS, ())
            return
        start = time.thread_time()
        yield found
        clock.spend(Task.LOSS, start)


def _best_inferred(losses: Iterable[Inferred]) -> Analysis | None:
    """The analysis with the loss that explains most updates, if any; none is tried after one that explains all."""
    best: Analysis | None = None
    most = 0
    for found in losses:
        tried = matched(found.tape, None, found)
        count = _along_gradients(tried.matcher)
        if count > most:
            best, most = tried, count
        if count == len(tried.matcher.updates):
            break
    return best


def _penalised(analysis: Analysis, clock: Clock) -> Analysis:
    """The analysis with a penalty in its inferred loss, if more steps are along the gradient of that."""
    found = None if analysis.inferred is None else with_penalties(analysis.matcher, analysis.inferred)
    return next((t for t in _tried([found], clock) if explained(t.matcher) > explained(analysis.matcher)), analysis)


def _is_another(found: Inferred, named: Matcher) -> bool:
    """Whether an inferred loss is of outputs that no loss of the program is computed from.

    A loss that is there and does not fit is not replaced: then the gradients are wrong, or of something else.  Scores and
    the probabilities that are made of them are the same output: no parameter comes in between.
    """
    if not any(r.named for r in named.roots):
        return True
    nodes = found.tape.nodes
    outputs: set[int] = set()
    todo = [k for error in found.losses.values() for k in found.tape.operands(error)]
    while todo:
        node = todo.pop()
        outputs.add(node)
        below = found.tape.operands(node)
        todo += below if named.variables.parameters.isdisjoint(below) else ()
    outputs = {k for k in outputs & named.live if nodes[k].kind is not Kind.LEAF}  # both may read the same targets
    return outputs.isdisjoint(named.forward)


def _told(matcher: Matcher) -> str:
    """What the program calls the last loss that it computes."""
    tape = matcher.graph.tape
    return next((loss_name(tape, tape.nodes[r.node]) or "" for r in reversed(matcher.roots) if r.named), "")


def _aside(found: Inferred, named: Matcher) -> Aside | None:
    """Why the losses that the program computes only report on the training, if they do: an inferred one is descended."""
    [error, *_] = found.losses.values()
    losses = [r.node for r in named.roots if r.named]
    if only_tell_absolute_errors(found.tape, losses, error):
        return "absolute"
    paired = set(broadcast_errors(named.graph.tape, named.updates))
    return "broadcast" if losses and all(not paired.isdisjoint(named.all_ancestors(r)) for r in losses) else None


def _is_judged(matcher: Matcher) -> bool:
    """Whether some update of the explained iterations is one of a parameter of a loss that was computed before it."""
    return bool(_shown_updates(matcher))


def _are_numbers(matcher: Matcher) -> bool:
    """Whether the losses of the program are finite: what is no number has no gradient, and is not there to be replaced."""
    losses = [r.node for r in (*matcher.roots, *matcher.unmoved) if r.named]
    return all(np.all(np.isfinite(v)) for node in losses for v in matcher.replays.of(node))


def _some_are_along(matcher: Matcher, windows: Collection[int] | None = None) -> bool:
    """Whether some update of the explained iterations, or of some of these, takes a step along a gradient."""
    nodes = matcher.graph.tape.nodes
    shown = (u for u in _shown_updates(matcher) if windows is None or nodes[u.node].window in windows)
    return any(_is_along(matcher, u) for u in shown)


def _some_are_aside(matcher: Matcher) -> bool:
    """Whether some update of the explained iterations takes no step along a gradient."""
    return any(not _is_along(matcher, u) for u in _shown_updates(matcher))


def _shown_updates(matcher: Matcher) -> list[Update]:
    """The updates of the explained iterations that can be judged."""
    nodes, shown = matcher.graph.tape.nodes, set(matcher.graph.tape.last_windows())
    return [u for u in judged_updates(matcher) if nodes[u.node].window in shown]


def _along_gradients(matcher: Matcher) -> int:
    """How many updates take a step along a gradient."""
    return sum(_is_along(matcher, u) for u in judged_updates(matcher))


def _is_along(matcher: Matcher, update: Update) -> bool:
    """Whether an update is a step along a gradient, also in an optimiser's way or with weight decay."""
    if is_right(matcher, update):
        return True
    within = recognise(matcher, update).gradient
    # Whether an inferred loss is a sum or a mean is not known: then a plain number will do.
    return within is not None and within.scale.rank <= (6 if matcher.fitted else 3)
