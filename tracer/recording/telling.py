"""How much of a training loop an iteration shows: a sentence of one word hides what a recurrent net hands on.

In: a loop, and the windows of a tape.  Out: what each iteration shows of the statements that make gradients and updates,
and of the loops inside; and the iteration that shows most, the earliest of several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracer.program.loops import Loop, Stretch, loops_inside, steps_inside
from tracer.program.program import Program
from tracer.tape.node import Node, Site
from tracer.tape.tape import Tape

_KINDS = ("again", "ran", "not zero")
#: So many iterations after the first one are looked at.
LOOKED_AT = 6
#: Longer iterations are not looked through.
_LONGEST = 8000


@dataclass(frozen=True)
class Fact:
    """Something that an iteration shows.

    Attributes:
        kind: one of `_KINDS`: a loop went round, a statement ran, or what it gave to ``name`` is not zero.
        stretch: the statement or loop.
    """

    kind: str
    stretch: Stretch
    name: str = ""


@dataclass(frozen=True)
class Watched:
    """What is looked for in the iterations of one loop: statements that make gradients or updates, and inner loops."""

    steps: tuple[Stretch, ...]
    loops: tuple[Stretch, ...]


def watched(loop: Loop, program: Program, own: Sequence[Program]) -> Watched:
    return Watched(steps_inside(loop, program, own), loops_inside(loop, program, own))


def shown(tape: Tape, window: int, what: Watched, program: Program) -> tuple[set[Fact], bool]:
    """What a window shows, and whether an iteration might show more."""
    nodes = [n for n in tape.nodes if n.window == window and n.site is not None]
    sites = Counter((n.site, n.calls) for n in nodes)
    facts: set[Fact] = set()
    for stretch in what.steps:
        if any(_holds(stretch, site, program) for site, _ in sites if site is not None):
            facts.add(Fact("ran", stretch))
    for stretch in what.loops:
        if any(n > 1 and site is not None and _holds(stretch, site, program) for (site, _), n in sites.items()):
            facts.add(Fact("again", stretch))
    zero = False
    for binding in tape.bindings:
        node = tape.nodes[binding.node]
        stretch_of = _among(what.steps, binding.site, program) if node.window == window else None
        if stretch_of is not None and node.dtype.startswith("float"):
            if _moves(node):
                facts.add(Fact("not zero", stretch_of, binding.name))
            else:
                zero = True
    wanted = len(what.steps) + len(what.loops)
    return facts, zero or sum(fact.kind != "not zero" for fact in facts) < wanted


def most_telling(tape: Tape, loop: Loop, what: Watched, first: int, program: Program) -> tuple[int, Fact | None]:
    """The iteration from ``first`` on that shows most, and something of it that ``first`` does not show."""
    found = {
        window.iteration: shown(tape, at, what, program)[0]
        for at, window in enumerate(tape.windows)
        if window.loop_line == loop.line and window.iteration >= first
    }
    if first not in found:
        return first, None
    best = min(found, key=lambda k: (-len(found[k]), k))
    more = sorted(found[best] - found[first], key=lambda fact: (_KINDS.index(fact.kind), fact.stretch.span, fact.name))
    return (best, more[0]) if more and len(found[best]) > len(found[first]) else (first, None)


def is_short(tape: Tape) -> bool:
    return all(window.stop - window.start <= _LONGEST for window in tape.windows)


def _among(stretches: Sequence[Stretch], site: Site, program: Program) -> Stretch | None:
    return next((stretch for stretch in stretches if _holds(stretch, site, program)), None)


def _holds(stretch: Stretch, site: Site, program: Program) -> bool:
    """Whether something that was recorded stands in a piece of code; what has no path stands in ``program``."""
    return stretch.holds(site.path or program.path, site.span)


def _moves(node: Node) -> bool:
    value = node.value
    return value is None or bool(np.size(value) and np.any(np.asarray(value) != 0))
