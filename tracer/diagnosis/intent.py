"""What is meant as a gradient: by the updates that it feeds, or by its name.

Comes in: an analysis.  Goes out: every value of the explained iterations that a careful reader would take for a
gradient of a parameter, and whether it is one.  A factor that all of them share is a convention, and so is
one that the step multiplies by; a factor or a sign that sets one apart from the others is a fault.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import ELEMENTWISE, is_real
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match, Sort
from tracer.matching.judging import judged_updates
from tracer.matching.optimisers import recognise
from tracer.matching.scale import plain_number
from tracer.matching.updates import Update
from tracer.tape.node import Kind

#: Two factors are the same if they differ by less than this part of themselves, on every replay.
_SAME = 1e-6


class Target(Struct, frozen=True):
    """A value that is meant as a multiple of ∂root/∂wrt.

    Attributes:
        node: the value.
        roots: the scalars that it may be a gradient of, the likeliest first.
        wrt: the version of the parameter that the root was computed from.
        update: the update that it feeds, if any.
        sign: for the whole change of an update 1, or −1 if the update subtracts it; 0 for a value within a step.
        factors: what it is multiplied by, on each replay, if it is a multiple of the gradient; else None.
        wanted: the factors that it should have, if the other gradients say so; None if any would do.
    """

    node: int
    roots: tuple[int, ...]
    wrt: int
    update: int | None = None
    sign: int = 0
    factors: tuple[float, ...] | None = None
    wanted: tuple[float, ...] | None = None

    @property
    def steps(self) -> tuple[float, ...]:
        """The factors with which the parameter moves along the gradient; for a value within a step, its own."""
        return tuple((self.sign or 1) * f for f in self.factors or ())

    @property
    def is_wrong(self) -> bool:
        """Whether it is no multiple of the gradient, or not the one that it should be."""
        return self.factors is None or (self.wanted is not None and not alike(self.factors, self.wanted))


def alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two factors are equal on every replay."""
    return all(abs(a - b) <= _SAME * max(abs(a), abs(b)) for a, b in zip(one, other, strict=True))


def targets(analysis: Analysis) -> list[Target]:
    """Everything in the explained iterations that is meant as the gradient of a parameter, in program order."""
    found = [*_of_updates(analysis), *_of_names(analysis)]
    seen: set[tuple[int, int]] = set()
    unique = []
    for target in sorted(found, key=lambda t: (t.node, t.update is None)):
        if (target.node, target.wrt) not in seen:
            seen.add((target.node, target.wrt))
            unique.append(target)
    return _compared(analysis, unique)


def factors_of(analysis: Analysis, values: Sequence[object], root: int, wrt: int) -> tuple[float, ...] | None:
    """What ∂root/∂wrt must be multiplied by to give these values, one on each replay; None if nothing fits."""
    found = []
    for value, adjoints in zip(values, analysis.matcher.adjoints[root], strict=True):
        factor = proportion(value, adjoints.full.get(wrt))
        if factor is None:
            return None
        found.append(factor)
    return tuple(found)


def proportion(value: object, gradient: object) -> float | None:
    """The number by which ``gradient`` must be multiplied to give ``value``; None if there is none but 0."""
    if gradient is None or value is None:
        return None
    one, other = np.asarray(value, dtype=float), np.asarray(gradient, dtype=float)
    if one.shape != other.shape and _without_ones(one.shape) != _without_ones(other.shape):
        return None
    one, other = one.ravel(), other.ravel()
    with np.errstate(all="ignore"):
        square = float(other @ other)
        factor = float(one @ other) / square if square > 0 else 0.0
        if factor == 0 or not np.isfinite(factor):
            return None
        error = float(np.max(np.abs(one - factor * other), initial=0.0))
        size = float(np.max(np.abs(one), initial=0.0))
    return factor if error <= 1e-7 * size else None


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _of_updates(analysis: Analysis) -> Iterable[Target]:
    tape, matcher = analysis.tape, analysis.matcher
    shown = set(tape.last_windows())
    for update in judged_updates(matcher):
        if tape.nodes[update.node].window not in shown:
            continue
        roots = roots_of(analysis, update.before, update.node)
        plain = _target(analysis, update.change, roots, update.before, update)
        if plain.factors is not None:
            yield plain
            continue
        step = recognise(matcher, update)
        if step.gradient is not None:
            within = _target(analysis, step.gradient.node, roots, update.before, update)
            if within.factors is not None:
                yield within
                continue
        if step.optimiser.startswith("gradient"):
            yield plain
        kernel = _kernel(analysis, update)
        if kernel is not None and kernel != update.change:
            yield _target(analysis, kernel, roots, update.before, update)


