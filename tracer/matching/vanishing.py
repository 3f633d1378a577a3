"""Gradients that are 0: what they are made of has no fingerprint, and is known by being 0 as they are.

As behind a mean that is subtracted, for a bias before a batch norm.  Comes in: a matcher that has looked every node up.
Goes out: a match for what such a step is made of.  Invariant: any factor would do, so these matches are kept apart
(`Matcher.zeros`), and none takes the place of one that was found by its values.
"""

from __future__ import annotations

import numpy as np

from tracer.matching.candidates import Candidate, Match, Sort
from tracer.matching.matcher import Matcher
from tracer.matching.scale import ONE
from tracer.matching.updates import Update

#: What is left of a sum that cancels is smaller than this part of what went into it.
_NOTHING = 1e-10


def recognise_zeros(matcher: Matcher) -> None:
    """Add the matches of what the steps along vanishing gradients are made of."""
    with np.errstate(all="ignore"):
        for update in matcher.updates.values():
            for root in matcher.roots:
                _recognise(matcher, update, root.node)


def vanishes(matcher: Matcher, node: int, root: int, wrt: int) -> bool:
    """Whether ∂root/∂wrt is 0 on every replay, and a node too but for rounding."""
    for value, sweep in zip(matcher.replays.of(node), matcher.adjoints[root], strict=True):
        if wrt not in sweep.full or np.any(sweep.full[wrt]):
            return False
        passed = (sweep.full[u] for u in matcher.graph.tape.users(wrt) if u in sweep.full)
        size = max((float(np.max(np.abs(p), initial=0.0)) for p in passed), default=0.0)
        if not float(np.max(np.abs(np.asarray(value)), initial=0.0)) <= _NOTHING * size:
            return False
    return True


def _recognise(matcher: Matcher, update: Update, root: int) -> None:
    tape = matcher.graph.tape
    todo = [update.change]
    while todo:
        node = todo.pop()
        same = tape.nodes[node].shape == tape.nodes[update.wrt].shape and matcher.is_askable(node)
        if not same or node in matcher.matches or not vanishes(matcher, node, root, update.wrt):
            continue
        matcher.matches[node] = [Match(node, Candidate(Sort.FULL, root, update.wrt, False), ONE, 0.0)]
        matcher.zeros.add(node)
        todo += tape.operands(node)
