"""Trying an edit on the tape: change some nodes, compute again what rests on them, see what it mends.

Comes in: an analysis and the gradients that are wrong.  Goes out: for an edit, the wrong gradients that it makes
right.  The edit is tried on one random replay first, and believed only if it holds on every one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.diagnosis.conventions import compared, has_wrong_sign, is_minimised
from tracer.diagnosis.directions import direction_of
from tracer.diagnosis.finding import Kind
from tracer.diagnosis.surroundings import Surroundings
from tracer.diagnosis.target import Target, alike, are_zero, filled, is_gradient, proportion
from tracer.matching.gradient_names import says_gradient
from tracer.matching.scale import name_scale
from tracer.tape.node import Kind as NodeKind
from tracer.tape.tape import evaluate

#: The new value of a node: from the node, the values as edited so far, and the number of the replay.
Change = Callable[[int, Mapping[int, Any], int], Any]


class Edit(Struct, frozen=True, eq=False):
    """A change of what some nodes compute.

    Attributes:
        kind: the fault that it would mend.
        level: how far-fetched it is; of two that mend as much the smaller one is told.
        nodes: the nodes whose value it changes.
        change: their new value.
        text: how the source would say it; see `tracer.diagnosis.rewriting`.
    """

    kind: Kind
    level: float
    nodes: tuple[int, ...]
    change: Change
    text: Any = None


class Overlay(Mapping[int, Any]):
    """The values of a replay, with some of them changed."""

    def __init__(self, values: Mapping[int, Any] | Sequence[Any], changed: Mapping[int, Any]) -> None:
        self._values, self._changed = values, changed

    def __getitem__(self, node: int) -> Any:
        return self._changed[node] if node in self._changed else self._values[node]

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._values)))

    def __len__(self) -> int:
        return len(self._values)


class Trials(Surroundings):
    """Tries edits."""

    def values(self, edit: Edit, replay: int, among: Sequence[int] | None = None) -> dict[int, Any] | None:
        """What changes with an edit on one replay; None if something can no longer be computed.

        Arguments:
            among: the nodes that are computed again, in order; all of the backward pass if none are given.
        """
        tape = self.analysis.tape
        changed: dict[int, Any] = {}
        before = self.analysis.replays.values[replay]
        now = Overlay(before, changed)
        nodes = set(edit.nodes)
        try:
            with np.errstate(all="ignore"):
                for node in self._resting_on(edit.nodes, self.affected if among is None else among):
                    if node in nodes:
                        changed[node] = edit.change(node, now, replay)
                    elif any(k in changed for k in tape.operands(node)):
                        if tape.nodes[node].kind in (NodeKind.RANDOM, NodeKind.OPAQUE, NodeKind.LEAF):
                            return None
                        value = evaluate(tape.nodes[node], now)
                        if tape.nodes[node].op != "axis_size" or value != before[node]:
                            changed[node] = value
        except Exception:  # shapes that do not fit, an operation that has no function: the edit is none
            return None
        return changed

    def _resting_on(self, nodes: tuple[int, ...], among: Sequence[int]) -> list[int]:
        """These nodes, and what is computed from them, as far as it is ``among`` others, in order."""
        key = nodes, id(among)
        if key not in self._cones:
            reached = set(nodes)
            for node in among:
                if node not in reached and not reached.isdisjoint(self.analysis.tape.operands(node)):
                    reached.add(node)
            self._cones[key] = among, [node for node in among if node in reached]
        return self._cones[key][1]

    @cached_property
    def _cones(self) -> dict[tuple[tuple[int, ...], int], tuple[Sequence[int], list[int]]]:
        return {}  # with the list that was asked for, so that no other one takes its place in memory

    def is_idle_somewhere(self, edit: Edit) -> bool:
        """Whether an edit leaves the value of some of its nodes as it is."""
        changed, before = self.values(edit, 0) or {}, self.analysis.replays.values[0]
        return any(np.array_equal(changed.get(n, before[n]), before[n]) for n in edit.nodes)

    def leaves_odd(self, edit: Edit, mended: Sequence[Target]) -> bool:
        """Whether an edit changes what is exactly a gradient and called one; or what it mended differs from the right ones.

        By another factor, or by the way that it goes.
        """
        root_of: dict[Target, int] = {}
        factors: dict[Target, list[float]] = {t: [] for t in mended}
        changed: dict[int, Any] = {}
        before = self.analysis.replays.values[-1]
        for replay in range(len(self.analysis.replays.values)):
            changed = self.values(edit, replay) or {}
            for target in mended:
                factors[target].append(self._factor(target, edit, changed, replay, root_of) or 0.0)
        now = [
            replace(t, factors=tuple(f), roots=tuple(dict.fromkeys((root_of[t], *t.roots))), wanted=None)
            for t, f in _filled(factors).items()
            if t in root_of
        ]
        nodes = {t.node for t in now}
        if any(self._turns_the_wrong_one(edit, t) for t in mended):
            return True
        spared = self._turned_by_mistake(mended)
        if any(not np.array_equal(changed[n], before[n]) for n in self._exact if n in changed and n not in spared):
            return True
        if any(_are_opposite(one, other) for one in now for other in self.right) or any(map(self._points_up, now)):
            return True
        return any(t.is_wrong for t in compared(self.analysis, [*self.right, *now]) if t.node in nodes)

    def _goes_like_the_others(self, target: Target) -> bool | None:
        """Whether a step that goes the wrong way is written as the right ones, ``W += …``; None if those are not alike."""
        turned = target.wanted is not None and alike(target.factors or (), [-f for f in target.wanted])
        if not target.way or not turned:
            return None
        ways = {t.way for t in self.right if t.way and t.roots[0] == target.roots[0]}
        return ways.pop() == target.way if len(ways) == 1 else None

    def _turned_by_mistake(self, targets: Iterable[Target]) -> set[int]:
        """What steps are made from that are written as the right ones are, but go the other way.

        A gradient among it may be exact by mistake, where all others are turned on purpose.
        """
        turned = (t.node for t in targets if self._goes_like_the_others(t))
        return {n for node in turned for n in self.analysis.matcher.all_ancestors(node)}

    def _turns_the_wrong_one(self, edit: Edit, target: Target) -> bool:
        """Whether an edit turns a step that is written as the others are, or else the gradient, which then is not."""
        as_others, update = self._goes_like_the_others(target), self.analysis.updates.get(target.update or -1)
        return as_others is not None and update is not None and as_others == (update.change in edit.nodes)

    @cached_property
    def _exact(self) -> tuple[int, ...]:
        """What is called a gradient, and is one by a parameter without any factor."""
        parameters = {t.wrt for t in (*self.targets, *self.right)}
        called = ((n, self.best(n)) for n in self.affected if says_gradient(self.node(n).names))
        exact = ((n, m) for n, m in called if is_gradient(m) and m is not None and m.scale.text == "1")
        return tuple(n for n, m in exact if m.candidate.wrt in parameters)

    def _points_up(self, target: Target) -> bool:
        """Whether what is called a gradient is one but for its sign, and its step subtracts it."""
        update = None if target.update is None else self.analysis.updates.get(target.update)
        called = says_gradient(self.node(target.node).names) and all(f < 0 for f in target.factors or ())
        down = target.sign == 0 and update is not None and update.sign < 0
        return called and down and is_minimised(self.analysis, target.roots[0])

    def mended(self, edit: Edit) -> tuple[Target, ...]:
        """The wrong targets that an edit makes right, on every replay; none if it spoils a right one."""
        left = list(self.targets)
        factors: dict[Target, list[float]] = {}
        moved: dict[Target, list[float]] = {}
        root_of: dict[Target, int] = {}
        nodes = set(edit.nodes)
        for replay in range(len(self.analysis.replays.values)):
            changed = self.values(edit, replay)
            if changed is None:
                return ()
            for target in self.right:
                if target.node in changed or not nodes.isdisjoint(target.through):
                    factor = self._factor(target, edit, changed, replay, root_of)
                    if factor is None:
                        return ()
                    moved.setdefault(target, []).append(factor)
            still = []
            for target in left:
                if target.node not in changed and nodes.isdisjoint(target.through):
                    continue
                found = self._factor(target, edit, changed, replay, root_of)
                if found is not None:
                    factors.setdefault(target, []).append(found)
                    still.append(target)
            left = still
            if not left:
                return ()
        factors, moved = _filled(factors), _filled(moved)
        left = [
            t
            for t in left
            if t in factors
            if (self._is_plausible(t, factors[t]) if t.wanted is None else alike(factors[t], t.wanted))
        ]
        if any(self._goes_up(t, factors[t], root_of[t]) for t in left):
            return ()
        spoiled = {t: f for t, f in moved.items() if t.factors is None or not alike(f, t.factors)}
        ones = (1.0,) * len(self.analysis.replays.values)
        spared = self._turned_by_mistake(left)
        exact = (t for t in spoiled if t.sign == 0 and t.factors is not None and alike(t.factors, ones))
        if any(t.node not in spared for t in exact):
            return ()
        spoiled = {t: f for t, f in spoiled.items() if t.node not in spared or not alike(f, [-g for g in t.factors or ()])}
        if spoiled and not self._agree({**spoiled, **{t: factors[t] for t in left}}):
            return ()
        return tuple(left)

    def _factor(
        self, target: Target, edit: Edit, changed: Mapping[int, Any], replay: int, root_of: dict[Target, int]
    ) -> float | None:
        """The factor of a target with an edit; turned round if the edit turns the step that the target is in."""
        before = self.analysis.replays.values[replay]
        factor = self._fit(target, changed.get(target.node, before[target.node]), replay, root_of)
        update = None if target.update is None else self.analysis.updates.get(target.update)
        edited = {n: partial(edit.change, n) for n in edit.nodes if n in target.through}
        if factor is None or factor == _ANY or not edited or not target.direction or update is None:
            return factor
        way = direction_of(self.analysis, target.node, update, target.through, edited)
        return -factor if way == -target.direction else factor

    def _fit(self, target: Target, value: Any, replay: int, root_of: dict[Target, int]) -> float | None:
        roots = (root_of[target],) if target in root_of else self._trained_on(target)
        for root in roots:
            gradient = self.analysis.matcher.adjoints[root][replay].full.get(target.wrt)
            factor = proportion(value, gradient)
            if factor is not None:
                root_of[target] = root
                return factor
            if are_zero(value, gradient):
                return _ANY
        return None

    def _trained_on(self, target: Target) -> tuple[int, ...]:
        """What a wrong gradient is made right for: losses, not the terms that other losses add up."""
        if not target.is_wrong:
            return target.roots
        behind = self.analysis.matcher.all_ancestors
        return tuple(r for r in target.roots if not any(r != o and r in behind(o) for o in target.roots))

    def _goes_up(self, target: Target, factors: list[float], root: int) -> bool:
        """Whether a step that was wrong would go up what is minimised, with nothing to say that steps are turned round."""
        up = target.sign != 0 and target.wanted is None and all(target.sign * f > 0 for f in factors)
        return up and not any(t.sign for t in self.right) and is_minimised(self.analysis, root)

    def _is_plausible(self, target: Target, factors: list[float]) -> bool:
        """Whether a factor is one that a program may have: with a name, or with one beside that of a right gradient."""
        matcher = self.analysis.matcher
        if has_wrong_sign(self.analysis, target, factors):
            return False
        if matcher.named_factor(target.node, target.roots[0], factors) is not None:
            return True
        scalars = matcher.scalars(target.node, target.roots[0])
        for peer in self.right:
            if peer.factors is not None and (peer.sign != 0) == (target.sign != 0):
                ratio = [f / p for f, p in zip(factors, peer.factors, strict=True)]
                if name_scale(ratio, scalars) is not None:
                    return True
        return False

    def _agree(self, factors: Mapping[Target, list[float]]) -> bool:
        """Whether gradients that an edit gave another factor all have the same one now, as the others have."""
        still = [t for t in self.right if t not in factors and t.factors is not None]
        for whole in (False, True):
            steps = [
                [(t.sign or 1) * f for f in found] for t, found in factors.items() if (t.sign != 0) == whole
            ]
            steps += [list(t.steps) for t in still if (t.sign != 0) == whole]
            if any(not alike(step, steps[0]) for step in steps):
                return False
        moves = {t.way * f > 0 for t, found in factors.items() if t.direction for f in found}
        return len(moves | {f > 0 for t in still if t.direction for f in t.moves}) < 2


def _are_opposite(one: Target, other: Target) -> bool:
    """Whether two gradients of one loss differ by nothing but the way that they go."""
    same = one.roots[0] == other.roots[0] and (one.sign != 0) == (other.sign != 0) and other.factors is not None
    return same and alike(one.steps, [-f for f in other.steps])


__all__ = ["Change", "Edit", "Overlay", "Trials"]


#: Stands for the factor on a replay where any would do.
_ANY = float("inf")


def _filled(found: Mapping[Target, Sequence[float]]) -> dict[Target, list[float]]:
    """The factors with those of other replays where any would do; without the targets that are 0 on every replay."""
    whole = {t: filled([None if f == _ANY else f for f in factors]) for t, factors in found.items()}
    return {t: list(factors) for t, factors in whole.items() if factors is not None}
