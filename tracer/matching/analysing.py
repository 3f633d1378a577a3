"""A tape read whole: the loss that its steps go down, what every node is, and how well that is known.

Comes in: a tape.  Goes out: an `Analysis`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from msgspec.structs import replace

from tracer.matching.analysis import Analysis, matched
from tracer.matching.candidates import Match, Sort
from tracer.matching.clock import Clock
from tracer.matching.entries import with_entries
from tracer.matching.initial import (
    with_double_precision,
    with_equal_settings,
    with_initial_leaves,
    with_whole_views,
)
from tracer.matching.judging import explained, some_are_wrong
from tracer.matching.losses.choosing import with_its_loss
from tracer.matching.replays import has_indicators
from tracer.matching.severed import with_links
from tracer.matching.truncation import recognise_truncated
from tracer.tape.tape import Tape

#: Of more occurrences of one part of an expression only the first and the last are proved.
_MOST_OCCURRENCES = 16


def analyse(tape: Tape, loss: str | None = None, clock: Clock | None = None) -> Analysis:
    """Find out what every node of a tape is, and prove it.

    Arguments:
        loss: the name of the loss, if the user gave one.
        clock: the time that may be taken.
    """
    analysis = identified(tape, loss, clock)
    _prove_what_is_shown(analysis)
    return analysis


def identified(tape: Tape, loss: str | None = None, clock: Clock | None = None) -> Analysis:
    """Find out what every node of a tape is, in numbers; nothing is proved before it is asked for."""
    clock = clock or Clock()
    tape = with_entries(with_double_precision(with_equal_settings(with_initial_leaves(with_whole_views(with_links(tape))))))
    analysis = with_its_loss(matched(tape, loss), loss, clock)
    if analysis.inferred is None and some_are_wrong(analysis.matcher) and has_indicators(tape):
        # Some identities need zeros and ones to be such: seen * seen == seen.
        exact = matched(tape, loss, exactly=True, graph=analysis.graph if analysis.tape is tape else None)
        if explained(exact.matcher) > explained(analysis.matcher):
            analysis = exact
    if some_are_wrong(analysis.matcher):
        recognise_truncated(analysis.matcher)
    analysis.prover.clock = clock
    return analysis


def _prove_what_is_shown(analysis: Analysis) -> None:
    """Prove what the nodes of the explained iterations are, in their order; of equal matches the proved one is first."""
    with np.errstate(all="ignore"):
        shown, forward = analysis.tape.last_windows(), analysis.matcher.forward
        nodes = [
            n
            for n in sorted(analysis.matcher.matches)
            if analysis.tape.nodes[n].window in shown and n not in forward  # a loss is told to be one
        ]
        for node in _without_repeats(analysis.tape, nodes):
            matches = analysis.matcher.matches[node]
            if matches[0].candidate.sort not in (Sort.FULL, Sort.PATH, Sort.LOCAL):
                continue
            if not analysis.proof(matches[0]).proved:
                same = [m for m in matches[1:] if _is_said_alike(analysis, m, matches[0])]
                proved = (m for m in same if analysis.proof(m).proved)
                better = next((m for m in proved if analysis.verify(m).verdict == "proved"), None)
                if better is not None:
                    matches.remove(better)
                    matches.insert(0, better)


def _without_repeats(tape: Tape, nodes: list[int]) -> list[int]:
    """The nodes, without those in the middle of very many that one part of an expression was, one after the other.

    What is shown of a part is its last occurrence.  What has a name is the gradient that later steps rest on.
    """
    places: dict[Any, list[int]] = defaultdict(list)
    for node in nodes:
        places[tape.nodes[node].site, tape.nodes[node].op].append(node)
    left_out: set[int] = set()
    for same in places.values():
        if len(same) > _MOST_OCCURRENCES:
            left_out.update(n for n in same[_MOST_OCCURRENCES // 2 : -_MOST_OCCURRENCES // 2] if not tape.nodes[n].names)
    return [n for n in nodes if n not in left_out]


def _is_said_alike(analysis: Analysis, match: Match, best: Match) -> bool:
    """Whether another identity says the same to the reader: by another factor, or another version of the variable."""
    if match.candidate == best.candidate:
        return bool(best.scale.scale.symbols)
    nodes = analysis.tape.nodes
    names = nodes[best.candidate.wrt].names[:1]
    same = replace(match.candidate, wrt=best.candidate.wrt) == best.candidate
    return (
        same and bool(names) and nodes[match.candidate.wrt].names[:1] == names and match.scale == best.scale
    )