def _target(
    analysis: Analysis, node: int, roots: tuple[int, ...], wrt: int, update: Update | None = None
) -> Target:
    values = analysis.replays.of(node)
    sign = update.sign if update is not None and node == update.change else 0
    whole = tuple(r for r in roots if not any(_is_part(analysis, r, other, wrt) for other in roots))
    for root in whole:
        factors = factors_of(analysis, values, root, wrt)
        if factors is not None and _can_be_named(analysis, node, root, factors):
            ordered = (root, *(r for r in whole if r != root))
            return Target(node, ordered, wrt, update.node if update else None, sign, factors)
    return Target(node, whole, wrt, update.node if update else None, sign)


def _is_part(analysis: Analysis, part: int, whole: int, wrt: int) -> bool:
    """Whether a root is only one term of another one, which has a term of its own in the parameter besides.

    Who adds a penalty to a loss trains on the sum; the gradient of the loss alone is not the whole one.
    """
    if part == whole or part not in analysis.matcher.all_ancestors(whole):
        return False
    one, other = analysis.matcher.adjoints[part], analysis.matcher.adjoints[whole]
    return any(proportion(a.full.get(wrt), b.full.get(wrt)) is None for a, b in zip(one, other, strict=True))


def _can_be_named(analysis: Analysis, node: int, root: int, factors: tuple[float, ...]) -> bool:
    """Whether a factor is one that a program may well have: a scalar of it, a count, a plain number."""
    from tracer.matching.scale import name_scale

    matcher = analysis.matcher
    return (
        name_scale(factors, matcher.scalars(node, root), matcher.literals(node)) is not None
        or plain_number(factors) is not None
        or _is_scalar_multiple(analysis, node)
    )


def _is_scalar_multiple(analysis: Analysis, node: int) -> bool:
    """Whether the value is something recognised times scalars that no parameter goes into, such as a schedule."""
    inner, _ = stripped(analysis, node)
    match = analysis.matcher.best(inner)
    return inner != node and match is not None and match.candidate.sort is Sort.FULL


def roots_of(analysis: Analysis, wrt: int, before: int) -> tuple[int, ...]:
    """The roots that a parameter may have been trained on: computed before its update, the last one first."""
    matcher = analysis.matcher
    able = [
        r
        for r in matcher.roots
        if matcher.position(r.node) < before and wrt in matcher.adjoints[r.node][0].full
    ]
    named = [r.node for r in able if r.named] or [r.node for r in able]
    window = analysis.tape.nodes[before].window
    return tuple(sorted(named, key=lambda r: (analysis.tape.nodes[r].window != window, -r)))


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
            if tape.nodes[k].shape == () and k not in analysis.matcher.live - _leaves(analysis)
        ]
        arrays = [k for k in operands if k not in sides]
        if len(sides) != 1 or len(arrays) != 1 or (recorded.op == "divide" and operands[1] != sides[0]):
            break
        scalars.append(sides[0])
        node = arrays[0]
    return node, tuple(scalars)


def _leaves(analysis: Analysis) -> frozenset[int]:
    return frozenset(n.id for n in analysis.tape.window_nodes() if n.kind is Kind.LEAF)


