"""Which occurrences of one expression are the same thing: a line in a loop over layers is a gradient by each of them.

Comes in: a piece of source with all nodes that it stood for.  Goes out: those nodes in groups, one for each thing
that the piece was.  Invariant: what is not known beside what is known is told only if it matters, that is if
something is computed from it and no fault that is told elsewhere explains it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable

from tracer.explanation.building.fault_parts import FaultTeller
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.matching.candidates import Sort

#: How many different things one expression may be said to be.
_MOST_IDENTITIES = 6
_UNKNOWN = "unknown"
_MEANT = "meant"
_CUT = "cut in time"


def told_apart(
    piece: Piece, reading: Reading, faults: FaultTeller, unknown_steps: Collection[int]
) -> list[list[int]]:
    """The nodes of a piece, in groups of what is the same thing.

    Arguments:
        unknown_steps: steps by single entries that are along no gradient.
    """
    groups: dict[Hashable, list[int]] = {}
    for node in piece.nodes:
        groups.setdefault(_identity(reading, faults, node), []).append(node)
    steps = [n for n in piece.nodes if n in unknown_steps and n not in faults.meant]
    if steps and _MEANT not in groups:
        groups = {_UNKNOWN: steps}  # a line that is right for some entries is not right
    _join_zeros(groups, reading.analysis.matcher.zeros)
    if _CUT in groups:  # what it is before the last step is added is not asked for
        groups = {_CUT: groups[_CUT]}
    if (read := [n for n in groups.get(_UNKNOWN, ()) if _is_read(reading, n)]):
        groups[_UNKNOWN] = read
    elif len(groups) > 1:
        groups.pop(_UNKNOWN, None)  # what the last step of a loop leaves behind is no gradient
    if len(groups) > 1 and faults.reach(groups.get(_UNKNOWN, ())):
        groups.pop(_UNKNOWN, None)  # a function that the fault's call runs wrongly, and other calls rightly
    return list(groups.values())[-_MOST_IDENTITIES:]


def _is_read(reading: Reading, node: int) -> bool:
    return bool(reading.analysis.tape.users(node))


def _identity(reading: Reading, faults: FaultTeller, node: int) -> Hashable:
    """What tells the occurrences of one expression apart."""
    matcher = reading.analysis.matcher
    match = matcher.best(node)
    if reading.node(node).window < 0:
        return None
    update = reading.analysis.updates.get(node)
    if update is not None and update.written is not None:
        return "update", reading.named_as(update.wrt)[0]
    if node in faults.meant:
        return _MEANT  # not what the same line computes at another layer, where it may go nowhere
    if match is None:
        return None if node in matcher.forward else _UNKNOWN
    candidate = match.candidate
    if candidate.sort is Sort.TRUNCATED:
        return _CUT
    if candidate.sort not in (Sort.LOCAL, Sort.FULL):
        return None
    is_entry = candidate.wrt in matcher.entries
    called = reading.named_as(candidate.wrt)[:1] if is_entry else reading.node(candidate.wrt).names[:1]
    return candidate.sort, tuple(called) or candidate.wrt, match.scale.text


def _join_zeros(groups: dict[Hashable, list[int]], zeros: Collection[int]) -> None:
    """Let occurrences that are 0 be what the same expression is elsewhere: the same gradient, and any factor of it."""
    for key, nodes in list(groups.items()):
        if isinstance(key, tuple) and len(key) == 3 and all(n in zeros for n in nodes):
            other = next((k for k in groups if k != key and isinstance(k, tuple) and k[:2] == key[:2]), None)
            if other is not None:
                groups[other] = [*groups.pop(key), *groups[other]]
