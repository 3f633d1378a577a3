"""What is meant as a gradient: by the updates that it feeds, or by its name.

Comes in: an analysis.  Goes out: every value of the explained iterations that a careful reader would take for a
gradient of a parameter, and whether it is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from tracer.diagnosis.constants import with_constant_weights
from tracer.diagnosis.conventions import compared, stripped
from tracer.diagnosis.growth import Growth, grown_parameters, is_grown
from tracer.diagnosis.shared_steps import is_made_in_several_steps
from tracer.diagnosis.target import Target, alike, factors_of, proportion
from tracer.gradients.adjoints import ELEMENTWISE, is_real
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Sort
from tracer.matching.decay import as_computed, has_penalty, rests_on_parameters, without_decay
from tracer.matching.gradient_names import parameter_of, plain_name, says_gradient
from tracer.matching.judging import is_right, judged_updates
from tracer.matching.optimisers import recognise, selects_all, solved_for
from tracer.matching.severed import is_unknown
from tracer.matching.updates import Update, fits_into, without_ones
from tracer.matching.vanishing import vanishes
from tracer.tape.node import Kind, Node


def targets(analysis: Analysis) -> list[Target]:
    """Everything in the explained iterations that is meant as the gradient of a parameter, in program order."""
    growths = grown_parameters(analysis)
    found = [t for t in (*_of_updates(analysis), *_of_names(analysis)) if not is_grown(analysis, t.wrt, growths)]
    found += _of_growths(analysis, growths)
    seen: set[tuple[int, int]] = set()
    unique = []
    for target in sorted(found, key=lambda t: (t.node, t.update is None)):
        if (target.node, target.wrt) in seen:
            continue
        seen.add((target.node, target.wrt))
        if not any(vanishes(analysis.matcher, target.node, root, target.wrt) for root in target.roots):
            unique.append(target)
    unique = [t for t in unique if not _is_cut(analysis, t) and not _decays_the_penalty(analysis, t)]
    unique = [t for t in unique if not (t.is_wrong and is_made_in_several_steps(analysis, t))]
    told = [t for t in unique if not _is_on_the_way(analysis, t, unique)]
    meant = [_without_chance(analysis, t, told) for t in told]
    constant = with_constant_weights(analysis, meant)
    judged = compared(analysis, [t for t in meant if t not in constant])
    return [t for t in judged if not (t.is_wrong and _rests_on_something_unknown(analysis, t))]


def _rests_on_something_unknown(analysis: Analysis, target: Target) -> bool:
    """Whether a step on the way to a value was not followed: a replay cannot say what it would be at other numbers."""
    return any(is_unknown(analysis.tape, node) for node in analysis.matcher.all_ancestors(target.node))


def _is_cut(analysis: Analysis, target: Target) -> bool:
    """Whether a value is a gradient that goes back over a limited number of steps on purpose."""
    match = analysis.matcher.best(target.node)
    return match is not None and match.candidate.sort is Sort.TRUNCATED


def _decays_the_penalty(analysis: Analysis, target: Target) -> bool:
    """Whether the penalty's gradient is taken by the step, ``W = (1 - rate * reg) * W - rate * dW``, and not by ``dW``."""
    decays = any(u.decays and u.wrt == target.wrt for u in analysis.updates.values())
    return decays and any(has_penalty(analysis.matcher, root, target.wrt) for root in target.roots)


def _is_on_the_way(analysis: Analysis, target: Target, found: Iterable[Target]) -> bool:
    """Whether a value that is no gradient is one term of what is meant as it: ``dW`` before ``dW += reg * W``."""
    if target.factors is not None or target.update is not None:
        return False
    tape = analysis.tape
    return any(
        other.wrt == target.wrt
        and tape.nodes[other.node].op in ("add", "subtract")
        and target.node in tape.operands(other.node)
        for other in found
    )


def _without_chance(analysis: Analysis, target: Target, found: Iterable[Target]) -> Target:
    """A target whose factor means something: any number is a multiple of any other one.

    The factor of a number has a name, or is the one with which another parameter moves too.
    """
    if target.factors is None or _has_named_factor(analysis, target):
        return target
    shared = any(t is not target and t.factors is not None and alike(t.steps, target.steps) for t in found)
    return target if shared else replace(target, factors=None)


def _has_named_factor(analysis: Analysis, target: Target) -> bool:
    """Whether a multiple of a gradient is one by what the program has a name for; arrays are not multiples by chance."""
    if analysis.is_fitted or np.size(analysis.tape.nodes[target.node].value) > 1:
        return True
    return analysis.matcher.named_factor(target.node, target.roots[0], target.factors or ()) is not None


