"""Factors that gradients carry: which are a convention, and which set one gradient apart from the others.

Comes in: targets.  Goes out: the same, with the factor that each should have where the others leave no doubt.  A factor
that all share is a convention, and so is what a step multiplies by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
from msgspec.structs import replace

from tracer.diagnosis.single_outputs import without_the_slope
from tracer.diagnosis.target import Target, alike, proportion
from tracer.gradients.adjoints import is_real
from tracer.matching.analysis import Analysis
from tracer.matching.scale import name_scale, plain_number
from tracer.matching.updates import scaled_from
from tracer.program.loss_words import OTHER_LANGUAGES
from tracer.tape.node import Kind
from tracer.tape.tape import Tape

#: How far a count may be from a whole number.
_SAME = 1e-6


_LOSS = re.compile(rf"loss|cost|error|(^|_)err$|mse|sse|rss|nll|(^|_)ce$|{OTHER_LANGUAGES}", re.I)
_LIKELIHOOD = re.compile(r"log_?lik|likelihood|(^|_)ll$|elbo", re.I)
_NEGATED = re.compile(rf"neg|minus|nll|loss|cost|error|{OTHER_LANGUAGES}", re.I)
#: One letter says a loss where a step subtracts: J may also be what a step adds to go up, such as a variance.
_LETTER = re.compile(r"^[JLEC]$")


def compared(analysis: Analysis, found: list[Target]) -> list[Target]:
    """The targets with the factor that they should have, where the others leave no doubt."""
    groups: dict[tuple[int, bool], list[Target]] = {}
    for target in found:
        if target.factors is not None:
            groups.setdefault((target.roots[0], target.sign == 0), []).append(target)
    wanted: dict[Target, tuple[float, ...]] = {}
    for (root, _), group in groups.items():
        odd = _outliers(analysis, [t for t in group if not _is_divided_later(analysis, t, group)])
        if root in analysis.matcher.reach:
            # A layer may take a mean for its weights alone: what is exact is right.
            odd = {t: f for t, f in odd.items() if not alike(t.factors or (), [1.0] * len(f))}
            turned = (t for t in group if has_wrong_sign(analysis, t, t.factors))
            odd.update((t, tuple(map(abs, t.factors or ()))) for t in turned)
        for look in (_ascending, _turned, _divided_in_one_line, without_the_slope):
            odd = odd or look(analysis, root, group)
        wanted.update(odd)
    return [
        replace(t, wanted=wanted[t]) if t in wanted else t
        for t in found
    ]


def has_wrong_sign(analysis: Analysis, target: Target, factors: Iterable[float] | None) -> bool:
    """Whether a gradient that a layer passes on points the other way; only a step may be one of descent or ascent."""
    of_layer = target.sign == 0 and any(r in analysis.matcher.reach for r in target.roots[:1])
    return of_layer and any(f < 0 for f in factors or ())


def _ascending(analysis: Analysis, root: int, group: list[Target]) -> dict[Target, tuple[float, ...]]:
    """All steps of a root, turned round, if they go up something that is called a loss and is never negative.

    So they are if they go down something that is called a likelihood.
    """
    steps = [t for t in group if t.way]
    if steps and all(f < 0 for t in steps for f in t.moves) and _is_maximised(analysis, root):
        return {t: tuple(-f for f in t.factors or ()) for t in steps if all(_is_rate(analysis, s) for s in steps)}
    if not steps or any(f <= 0 for t in steps for f in t.moves):
        return {}
    subtracted = all(t.way < 0 for t in steps)
    if not (is_minimised(analysis, root) or (subtracted and _is_called(analysis, root, _LETTER))):
        return {}
    if not all(_is_rate(analysis, t) for t in steps):
        return {}  # weighted by what has a sign of its own, as a policy is by its advantages
    return {t: tuple(-f for f in t.factors or ()) for t in steps}


def _turned(analysis: Analysis, root: int, group: list[Target]) -> dict[Target, tuple[float, ...]]:
    """The one step that goes up a loss with the rate by which all the others go down.

    Adversaries and multipliers go up on purpose.  An adversary is in front of what goes down; a multiplier moves by what the
    forward pass computed.  So it must work on what a parameter that goes down has made, or be added to it.
    """
    steps = [t for t in group if t.way]
    up = [t for t in steps if all(f > 0 for f in t.moves)]
    down = [t for t in steps if t not in up]
    one = len(up) == 1 or len({_line(analysis, t) for t in up}) == 1
    if not up or not one or not down or not is_minimised(analysis, root):
        return {}
    odd = up[0]
    inner, _ = stripped(analysis, odd.node)
    alone = not all(alike(t.moves, [-f for f in odd.moves]) for t in down)
    if alone or inner in analysis.matcher.forward or not _works_with(analysis, odd.wrt, {t.wrt for t in down}):
        return {}
    return {t: tuple(-f for f in t.factors or ()) for t in up}


def _divided_in_one_line(analysis: Analysis, root: int, group: list[Target]) -> dict[Target, tuple[float, ...]]:
    """The steps up a loss that are taken by the line, in one run of a loop, that takes others down it at the same rate.

    Who goes up on purpose has a line of his own, or is told to by another call: ``for k in W: W[k] -= rate * grads[k]`` is
    written for gradients that all point one way.
    """
    steps = [t for t in group if t.way and _is_rate(analysis, t)]
    up = [t for t in steps if all(f > 0 for f in t.moves) and stripped(analysis, t.node)[0] not in analysis.matcher.forward]
    down = [t for t in steps if all(f < 0 for f in t.moves)]
    if not up or not down or not is_minimised(analysis, root):
        return {}
    code = {t: _code(analysis, t) for t in (*up, *down)}
    return {
        t: tuple(-f for f in t.factors or ())
        for t in up
        if any(code[t] is not None and code[t] == code[d] and alike(d.moves, [-f for f in t.moves]) for d in down)
    }


def _code(analysis: Analysis, target: Target) -> object:
    """The line of an update and the calls that it was reached by; None if a target is no update."""
    if target.update is None:
        return None
    node = analysis.tape.nodes[target.update]
    return node.site, node.op, node.calls, node.window


def _line(analysis: Analysis, target: Target) -> tuple[object, ...]:
    """What the entries of one array have in common that one line updates."""
    update = analysis.updates.get(target.update if target.update is not None else -1)
    entry = analysis.matcher.entries.get(target.wrt)
    if update is None or update.written is None or entry is None:
        return (target.node,)
    return analysis.tape.nodes[update.node].site, entry.whole


def _works_with(analysis: Analysis, parameter: int, others: set[int]) -> bool:
    """Whether what a parameter is multiplied with, or what its product is added to, rests on one of the others."""
    tape, forward, ancestors = analysis.tape, analysis.matcher.forward, analysis.matcher.all_ancestors
    def of_array(wrt: int) -> int:
        entry = analysis.matcher.entries.get(wrt)
        return wrt if entry is None else entry.whole

    others = set(map(of_array, others))
    same, products = [of_array(parameter)], set[int]()
    while same:
        users = forward.intersection(tape.users(same.pop()))
        same += [u for u in users if tape.nodes[u].kind is Kind.VIEW]
        products |= users
    products |= {u for k in products for u in tape.users(k) if u in forward and tape.nodes[u].op == "add"}
    return any(not others.isdisjoint(ancestors(k)) for k in products)


def is_minimised(analysis: Analysis, root: int) -> bool:
    """Whether a root is called a loss and is never negative, or was inferred as one that nobody goes up."""
    inferred = analysis.inferred
    known = inferred is not None and inferred.minimised and root in inferred.losses
    return known or _is_called(analysis, root, _LOSS)


def _is_maximised(analysis: Analysis, root: int) -> bool:
    """Whether a root is called the logarithm of a likelihood, and is negative: nobody goes down that."""
    names = [name.rpartition(".")[2] for name in analysis.tape.nodes[root].names]
    called = any(_LIKELIHOOD.search(name) for name in names) and not any(map(_NEGATED.search, names))
    return called and all(float(np.sum(v)) < 0 for v in (*analysis.replays.of(root), analysis.tape.nodes[root].value))


def _is_called(analysis: Analysis, root: int, name: re.Pattern[str]) -> bool:
    """Whether a root has such a name, and is never negative."""
    node = analysis.tape.nodes[root]
    if not any(name.search(own.rpartition(".")[2]) for own in node.names):
        return False
    drawn = min(float(np.sum(value)) for value in analysis.replays.of(root))
    recorded = float(np.sum(node.value))  # where units are saturated, a loss may be exactly 0, or no number at all
    return drawn > 0 and (recorded >= 0 or not np.isfinite(recorded))


def _is_rate(analysis: Analysis, target: Target) -> bool:
    """Whether the factor of a step has a name, or is a number: what is computed from data may be negative."""
    if any(_has_a_sign_of_its_own(analysis, k) for k in _numbers_around(analysis.tape, target.node)):
        return False
    return analysis.matcher.named_factor(target.node, target.roots[0], target.factors or ()) is not None


def _has_a_sign_of_its_own(analysis: Analysis, number: int) -> bool:
    """Whether a negative number is one of the data, or chosen anew in every iteration: ``reward = 1 if won else -1``."""
    node = analysis.tape.nodes[number]
    chosen = node.kind is Kind.LITERAL and node.window >= 0 and bool(node.names)
    return (chosen or number in analysis.matcher.variables.data_numbers) and float(node.value) < 0


def _numbers_around(tape: Tape, node: int) -> Iterator[int]:
    """The numbers that a value was multiplied or divided by, also those that were multiplied with each other before."""
    todo: list[int] = []
    for inner in scaled_from(tape, node):
        todo += [k for k in tape.operands(node) if k != inner]
        node = inner
    while todo:
        number = todo.pop()
        if is_real(tape.nodes[number]):
            yield number
            todo += tape.operands(number) if tape.nodes[number].op in ("multiply", "divide", "negative") else ()


def _outliers(analysis: Analysis, group: list[Target]) -> dict[Target, tuple[float, ...]]:
    """Those of one root's gradients whose factor differs from what the others share, with the shared one."""
    if len(group) < 2:
        return {}
    own: dict[Target, tuple[float, ...]] = {}
    steps: dict[Target, tuple[float, ...]] = {}
    for target in group:
        assert target.factors is not None
        _, scalars = stripped(analysis, target.node)
        outside = _product(analysis, target.node, scalars)
        own[target] = tuple(f / o for f, o in zip(target.factors, outside, strict=True))
        steps[target] = target.steps
    free = analysis.is_fitted  # whether a loss that was inferred is a sum or a mean is not known
    arrays = {t: _array(analysis, t) for t in group}
    shared_own = _most_common([(arrays[t], own[t]) for t in group], free)
    shared_step = _most_common([(arrays[t], steps[t]) for t in group if alike(own[t], shared_own)], free)
    odd: dict[Target, tuple[float, ...]] = {}
    for target in group:
        turned = tuple(-s for s in steps[target])  # of the same length: its sign may be wrong, its factor is not
        if alike(own[target], shared_own) or alike(steps[target], shared_step) or alike(turned, shared_step):
            continue
        ratio = tuple(s / t for s, t in zip(shared_own, own[target], strict=True))
        if plain_number(ratio) is None and not _is_count(ratio) and not _is_of_the_loss(analysis, target, ratio):
            continue
        assert target.factors is not None
        odd[target] = tuple(f * r for f, r in zip(target.factors, ratio, strict=True))
    # A gradient that is exact is the odd one only among many that are not.
    exact = not free and any(alike(own[t], [1.0] * len(own[t])) for t in odd)
    many = 4 if exact else 2
    few = len(odd) * many <= len(group) or len({arrays[t] for t in odd}) * many <= len(set(arrays.values()))
    # One that grows from layer to layer comes in again in each.
    grows = alike(shared_own, [1.0] * len(shared_own)) and len(_distinct(own.values())) > 2
    return odd if few or grows else {}


