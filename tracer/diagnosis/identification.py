"""What a node is once a fault is mended.

Comes in: its values on every replay, with the fault mended.  Goes out: the gradient that they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match, Sort
from tracer.matching.fingerprint import fingerprint


def identify(
    analysis: Analysis, node: int, values: list[Any], before: int, wrt: int | None = None
) -> Match | None:
    """The full gradient that values are; None if they are none.

    Arguments:
        node: whose values they are.
        before: roots that stand behind this node in the program do not count.
        wrt: what the gradient should be by, if that is known.
    """
    matcher = analysis.matcher
    if np.asarray(values[0]).dtype.kind != "f":
        return None
    found = fingerprint(values)
    if found is None:
        return None
    hits: list[tuple[tuple[Any, ...], Match]] = []
    names = matcher.factors.of(node)
    for candidate, measured, error in matcher.index.find(found, matcher.scalar_factors(node)):
        if candidate.sort is not Sort.FULL or matcher.position(candidate.root) > before:
            continue
        if not matcher.may_be_of(node, candidate.root):
            continue
        scale = names.name(measured, candidate.root)
        if scale is not None:
            match = Match(node, candidate, scale, error)
            hits.append((matcher.rank(match), match))
    wanted = [m for _, m in hits if m.candidate.wrt == wrt and not m.candidate.transposed]
    if wanted:
        return wanted[0]
    named = {r.node for r in matcher.roots if r.named}
    hits = [hit for hit in hits if hit[1].candidate.root in named] or hits
    return min(hits, key=lambda hit: hit[0])[1] if hits else None