def _of_updates(analysis: Analysis) -> Iterable[Target]:
    tape, matcher = analysis.tape, analysis.matcher
    shown = set(tape.last_windows())
    entries = _entries_together(analysis)
    for update in judged_updates(matcher):
        if tape.nodes[update.node].window not in shown or (update.written is not None and update.node not in entries):
            continue
        roots = roots_of(analysis, update.wrt, update.node)
        if not roots:
            continue
        plain = _target(analysis, update.change, roots, update.wrt, update)
        if plain.factors is not None and not _is_shared(analysis, plain, entries.get(update.node, ())):
            plain = replace(plain, factors=None)
        if plain.factors is not None and _has_named_factor(analysis, plain):
            yield plain
            continue
        step = recognise(matcher, update)
        twice = step.decays and any(has_penalty(matcher, root, update.wrt) for root in roots)
        if step.gradient is not None and not twice:
            within = _target(analysis, step.gradient.node, roots, update.wrt, update)
            if within.factors is not None:
                yield within
                continue
        if step.optimiser.startswith("gradient"):
            inner, _ = stripped(analysis, update.change)
            rest = without_decay(matcher, inner, update.wrt, roots)
            if rest != inner:
                yield _target(analysis, rest, roots, update.wrt, update)
            elif not step.decays or any(has_penalty(matcher, root, update.wrt) for root in roots):
                yield plain
        kernel = None if analysis.is_fitted and update.written is not None else _kernel(analysis, update)
        if kernel is not None:
            kernel = without_decay(matcher, kernel, update.wrt, roots)
        if kernel is not None and kernel != update.change:
            yield _target(analysis, kernel, roots, update.wrt, update)


#: Of more entries that one line updates in an iteration only so many right ones are judged, and so many others.
_MOST_ENTRIES = 8


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


def _of_growths(analysis: Analysis, growths: Iterable[Growth]) -> Iterable[Target]:
    """The step with which a parameter takes another shape: it is one by the parameter as it was made."""
    for growth in growths:
        if analysis.tape.nodes[growth.before].shape == growth.shape:
            roots = roots_of(analysis, growth.before, growth.node)
            yield _target(analysis, growth.change, roots, growth.before, analysis.updates.get(growth.node))


def _target(
    analysis: Analysis, node: int, roots: tuple[int, ...], wrt: int, update: Update | None = None
) -> Target:
    values = analysis.replays.of(node)
    sign = update.sign if update is not None and node == update.change else 0
    whole = tuple(r for r in roots if not any(_is_part(analysis, r, other, wrt) for other in roots))
    found = []
    for root in whole:
        factors = factors_of(analysis, values, root, wrt)
        if factors is not None:
            ordered = (root, *(r for r in whole if r != root))
            found.append(Target(node, ordered, wrt, update.node if update else None, sign, factors))
    # A number is a multiple of the gradient of every root; one whose factor has a name is the likeliest.
    named = (target for target in found if _has_named_factor(analysis, target))
    nothing = Target(node, whole, wrt, update.node if update else None, sign)
    return next(named, found[0] if found else nothing)


def _is_part(analysis: Analysis, part: int, whole: int, wrt: int) -> bool:
    """Whether a root is what is left of another one without its penalties on the parameter.

    Who adds a penalty to a loss trains on the sum; the gradient of the loss alone is not the whole one.
    """
    if part == whole or part not in analysis.matcher.all_ancestors(whole):
        return False
    one, other = analysis.matcher.adjoints[part], analysis.matcher.adjoints[whole]
    if all(proportion(a.full.get(wrt), b.full.get(wrt)) is not None for a, b in zip(one, other, strict=True)):
        return False
    return _rest_is_penalty(analysis, part, whole)


def _rest_is_penalty(analysis: Analysis, part: int, whole: int) -> bool:
    """Whether what a sum adds to one of its terms rests on parameters and settings alone."""
    tape = analysis.tape
    todo = [whole]
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if node == part or node in seen:
            continue
        seen.add(node)
        if part in analysis.matcher.all_ancestors(node):
            if tape.nodes[node].op != "add":
                return False
            todo += tape.operands(node)
        elif not rests_on_parameters(analysis.matcher, node):
            return False
    return True


