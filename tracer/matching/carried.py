"""Which new versions of variables are carried on from one iteration to the next.

Comes in: a tape, and what looks like the updates of its parameters.  Goes out: those that are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tracer.matching.same_variable import is_old_version
from tracer.matching.updates import Update, first_versions
from tracer.tape.node import Kind, Site
from tracer.tape.tape import Tape


def carried_on(tape: Tape, updates: dict[int, Update]) -> dict[int, Update]:
    """Without what only begins with a parameter, which itself moves on later, or with what does not move on at all.

    So do a sum (``s = bias`` and ``s += w * x``) and a look ahead (``ahead = W + mu * v``); a network that begins
    with the data under a name of its own (``h = X`` and ``h = h + layer(h)``); and what is set back to 0, as the sums
    of gradients are.
    """
    last = {(u.before, u.part): u.node for u in updates.values()}
    ending, set_back = _ending(tape, updates), _set_back(tape, updates)
    kept: dict[int, Update] = {}
    for node, update in updates.items():
        begun = last[update.before, update.part] != node and tape.nodes[node].kind is not Kind.MUTATION
        if begun or node in set_back or tape.nodes[node].site in ending:
            continue
        start = tape.nodes[update.before]
        if is_old_version(tape, start.id, kept) or (update.written is not None and start.kind is Kind.VIEW):
            kept[node] = update
    return kept


def _ending(tape: Tape, updates: Mapping[int, Update]) -> set[Site | None]:
    """Where something gets new versions within an iteration only: ``h = h + dt * f(h)``.

    No later iteration of the loop reads them, if it is a plain variable, or later ones read what it began with.
    """
    versions: dict[tuple[int, int], list[int]] = {}
    for node, first_version in first_versions(updates).items():
        versions.setdefault((first_version, tape.nodes[node].window), []).append(node)
    ending, going_on = set[Site | None](), set[Site | None]()
    for (start, window), nodes in versions.items():
        loop = tape.windows[window].loop_line
        later = {at for at, w in enumerate(tape.windows) if at > window and w.loop_line == loop}
        if not later:
            continue
        read = any(tape.nodes[user].window in later for node in nodes for user in tape.users(node))
        first = tape.nodes[nodes[0]]
        plain = all(name.isidentifier() for name in first.names) and not read
        ends = first.kind is not Kind.MUTATION and (plain or _comes_back(tape, start, window, later))
        (ending if ends else going_on).update(tape.nodes[n].site for n in nodes)
    return ending - going_on


def _set_back(tape: Tape, updates: Mapping[int, Update]) -> set[int]:
    """The steps that add up what begins every iteration with 0, which nothing else reads: ``total *= 0`` at the end."""
    made: dict[int, list[Update]] = {}
    for node, first_version in first_versions(updates).items():
        made.setdefault(first_version, []).append(updates[node])
    found: set[int] = set()
    for steps in made.values():
        own = {u.node for u in steps}
        windows = {tape.nodes[u.node].window: u for u in reversed(steps)}
        first = [tape.nodes[u.before] for u in windows.values()]
        known = len(first) > 1 and all(n.value is not None and not np.any(n.value) for n in first)
        if known and all(user in own or tape.nodes[user].kind is Kind.MUTATION for n in first for user in tape.users(n.id)):
            found |= own
    return found


def _comes_back(tape: Tape, leaf: int, window: int, later: set[int]) -> bool:
    """Whether all that read a value in one iteration read it again in a later one, as it was."""
    if tape.nodes[leaf].kind is not Kind.LEAF:
        return False
    users = [tape.nodes[user] for user in tape.users(leaf)]
    return {u.site for u in users if u.window == window} <= {u.site for u in users if u.window in later}
