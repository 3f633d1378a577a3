"""Gradients that still hold those of earlier steps: they are added up, and never set back to zero before the next step.

Comes in: a step.  Goes out: the sum that it is made from, if that was there in the iteration before, a step was made from
it then, and it was only added to since; and a `Finding` for it, if what was added since is the gradient.  Sums that several
iterations make for one step are not such: they begin anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.identification import identify
from tracer.diagnosis.rewrites import Overwrite
from tracer.diagnosis.target import Target
from tracer.gradients.adjoints import is_real
from tracer.matching.analysis import Analysis
from tracer.matching.gradient_names import says_gradient
from tracer.matching.updates import Update


def left_over(analysis: Analysis, update: Update) -> int | None:
    """The sum within a step that holds a gradient by which the parameter was moved before; None if there is none."""
    nodes, behind = analysis.tape.nodes, analysis.matcher.all_ancestors
    window = nodes[update.node].window
    for node in sorted(behind(update.change) & analysis.updates.keys(), reverse=True):
        recorded = nodes[node]
        called = recorded.window == window and recorded.shape == nodes[update.wrt].shape and says_gradient(recorded.names)
        if not called or not is_real(recorded):
            continue
        added = _added(analysis, node)
        if not added:
            continue
        before = analysis.updates[added[-1]].before
        kept = before in analysis.updates and nodes[before].site in {nodes[n].site for n in added}
        earlier = (before in behind(u.change) for u in _earlier(analysis, update))
        if kept and np.any(nodes[before].value) and any(earlier):
            return node
    return None


def never_set_back(analysis: Analysis, wrong: Iterable[Target]) -> Iterator[Finding]:
    """The faults of this kind, one for each wrong gradient that is right but for what it still holds."""
    for target in wrong:
        added = _added(analysis, target.node) if target.update is not None else []
        if not added or left_over(analysis, analysis.updates[target.update or 0]) != target.node:
            continue
        changes = [analysis.updates[node].change for node in added]
        own = [sum(np.asarray(values[c], dtype=float) for c in changes) for values in analysis.replays.values]
        match = identify(analysis, target.node, own, target.update or target.node, target.wrt)
        site = analysis.tape.nodes[target.node].site
        if match is not None and site is not None:
            rewrite = Overwrite(site.span) if len(added) == 1 else None
            feeds = (target.update or target.node,)
            yield Finding(Kind.ACCUMULATION, target.node, feeds, tuple(added), {target.node: match}, rewrite, site.span)


def _added(analysis: Analysis, node: int) -> list[int]:
    """What was added to a sum in its iteration, the last first; nothing if it began there, or was changed otherwise."""
    nodes, window = analysis.tape.nodes, analysis.tape.nodes[node].window
    found = []
    while nodes[node].window == window:
        step = analysis.updates.get(node)
        if step is None or step.sign < 0 or step.decays or step.part is not None or step.beside is not None:
            return []
        found.append(node)
        node = step.before
    return found if 0 <= nodes[node].window < window else []


def _earlier(analysis: Analysis, update: Update) -> Iterator[Update]:
    """The steps of the same parameter in earlier iterations."""
    first, window = analysis.matcher.variables.first, analysis.tape.nodes[update.node].window
    for other in analysis.updates.values():
        if analysis.tape.nodes[other.node].window < window and first(other.before) == first(update.before):
            yield other