def _kernel(analysis: Analysis, update: Update) -> int | None:
    """The value within a step that must be meant as the gradient; None if that cannot be told.

    It is the only value of the parameter's shape that entry-by-entry operations make the step from, or what
    is called a gradient among them.
    """
    tape = analysis.tape
    shape = tape.nodes[update.node].shape
    window = tape.nodes[update.node].window
    found: list[int] = []
    seen: set[int] = set()
    todo = [update.change]
    while todo:
        node = todo.pop()
        recorded = tape.nodes[node]
        if node in seen or recorded.shape != shape or not is_real(recorded):
            continue
        seen.add(node)
        if node == update.before or recorded.kind is Kind.LEAF or recorded.window < window:
            continue
        if node in analysis.updates:
            todo.append(analysis.updates[node].change)
        elif _says_gradient(recorded.names) or recorded.op not in (ELEMENTWISE | {"sqrt"}):
            found.append(node)
        else:
            todo += tape.operands(node)
    called = [n for n in found if _says_gradient(tape.nodes[n].names)]
    return (called or found)[0] if len(set(called or found)) == 1 else None


_GRADIENT_NAME = re.compile(r"(?:d_?|grad(?:ient)?s?_?|delta_?|derivative_?|nabla_?|g_)(?P<of>\w+)$", re.I)
_GRADIENT_ENDING = re.compile(r"(?P<of>\w+?)_(?:grad(?:ient)?|delta|derivative|g)$", re.I)
_LOSS = re.compile(r"loss|cost|error|(^|_)err$|mse|sse|rss|nll|(^|_)ce$", re.I)
_HOLDER = re.compile(r"grad|deriv|delta|nabla|^d$|^g$", re.I)
_KEY = re.compile(r"^(?P<holder>.*)\[['\"]?(?P<key>[^\]'\"]+)['\"]?\]$")


def _says_gradient(names: Iterable[str]) -> bool:
    return any(parameter_of(name) is not None for name in names)


def parameter_of(name: str) -> str | None:
    """What a name says that its value is the gradient of: ``W2`` for ``dW2``, ``grads['W2']``, ``self.dW2``, ``grad_W2``."""
    keyed = _KEY.match(name)
    if keyed is not None:
        key = keyed["key"]
        inner = parameter_of(key)
        if inner is not None:
            return inner
        holder = keyed["holder"].rpartition(".")[2]
        return key if _HOLDER.search(holder) and not key.lstrip("-").isdigit() else None
    last = name.rpartition(".")[2]
    found = _GRADIENT_NAME.match(last) or _GRADIENT_ENDING.match(last)
    return found["of"] if found is not None else None


def plain_name(name: str) -> str:
    """A variable's own name: ``W2`` for ``self.W2``, ``params['W2']`` and ``W2``."""
    keyed = _KEY.match(name)
    return keyed["key"] if keyed is not None else name.rpartition(".")[2]


def _of_names(analysis: Analysis) -> Iterable[Target]:
    """Values whose name says that they are the gradient of a parameter: the last version of each."""
    tape = analysis.tape
    shown = set(tape.last_windows())
    parameters = _parameters(analysis)
    last: dict[str, int] = {}
    for binding in tape.bindings:
        if tape.nodes[binding.node].window in shown and is_real(tape.nodes[binding.node]):
            last[binding.name] = binding.node
    for name, node in last.items():
        of = parameter_of(name)
        recorded = tape.nodes[node]
        if of is None or node in analysis.updates or node in analysis.matcher.forward:
            continue
        if recorded.kind in (Kind.LEAF, Kind.LITERAL) or not analysis.replays.moves(node):
            continue
        meant = [
            p
            for p, window in parameters.get(of, ())
            if tape.nodes[p].shape == recorded.shape and window == recorded.window
        ]
        roots = roots_of(analysis, meant[0], node) if len(meant) == 1 else ()
        if roots:
            yield _target(analysis, node, roots, meant[0])


def _parameters(analysis: Analysis) -> dict[str, list[tuple[int, int]]]:
    """The versions of parameters that the explained losses were computed from, with their window, by their own names.

    A parameter goes by every name that an earlier version of it had.  Without updates every leaf may be one.
    """
    tape = analysis.tape
    shown = set(tape.last_windows())
    names: dict[int, list[str]] = {}
    found: dict[str, list[tuple[int, int]]] = {}
    for update in analysis.updates.values():
        known = names.get(update.before, []) + tape.nodes[update.before].names
        names[update.node] = known
        if tape.nodes[update.node].window in shown:
            for name in dict.fromkeys(map(plain_name, known)):
                found.setdefault(name, []).append((update.before, tape.nodes[update.node].window))
    if not analysis.updates:
        for node in sorted(analysis.matcher.forward):
            if tape.nodes[node].kind is Kind.LEAF:
                for name in dict.fromkeys(map(plain_name, tape.nodes[node].names)):
                    found.setdefault(name, []).append((node, tape.nodes[node].window))
    return {name: list(dict.fromkeys(nodes)) for name, nodes in found.items()}


