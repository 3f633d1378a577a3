"""The slopes of the forward pass: the local derivatives that a backward pass may be multiplied by.

Comes in: an analysis.  Goes out: ∂of/∂wrt, entry by entry, for elementwise steps, each distinct one once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import local_derivatives
from tracer.matching.analysis import Analysis
from tracer.matching.fingerprint import Fingerprint, fingerprint


class Slope(Struct, frozen=True, eq=False):
    """The local derivative ∂of/∂wrt, entry by entry, on every replay; ``depth`` is how many steps lie between."""

    of: int
    wrt: int
    values: tuple[Any, ...]
    is_mask: bool
    depth: int


def find_slopes(
    analysis: Analysis, windows: Collection[int]
) -> dict[tuple[int, ...], list[tuple[Slope, ...]]]:
    """The local derivatives of every elementwise step, by shape; those of one repeated place together."""
    groups: dict[Any, list[Slope]] = defaultdict(list)
    matcher, tape = analysis.matcher, analysis.tape
    seen: set[Any] = set()
    for node in sorted(matcher.forward):
        recorded = tape.nodes[node]
        if recorded.window not in windows or recorded.shape is None or recorded.site is None:
            continue
        with np.errstate(all="ignore"):
            local = local_derivatives(tape, analysis.rules, analysis.replays.values, node, matcher.live)
        for depth, (wrt, values) in enumerate(sorted(local.items(), reverse=True)):
            if _are_constant(values):
                continue
            key = fingerprint(values)
            site = tape.nodes[wrt].site
            if key is None or (mark := _rounded(key)) in seen:
                continue
            seen.add(mark)
            most = max(float(np.max(v)) for v in values) if np.size(values[0]) == 1 else None
            mask = all(bool(np.all((v == 0) | (v == (np.max(v) if most is None else most)))) for v in values)
            place = recorded.site.span, recorded.op, site.span if site else wrt
            groups[place].append(Slope(node, wrt, tuple(values), mask, depth))
    found: dict[tuple[int, ...], list[tuple[Slope, ...]]] = defaultdict(list)
    for slopes in groups.values():
        by_shape: dict[tuple[int, ...], list[Slope]] = defaultdict(list)
        for slope in slopes:
            by_shape[np.shape(slope.values[0])].append(slope)
        for shape, same in by_shape.items():
            found[shape].append(tuple(same))
    return found


def _are_constant(values: Sequence[Any]) -> bool:
    """Whether slopes are a factor: the same for all entries, or for a single number the same on every replay."""
    if all(np.size(v) == 1 for v in values):
        return float(np.ptp([np.sum(v) for v in values])) == 0
    return any(float(np.ptp(v)) == 0 for v in values)


def _rounded(key: Fingerprint) -> tuple[Any, ...]:
    prints = [key.on(replay) for replay in range(len(key))]
    return tuple(p and ((np.round(p.projections, 9) + 0.0).tobytes(), round(p.norm, 9)) for p in prints)
