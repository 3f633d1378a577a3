"""What is meant as a gradient by the steps that parameters take.

Comes in: an analysis.  Goes out: for each step that is judged the value that must be meant as the gradient: the whole
change, the gradient within an optimiser's step or beside a decay, or what entry-by-entry operations make the step
from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from msgspec.structs import replace

from tracer.diagnosis.conventions import stripped
from tracer.diagnosis.directions import direction_of, made_through
from tracer.diagnosis.growth import Growth
from tracer.diagnosis.left_over import left_over
from tracer.diagnosis.target import Target, alike, factors_of
from tracer.diagnosis.trained_on import has_named_factor, roots_of, target_of
from tracer.gradients.adjoints import ELEMENTWISE, is_real
from tracer.matching.analysis import Analysis
from tracer.matching.decay import has_penalty, rests_on_parameters, without_decay
from tracer.matching.gradient_names import says_gradient
from tracer.matching.judging import is_right, judged_updates
from tracer.matching.optimisers import recognise, selects_all, solved_for
from tracer.matching.updates import Update, without_ones
from tracer.tape.node import Kind

#: Of more entries that one line updates in an iteration only so many right ones are judged, and so many others.
_MOST_ENTRIES = 8


def of_updates(analysis: Analysis) -> Iterator[Target]:
    """The values that the judged steps of the explained iterations take for gradients."""
    tape = analysis.tape
    shown = set(tape.last_windows())
    entries = _entries_together(analysis)
    for update in judged_updates(analysis.matcher):
        if tape.nodes[update.node].window not in shown or (update.written is not None and update.node not in entries):
            continue
        roots = roots_of(analysis, update.wrt, update.node)
        if roots:
            yield from _of_update(analysis, update, roots, entries.get(update.node, ()))


def _of_update(
    analysis: Analysis, update: Update, roots: tuple[int, ...], together: Iterable[Update]
) -> Iterator[Target]:
    matcher = analysis.matcher
    summed = left_over(analysis, update)
    if summed is not None:
        yield target_of(analysis, summed, roots, update.wrt, update)
        return
    plain = target_of(analysis, update.change, roots, update.wrt, update)
    if plain.factors is not None and not _is_shared(analysis, plain, together):
        plain = replace(plain, factors=None)
    if plain.factors is not None and has_named_factor(analysis, plain):
        yield plain
        return
    step = recognise(matcher, update)
    penalised = any(has_penalty(matcher, root, update.wrt) for root in roots)
    if step.gradient is not None and not (step.decays and penalised):
        within = target_of(analysis, step.gradient.node, roots, update.wrt, update)
        if within.factors is not None:
            yield _directed(analysis, within, update)
            return
    if step.optimiser.startswith("gradient"):
        inner, _ = stripped(analysis, update.change)
        rest = without_decay(matcher, inner, update.wrt, roots)
        if rest != inner:
            yield target_of(analysis, rest, roots, update.wrt, update)
        elif not step.decays or penalised:
            yield plain
        else:
            beside = target_of(analysis, update.change, roots, update.wrt, update, decayed=True)
            if beside.factors is not None:
                yield beside
    kernel = None if analysis.is_fitted and update.written is not None else _kernel(analysis, update)
    if kernel is not None:
        kernel = without_decay(matcher, kernel, update.wrt, roots)
    if kernel is not None and kernel != update.change:
        yield target_of(analysis, kernel, roots, update.wrt, update, decayed=True)


def _directed(analysis: Analysis, target: Target, update: Update) -> Target:
    """The gradient within a step, with which way the parameter moves along it."""
    through = made_through(analysis, target.node, update)
    return replace(target, direction=direction_of(analysis, target.node, update, through), through=through)


def _entries_together(analysis: Analysis) -> dict[int, tuple[Update, ...]]:
    """The updates of single entries, each with those of the same array that the same line makes in the same iteration."""
    nodes, matcher = analysis.tape.nodes, analysis.matcher
    lines: dict[tuple[object, ...], list[Update]] = {}
    for update in matcher.updates.values():
        if update.written is not None and update.wrt in matcher.entries:
            node = nodes[update.node]
            lines.setdefault((node.site, node.window, matcher.entries[update.wrt].whole), []).append(update)
    found: dict[int, tuple[Update, ...]] = {}
    for same in lines.values():
        right = [u for u in same if is_right(matcher, u)]
        others = [u for u in same if u not in right]
        judged = (*right[:_MOST_ENTRIES], *others[:_MOST_ENTRIES])
        found.update((u.node, judged) for u in judged)
    return found


def _is_shared(analysis: Analysis, target: Target, together: Iterable[Update]) -> bool:
    """Whether the steps along the entries of one array are all the same multiple: one number is a multiple of any other."""
    factors = (factors_of(analysis, analysis.replays.of(u.change), target.roots[0], u.wrt) for u in together)
    return all(f is not None and alike(f, target.factors or ()) for f in factors)


def of_growths(analysis: Analysis, growths: Iterable[Growth]) -> Iterable[Target]:
    """The step with which a parameter takes another shape: it is one by the parameter as it was made."""
    for growth in growths:
        if analysis.tape.nodes[growth.before].shape == growth.shape:
            roots = roots_of(analysis, growth.before, growth.node)
            yield target_of(analysis, growth.change, roots, growth.before, analysis.updates.get(growth.node))


def _kernel(analysis: Analysis, update: Update) -> int | None:
    """The value within a step that must be meant as the gradient; None if that cannot be told.

    It is the only value of the parameter's shape that entry-by-entry operations make the step from, or what
    is called a gradient among them; of several values the sum that they all go through, as those of time steps.
    """
    found: list[int] = []
    joint: int | None = None
    step = _StepAnatomy(analysis, update)
    todo = {update.change} if step.counts(update.change) else set()
    while todo:
        node = max(todo)  # operands stand before what is made of them
        todo.remove(node)
        if not todo and not found:
            joint = node
        below = step.below(node)
        inner = [] if below is None else [k for k in below if step.counts(k)]
        if below is None or (not inner and step.reads_another_parameter(node)):
            found.append(node)
        todo.update(inner)
    called = [n for n in found if says_gradient(analysis.tape.nodes[n].names)] or found
    return called[0] if len(called) == 1 else joint if called else None


class _StepAnatomy:
    """What a step is made of, entry by entry."""

    def __init__(self, analysis: Analysis, update: Update) -> None:
        self._analysis, self._tape, self._update = analysis, analysis.tape, update
        self._shape = without_ones(self._tape.nodes[update.wrt].shape)
        self._window = self._tape.nodes[update.node].window
        roots = roots_of(analysis, update.wrt, update.node)
        self._penalised = any(has_penalty(analysis.matcher, r, update.wrt) for r in roots)

    def counts(self, node: int) -> bool:
        """Whether a value was made in the iteration, with an entry for each of the parameter's."""
        recorded = self._tape.nodes[node]
        given = node in (self._update.before, self._update.part) or recorded.kind in (Kind.LEAF, Kind.LITERAL)
        old = given or recorded.window < self._window
        state = recorded.op == "getitem" and not self.counts(self._tape.operands(node)[0])  # of what earlier steps left
        return not (old or state) and without_ones(recorded.shape) == self._shape and is_real(recorded)

    def reads_another_parameter(self, node: int) -> bool:
        """Whether a value is worked out from rows of another parameter of the loss, ``error * Q[j]``."""
        tape, first = self._tape, self._analysis.matcher.variables.first
        read = (tape.operands(k)[0] for k in tape.operands(node) if tape.nodes[k].op == "getitem")
        return any(first(k) in self._others for k in read)

    @cached_property
    def _others(self) -> frozenset[int]:
        """The first versions of all other parameters that the losses rest on."""
        variables, behind = self._analysis.matcher.variables, self._analysis.matcher.all_ancestors
        roots = roots_of(self._analysis, self._update.wrt, self._update.node)
        of_losses = {variables.first(n) for root in roots for n in behind(root) & variables.versions}
        return frozenset(of_losses - {variables.first(self._update.before)})

    def below(self, node: int) -> Sequence[int] | None:
        """What a value within the step is made from; None if it is what must be meant itself."""
        recorded = self._tape.nodes[node]
        if node in self._analysis.updates:
            return (self._analysis.updates[node].change,)
        if recorded.op == "setitem" and selects_all(recorded.args[1]):
            return self._tape.operands(node)[1:]
        if (solved := solved_for(self._tape, node)) is not None:
            return (solved,)
        operands, forward = self._tape.operands(node), self._analysis.matcher.forward
        is_meant = (
            says_gradient(recorded.names)
            or recorded.op not in (ELEMENTWISE | {"sqrt"})
            or (self._penalised and _adds_a_penalty(self._analysis, node))
            or any(self.counts(k) and k in forward for k in operands)
        )
        return None if is_meant else operands


def _adds_a_penalty(analysis: Analysis, node: int) -> bool:
    """Whether a value is the sum of something and of what rests on parameters alone."""
    if analysis.tape.nodes[node].op not in ("add", "subtract"):
        return False
    terms = analysis.tape.operands(node)
    alone = [rests_on_parameters(analysis.matcher, k) and analysis.tape.nodes[k].shape != () for k in terms]
    return any(alone) and not all(alone)