def _array(analysis: Analysis, target: Target) -> int:
    """The parameter that a target is meant for: rows that one line changes in turn are of one."""
    update = analysis.updates.get(target.update if target.update is not None else -1)
    whole = update is not None and update.part is not None
    return analysis.matcher.variables.first(update.before) if update is not None and whole else target.wrt


def _is_divided_later(analysis: Analysis, target: Target, group: list[Target]) -> bool:
    """Whether a target without a name is another one of the same parameter before that was multiplied by a number."""
    tape = analysis.tape
    if tape.nodes[target.node].names:
        return False
    return any(o.wrt == target.wrt and target.node in scaled_from(tape, o.node) for o in group)


def _distinct(factors: Iterable[tuple[float, ...]]) -> list[tuple[float, ...]]:
    found: list[tuple[float, ...]] = []
    for factor in factors:
        if not any(alike(factor, other) for other in found):
            found.append(factor)
    return found


def _is_of_the_loss(analysis: Analysis, target: Target, ratio: tuple[float, ...]) -> bool:
    """Whether a factor is a setting that the loss is computed with, such as what is kept by dropout: no rate of a step."""
    root = target.roots[0]
    return name_scale(ratio, analysis.matcher.scalars(root, root), frozenset()) is not None


def stripped(analysis: Analysis, node: int) -> tuple[int, tuple[int, ...]]:
    """A value without the scalars that it is multiplied or divided by, and those scalars."""
    tape = analysis.tape
    scalars: list[int] = []
    while not tape.nodes[node].names:
        recorded = tape.nodes[node]
        operands = tape.operands(node)
        if recorded.op == "negative" and operands:
            node = operands[0]
            continue
        if recorded.op not in ("multiply", "divide") or len(operands) != 2:
            break
        sides = [
            k
            for k in operands
            if tape.nodes[k].shape == () and (k not in analysis.matcher.live or tape.nodes[k].kind is Kind.LEAF)
        ]
        arrays = [k for k in operands if k not in sides]
        if len(sides) != 1 or len(arrays) != 1 or (recorded.op == "divide" and operands[1] != sides[0]):
            break
        scalars.append(sides[0])
        node = arrays[0]
    return node, tuple(scalars)


