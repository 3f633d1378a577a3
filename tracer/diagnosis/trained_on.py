"""Which losses a parameter may have been trained on, and how a value relates to their gradients.

Comes in: a parameter, or a value that is meant as its gradient.  Goes out: the roots, the likeliest first; a `Target`
that says of which root the value is a multiple of the gradient, if of any.  Invariant: where nobody knows how a loss
depends on a parameter, it has no roots, so that nothing is judged.
"""

from __future__ import annotations

import numpy as np

from tracer.diagnosis.target import Target, factors_of, proportion
from tracer.gradients.adjoints import is_real
from tracer.matching.analysis import Analysis
from tracer.matching.decay import beside_decay, rests_on_parameters
from tracer.matching.updates import Update


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


def target_of(
    analysis: Analysis,
    node: int,
    roots: tuple[int, ...],
    wrt: int,
    update: Update | None = None,
    decayed: bool = False,
) -> Target:
    """A value that is meant as the gradient of some roots, with the factor over that of the likeliest.

    Arguments:
        update: the step that it is meant for, if it is for one.
        decayed: whether a multiple of the parameter may be added to it, as weight decay.
    """
    values = analysis.replays.of(node)
    sign = update.sign if update is not None and node == update.change else 0
    whole = tuple(r for r in roots if not any(_is_part(analysis, r, other, wrt) for other in roots))
    found = []
    for root in whole:
        factors = factors_of(analysis, values, root, wrt)
        if factors is None and decayed and is_real(analysis.tape.nodes[node]):
            factors = beside_decay(analysis.matcher, node, wrt, root)
        if factors is not None:
            ordered = (root, *(r for r in whole if r != root))
            found.append(Target(node, ordered, wrt, update.node if update else None, sign, factors))
    # A number is a multiple of the gradient of every root; one whose factor has a name is the likeliest.
    named = (target for target in found if has_named_factor(analysis, target))
    nothing = Target(node, whole, wrt, update.node if update else None, sign)
    return next(named, found[0] if found else nothing)


def has_named_factor(analysis: Analysis, target: Target) -> bool:
    """Whether a multiple of a gradient is one by what the program has a name for; arrays are not multiples by chance."""
    if np.size(analysis.tape.nodes[target.node].value) > 1:
        return True
    return analysis.matcher.named_factor(target.node, target.roots[0], target.factors or ()) is not None


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
