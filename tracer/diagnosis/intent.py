"""What is meant as a gradient: by the updates that it feeds, or by its name.

Comes in: an analysis.  Goes out: every value of the explained iterations that a careful reader would take for a
gradient of a parameter, and whether it is one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec.structs import replace

from tracer.diagnosis.called_gradients import of_names
from tracer.diagnosis.constants import with_constant_weights
from tracer.diagnosis.conventions import compared, stripped
from tracer.diagnosis.first_order import first_order_steps
from tracer.diagnosis.growth import grown_parameters, is_grown
from tracer.diagnosis.shared_steps import is_made_in_several_steps
from tracer.diagnosis.steps_taken import of_growths, of_updates
from tracer.diagnosis.target import Target, alike, is_gradient
from tracer.diagnosis.trained_on import has_named_factor
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Sort
from tracer.matching.decay import has_penalty
from tracer.matching.optimisers import recognise
from tracer.matching.severed import is_unknown
from tracer.matching.vanishing import vanishes


def targets(analysis: Analysis) -> list[Target]:
    """Everything in the explained iterations that is meant as the gradient of a parameter, in program order."""
    growths = grown_parameters(analysis)
    found = [t for t in (*of_updates(analysis), *of_names(analysis)) if not is_grown(analysis, t.wrt, growths)]
    found += of_growths(analysis, growths)
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
    told = [t for t in unique if not _is_on_the_way(analysis, t, unique) and not _is_a_velocity(analysis, t)]
    meant = [_without_chance(analysis, t, told) for t in told]
    constant = with_constant_weights(analysis, meant)
    approximate = first_order_steps(analysis) if any(t.is_wrong for t in meant) else {}
    moved = {analysis.updates[u].wrt for u in approximate}
    judged = compared(analysis, [t for t in meant if t not in constant and t.wrt not in moved])
    doubtful = (_rests_on_something_unknown, _is_a_number_with_a_state)
    return [t for t in judged if not (t.is_wrong and any(doubt(analysis, t) for doubt in doubtful))]


def _rests_on_something_unknown(analysis: Analysis, target: Target) -> bool:
    """Whether a step on the way to a value was not followed: a replay cannot say what it would be at other numbers."""
    return any(is_unknown(analysis.tape, node) for node in analysis.matcher.all_ancestors(target.node))


def _is_a_number_with_a_state(analysis: Analysis, target: Target) -> bool:
    """Whether a single number is stepped by a velocity where the loss was inferred: its factor alone says nothing."""
    steps = [u for u in analysis.updates.values() if u.wrt == target.wrt] if analysis.is_fitted else []
    number = np.size(analysis.tape.nodes[target.wrt].value) < 2
    return number and any(not recognise(analysis.matcher, u).optimiser.startswith("gradient") for u in steps)


def _is_cut(analysis: Analysis, target: Target) -> bool:
    """Whether a value is a gradient that goes back over a limited number of steps on purpose."""
    candidates = [m.candidate for m in analysis.matcher.matches.get(target.node, ())]
    return any(c.sort is Sort.TRUNCATED and c.wrt == target.wrt for c in candidates)


def _decays_the_penalty(analysis: Analysis, target: Target) -> bool:
    """Whether the penalty's gradient is taken by the step, ``W = (1 - rate * reg) * W - rate * dW``, and not by ``dW``."""
    decays = any(u.decays and u.wrt == target.wrt for u in analysis.updates.values())
    return decays and any(has_penalty(analysis.matcher, root, target.wrt) for root in target.roots)


def _is_on_the_way(analysis: Analysis, target: Target, found: Iterable[Target]) -> bool:
    """Whether a value that is no gradient is one term of what is meant as it: ``dW`` before ``dW += reg * W``."""
    if target.factors is not None or target.update is not None:
        return False
    tape = analysis.tape
    sums = (stripped(analysis, other.node)[0] for other in found if other.wrt == target.wrt)
    return any(tape.nodes[s].op in ("add", "subtract") and target.node in tape.operands(s) for s in sums)


def _is_a_velocity(analysis: Analysis, target: Target) -> bool:
    """Whether what is called a gradient is one added to what an earlier step left of it: ``dW += …`` after ``dW *= 0.9``."""
    if target.factors is not None or target.update is not None or analysis.tape.nodes[target.node].op != "add":
        return False
    nodes, operands = analysis.tape.nodes, analysis.tape.operands(target.node)
    left = [k for k in operands if nodes[k].window < nodes[target.node].window and k in analysis.updates]
    added = [m for k in operands if k not in left and is_gradient(m := analysis.matcher.best(k)) and m is not None]
    return len(left) == 1 and any(m.candidate.wrt == target.wrt for m in added)


def _without_chance(analysis: Analysis, target: Target, found: Iterable[Target]) -> Target:
    """A target whose factor means something: any number is a multiple of any other one.

    The factor of a number has a name, or is the one with which another parameter moves too.
    """
    if target.factors is None or has_named_factor(analysis, target):
        return target
    shared = any(t is not target and t.factors is not None and alike(t.steps, target.steps) for t in found)
    return target if shared else replace(target, factors=None)