def _product(analysis: Analysis, node: int, scalars: Iterable[int]) -> tuple[float, ...]:
    """What the scalars around a value multiply it by, on each replay, with the sign that they give it."""
    inner, _ = stripped(analysis, node)
    found = []
    for values in analysis.replays.values:
        factor = proportion(values[node], values[inner])
        found.append(1.0 if factor is None else factor)
    return tuple(found)


def _most_common(found: list[tuple[int, tuple[float, ...]]], smallest: bool) -> tuple[float, ...]:
    """The factor of the gradients by most parameters; of two equally common ones the one that is 1.

    Arguments:
        smallest: whether it is the smaller one instead: who divides by a count does so on purpose.
    """
    by: dict[int, set[int]] = {}
    for place, (_, factor) in enumerate(found):
        first = next(k for k, (_, other) in enumerate(found[: place + 1]) if alike(factor, other))
        by.setdefault(first, set()).add(found[place][0])

    def rank(place: int) -> tuple[int, float, int]:
        factor = found[place][1]
        return len(by[place]), -abs(factor[0]) if smallest else alike(factor, [1.0] * len(factor)), -place

    return found[max(by, key=rank)][1]


def _is_count(ratio: tuple[float, ...]) -> bool:
    """Whether a factor is a whole number, or one over it."""
    return any(
        all(abs(r - round(r)) <= _SAME * abs(r) for r in side)
        for side in (ratio, tuple(1 / r for r in ratio))
    )