def roots_of(analysis: Analysis, wrt: int, before: int) -> tuple[int, ...]:
    """The roots that a parameter may have been trained on, the last one first.

    They are computed before its update; else after it in the same iteration, from values that it had before.
    """
    matcher = analysis.matcher
    window = analysis.tape.nodes[before].window
    all_able = [r for r in matcher.roots if wrt in matcher.adjoints[r.node][0].full]
    if any(not matcher.variables.severed.isdisjoint(matcher.all_ancestors(r.node)) for r in all_able):
        return ()  # nobody knows what came back there, perhaps a part of the gradient
    running = wrt in matcher.entries and bool(all_able)  # a total may rest on several versions of an entry
    if not running and any(r.named and r not in all_able and wrt in matcher.all_ancestors(r.node) for r in matcher.roots):
        return ()  # a loss depends on it in a way that could not be differentiated
    all_able = [r for r in all_able if matcher.may_be_of(before, r.node)]
    if any(r.named for r in matcher.roots):
        all_able = [r for r in all_able if r.named]
    able = [r for r in all_able if matcher.position(r.node) < before]
    able = able or [r for r in all_able if analysis.tape.nodes[r.node].window == window]
    named = [r.node for r in able if r.named] or [r.node for r in able]
    return tuple(sorted(named, key=lambda r: (analysis.tape.nodes[r].window != window, -r)))


def _kernel(analysis: Analysis, update: Update) -> int | None:
    """The value within a step that must be meant as the gradient; None if that cannot be told.

    It is the only value of the parameter's shape that entry-by-entry operations make the step from, or what
    is called a gradient among them; of several values the sum that they all go through, as those of time steps.
    """
    tape = analysis.tape
    shape = without_ones(tape.nodes[update.wrt].shape)
    window = tape.nodes[update.node].window
    forward = analysis.matcher.forward
    penalised = any(has_penalty(analysis.matcher, r, update.wrt) for r in roots_of(analysis, update.wrt, update.node))

    def counts(node: int) -> bool:
        recorded = tape.nodes[node]
        old = node in (update.before, update.part) or recorded.kind in (Kind.LEAF, Kind.LITERAL) or recorded.window < window
        state = recorded.op == "getitem" and not counts(tape.operands(node)[0])  # an entry of what earlier steps left
        return not (old or state) and without_ones(recorded.shape) == shape and is_real(recorded)

    found: list[int] = []
    joint: int | None = None
    todo = {update.change} if counts(update.change) else set()
    while todo:
        node = max(todo)  # operands stand before what is made of them
        todo.remove(node)
        recorded = tape.nodes[node]
        if not todo and not found:
            joint = node
        below: Sequence[int]
        if node in analysis.updates:
            below = (analysis.updates[node].change,)
        elif recorded.op == "setitem" and selects_all(recorded.args[1]):
            below = tape.operands(node)[1:]
        elif (solved := solved_for(tape, node)) is not None:
            below = (solved,)
        else:
            below = tape.operands(node)
            if (
                says_gradient(recorded.names)
                or recorded.op not in (ELEMENTWISE | {"sqrt"})
                or (penalised and _adds_a_penalty(analysis, node))
                or any(counts(k) and k in forward for k in below)
            ):
                found.append(node)
                continue
        todo.update(k for k in below if counts(k))
    called = [n for n in found if says_gradient(tape.nodes[n].names)] or found
    return called[0] if len(called) == 1 else joint if called else None


def _adds_a_penalty(analysis: Analysis, node: int) -> bool:
    """Whether a value is the sum of something and of what rests on parameters alone."""
    if analysis.tape.nodes[node].op not in ("add", "subtract"):
        return False
    terms = analysis.tape.operands(node)
    alone = [rests_on_parameters(analysis.matcher, k) and analysis.tape.nodes[k].shape != () for k in terms]
    return any(alone) and not all(alone)