def _compared(analysis: Analysis, found: list[Target]) -> list[Target]:
    """The targets with the factor that they should have, where the others leave no doubt."""
    groups: dict[tuple[int, bool], list[Target]] = {}
    for target in found:
        if target.factors is not None:
            groups.setdefault((target.roots[0], target.sign == 0), []).append(target)
    wanted: dict[Target, tuple[float, ...]] = {}
    for (root, _), group in groups.items():
        wanted.update(_outliers(analysis, group) or _ascending(analysis, root, group))
    return [
        Target(t.node, t.roots, t.wrt, t.update, t.sign, t.factors, wanted[t]) if t in wanted else t
        for t in found
    ]


def _ascending(analysis: Analysis, root: int, group: list[Target]) -> dict[Target, tuple[float, ...]]:
    """All steps of a root, turned round, if they go up something that is called a loss and is never negative."""
    node = analysis.tape.nodes[root]
    if not any(_LOSS.search(name.rpartition(".")[2]) for name in node.names):
        return {}
    values = [float(node.value), *(float(v) for v in analysis.replays.of(root))]
    steps = [t for t in group if t.sign]
    if not steps or min(values) <= 0 or any(f <= 0 for t in steps for f in t.steps):
        return {}
    return {t: tuple(-f for f in t.factors or ()) for t in steps}


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
    shared_own = _most_common(list(own.values()))
    shared_step = _most_common([steps[t] for t in group if alike(own[t], shared_own)])
    odd: dict[Target, tuple[float, ...]] = {}
    for target in group:
        if alike(own[target], shared_own) or alike(steps[target], shared_step):
            continue
        ratio = tuple(s / t for s, t in zip(shared_own, own[target], strict=True))
        if plain_number(ratio) is None and not _is_count(analysis, ratio):
            continue
        assert target.factors is not None
        odd[target] = tuple(f * r for f, r in zip(target.factors, ratio, strict=True))
    return odd if len(odd) * 2 <= len(group) else {}


def _product(analysis: Analysis, node: int, scalars: Iterable[int]) -> tuple[float, ...]:
    """What the scalars around a value multiply it by, on each replay, with the sign that they give it."""
    inner, _ = stripped(analysis, node)
    found = []
    for values in analysis.replays.values:
        factor = proportion(values[node], values[inner])
        found.append(1.0 if factor is None else factor)
    return tuple(found)


def _most_common(factors: list[tuple[float, ...]]) -> tuple[float, ...]:
    """The factor that most share; of two equally shared ones the one that is 1."""
    counts: Counter[int] = Counter()
    for place, factor in enumerate(factors):
        first = next(k for k, other in enumerate(factors[: place + 1]) if alike(factor, other))
        counts[first] += 1

    def rank(place: int) -> tuple[int, bool, int]:
        return counts[place], alike(factors[place], [1.0] * len(factors[place])), -place

    return factors[max(counts, key=rank)]


def _is_count(analysis: Analysis, ratio: tuple[float, ...]) -> bool:
    """Whether a factor is a whole number, or one over it."""
    return any(
        all(abs(r - round(r)) <= _SAME * abs(r) for r in side)
        for side in (ratio, tuple(1 / r for r in ratio))
    )


def is_gradient(match: Match | None) -> bool:
    """Whether a node is recognised as a whole gradient, with a factor that has a name."""
    return match is not None and match.candidate.sort is Sort.FULL and match.scale.rank <= 3


__all__ = [
    "Target",
    "alike",
    "factors_of",
    "is_gradient",
    "parameter_of",
    "proportion",
    "roots_of",
    "targets",
]
