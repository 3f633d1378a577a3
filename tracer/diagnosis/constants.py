"""Weights that a loss holds constant, as the advantages of an actor: no gradient goes back through them on purpose.

``loss = -(logp * adv).sum() + …`` with ``adv = R - v`` has a path through ``adv`` to the critic that no actor is trained by.
Comes in: an analysis and what is meant as gradients.  Goes out: those that are gradients once such a weight of
log-probabilities is a constant; they are no faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

import numpy as np

from tracer.diagnosis.target import Target, alike, proportion
from tracer.gradients.adjoints import ancestors, is_real, numeric_adjoints
from tracer.matching.analysis import Analysis

#: So many operations may lie between a logarithm and the product with the weight.
_NEAR = 6


def with_constant_weights(analysis: Analysis, targets: Iterable[Target]) -> set[Target]:
    """The wrong ones of some targets that are right if a weight of log-probabilities is held constant."""
    wrong = [t for t in targets if t.factors is None and t.roots]
    found: set[Target] = set()
    for root in dict.fromkeys(t.roots[0] for t in wrong):
        for weight in _weights(analysis, root):
            found |= {t for t in wrong if t.roots[0] == root and _is_right(analysis, t, root, weight)}
    return found


def _weights(analysis: Analysis, root: int) -> Iterator[int]:
    """Named arrays that rest on parameters and multiply a logarithm on the way to a root."""
    tape, matcher = analysis.tape, analysis.matcher
    for node in sorted(matcher.all_ancestors(root)):
        if tape.nodes[node].op != "multiply":
            continue
        for weight, other in permutations(tape.operands(node), 2):
            sources = [weight, *tape.operands(weight)] if tape.nodes[weight].op in ("getitem", "reshape") else [weight]
            named = [k for k in sources if tape.nodes[k].names and k in matcher.live and is_real(tape.nodes[k])]
            if named and _is_logarithm(analysis, other) and not _is_logarithm(analysis, weight):
                yield named[0]


def _is_logarithm(analysis: Analysis, node: int) -> bool:
    near = {node}
    for _ in range(_NEAR):
        near |= {k for n in near for k in analysis.tape.operands(n)}
    return any(analysis.tape.nodes[n].op == "log" for n in near)


def _is_right(analysis: Analysis, target: Target, root: int, weight: int) -> bool:
    matcher = analysis.matcher
    cuts = {*matcher.updates, weight}
    relevant = ancestors(analysis.tape, root, cuts) & matcher.live
    factors = []
    for values in analysis.replays.values:
        with np.errstate(all="ignore"):
            swept = numeric_adjoints(analysis.tape, matcher.rules, values, root, relevant, cuts)
        factor = proportion(values[target.node], swept.full.get(target.wrt))
        if factor is None:
            return False
        factors.append(factor)
    several = np.size(analysis.tape.nodes[target.node].value) > 1
    return several or alike(factors, factors[:1] * len(factors))  # any number is a multiple of any other