def _of_names(analysis: Analysis) -> Iterable[Target]:
    """Values whose name says that they are the gradient of a parameter: the last version of each."""
    tape = analysis.tape
    shown = set(tape.last_windows())
    parameters = _parameters(analysis)
    updated = {u.before: u.node for u in analysis.updates.values()}
    losses = [r.node for r in analysis.matcher.roots if r.named] or [r.node for r in analysis.matcher.roots]
    forward = {n for r in losses for n in analysis.matcher.adjoints[r][0].full}
    last: dict[tuple[str, tuple[int, ...]], int] = {}
    for binding in tape.bindings:
        if tape.nodes[binding.node].window in shown and is_real(tape.nodes[binding.node]):
            last[binding.name, analysis.matcher.only_of(binding.node)] = binding.node
    for (name, layers), node in last.items():
        of = parameter_of(name)
        recorded = tape.nodes[node]
        if of is None or node in analysis.updates or node in forward:
            continue
        if recorded.kind in (Kind.LEAF, Kind.LITERAL) or not analysis.replays.moves(node):
            continue
        if _is_average(analysis, node, name):
            continue
        meant = [
            p
            for p, window in parameters.get(of, ())
            if fits_into(recorded.shape, tape.nodes[p].shape) and window == recorded.window
            if not layers or any(p in analysis.matcher.all_ancestors(r) for r in layers)
        ]
        roots = roots_of(analysis, meant[0], max(node, updated.get(meant[0], 0))) if len(meant) == 1 else ()
        if roots:
            yield _target(analysis, as_computed(analysis.matcher, node, meant[0], roots), roots, meant[0])


def _is_average(analysis: Analysis, node: int, name: str) -> bool:
    """Whether a value is a share of what its variable held in the iteration before, and something new: ``v = 0.9 * v + …``.

    What is kept whole and added to is none: there a gradient was not set back to 0.
    """
    tape = analysis.tape
    window, shape = tape.nodes[node].window, tape.nodes[node].shape
    todo, seen = [(node, False)], {(node, False)}
    while todo:
        current, scaled = todo.pop()
        recorded = tape.nodes[current]
        carried = recorded.kind is Kind.LEAF or recorded.window < window
        if carried and scaled and name in recorded.names:
            return True
        if not carried and recorded.shape == shape and recorded.op in ("add", "subtract", "multiply", "divide"):
            below = {(k, scaled or recorded.op in ("multiply", "divide")) for k in tape.operands(current)} - seen
            seen |= below
            todo += below
    return False


def _moves_on(analysis: Analysis, leaf: int) -> bool:
    """Whether a variable gets a new version in a way that was not understood: which one a gradient is by is not known."""
    names, tape = set(analysis.tape.nodes[leaf].names), analysis.tape
    later = (b.node for b in tape.bindings if b.name in names and tape.nodes[b.node].window >= 0)
    return any(leaf in analysis.matcher.all_ancestors(node) for node in later if node != leaf)


def _is_ahead(analysis: Analysis, node: Node, parameter: int) -> bool:
    """Whether a value is a parameter and what it will be moved by, ``W + mu * v``: not a layer that adds it as its bias."""
    tape, forward = analysis.tape, analysis.matcher.forward
    if node.op not in ("add", "subtract") or node.id not in forward:
        return False
    seen = {parameter, node.id}
    todo = list(tape.operands(node.id))
    while todo:
        current = tape.nodes[todo.pop()]
        if current.id in seen:
            continue
        seen.add(current.id)
        if current.op not in ELEMENTWISE:
            if current.kind not in (Kind.LEAF, Kind.LITERAL):
                return False
        elif current.id not in analysis.updates:
            todo += tape.operands(current.id)
    return True


def _parameters(analysis: Analysis) -> dict[str, list[tuple[int, int]]]:
    """The versions of parameters that the explained losses were computed from, with their window, by their own names.

    A parameter goes by every name that an earlier version of it had, or the point ahead of it at which a step takes the
    gradient.  Without updates every leaf may be one.
    """
    tape = analysis.tape
    shown = set(tape.last_windows())
    names: dict[int, list[str]] = {}
    found: dict[str, list[tuple[int, int]]] = {}
    for update in analysis.updates.values():
        ahead = (n for n in map(tape.nodes.__getitem__, tape.users(update.before)) if _is_ahead(analysis, n, update.before))
        looked = [name for n in ahead for name in n.names]
        known = list(dict.fromkeys((*names.get(update.before, ()), *tape.nodes[update.before].names, *looked)))
        names[update.node] = known
        if tape.nodes[update.node].window in shown:
            for name in dict.fromkeys(map(plain_name, known)):
                found.setdefault(name, []).append((update.before, tape.nodes[update.node].window))
    if not analysis.updates:
        for node in sorted(analysis.matcher.forward):
            if tape.nodes[node].kind is Kind.LEAF and not _moves_on(analysis, node):
                for name in dict.fromkeys(map(plain_name, tape.nodes[node].names)):
                    found.setdefault(name, []).append((node, tape.nodes[node].window))
    return {name: list(dict.fromkeys(nodes)) for name, nodes in found.items()}
