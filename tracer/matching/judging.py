"""Whether an update takes a step along the gradient of its own parameter.

Comes in: a matcher that has run.  Goes out: the updates that can be judged, and whether each is right.
"""

from __future__ import annotations

from tracer.gradients.adjoints import is_real
from tracer.matching.candidates import Match, Sort
from tracer.matching.matcher import Matcher
from tracer.matching.updates import Update

#: Factors further fetched than this do not count as named.
_MOST_SCALE_RANK = 6


def judged_updates(matcher: Matcher) -> list[Update]:
    """The updates that can be judged: their old version is a parameter of a root computed before them.

    A loss may also be computed after the step, from what the forward pass left.  Of complex parameters none is judged:
    their gradient goes by two conventions.
    """
    judged = []
    nodes = matcher.graph.tape.nodes
    for update in matcher.updates.values():
        if not is_real(nodes[update.wrt]):
            continue
        before = [r for r in matcher.roots if matcher.position(r.node) < update.node]
        roots = [r.node for r in before if r.named] or [r.node for r in before]
        roots += [r.node for r in matcher.roots if nodes[r.node].window == nodes[update.node].window]
        if any(update.wrt in matcher.adjoints[r][0].full for r in roots):
            judged.append(update)
    return judged


def is_right(matcher: Matcher, update: Update) -> bool:
    """Whether what an update adds is a named multiple of the gradient by its old version."""
    return any(fits(m, update) for m in matcher.matches.get(update.change, ()))


def fits(match: Match, update: Update) -> bool:
    """Whether a match is the full gradient by the version of the parameter that is updated, or is cut on purpose."""
    candidate = match.candidate
    return (
        candidate.sort in (Sort.FULL, Sort.TRUNCATED)
        and candidate.wrt == update.wrt
        and not candidate.transposed
        and match.scale.rank <= _MOST_SCALE_RANK
    )


def some_are_wrong(matcher: Matcher) -> bool:
    """Whether some update that can be judged is no multiple of a gradient."""
    return any(not is_right(matcher, u) for u in judged_updates(matcher))


def explained(matcher: Matcher) -> int:
    """How many updates are a multiple of a gradient."""
    return sum(is_right(matcher, u) for u in judged_updates(matcher))
