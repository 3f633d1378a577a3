"""An edit that mends gradients, as a `Finding`: what it spoiled, what that was meant to be, and where it stands.

Comes in: an edit and the targets that it mends.  Goes out: the finding.  Invariant: code that other calls run rightly
is not called wrong; the call is, from which it goes wrong.
"""

from __future__ import annotations

from tracer.diagnosis.finding import Finding
from tracer.diagnosis.identification import identify
from tracer.diagnosis.rewrites import BeforeTheFirst
from tracer.diagnosis.target import Target
from tracer.diagnosis.trials import Edit, Trials
from tracer.matching.candidates import Match
from tracer.tape.node import Node, Span


def as_finding(trials: Trials, edit: Edit, mended: tuple[Target, ...]) -> Finding:
    """The fault that an edit mends."""
    per_replay = [trials.values(edit, r) or {} for r in range(len(trials.analysis.replays.values))]
    by_node = {t.node: t for t in mended}
    # A loss may be computed after the step, of what was there before it.
    last = max(max(t.update or t.node, *map(trials.analysis.matcher.position, t.roots[:1])) for t in mended)
    meant: dict[int, Match] = {}
    for node in per_replay[0]:
        target = by_node.get(node)
        match = identify(
            trials.analysis,
            node,
            [changed[node] for changed in per_replay],
            last,
            target.wrt if target else None,
        )
        if match is not None:
            meant[node] = match
    return Finding(
        edit.kind,
        min(edit.nodes),
        tuple(dict.fromkeys(t.node if t.update is None else t.update for t in mended)),
        edit.nodes,
        meant,
        edit.text,
        _place(trials, edit),
    )


def _place(trials: Trials, edit: Edit) -> Span | None:
    """Where an edit stands; for code that other calls run rightly, the call from which it goes wrong."""
    if edit.text is None:
        return None
    span: Span = edit.text.span
    first = trials.node(min(edit.nodes))
    chain = _chain(first)
    if span not in chain or isinstance(edit.text, BeforeTheFirst):  # the other turns of its loop are right
        return span
    # What is computed and then not used says nothing.
    ancestors = trials.analysis.matcher.all_ancestors
    used = trials.analysis.matcher.forward.union(*(ancestors(t.node) for t in (*trials.targets, *trials.right)))
    end = trials.analysis.matcher.end  # a loss that is written behind it stands at the place that it was inferred from
    right = [
        _chain(n)
        for n in trials.analysis.tape.window_nodes()
        if n.window in trials.windows and n.id not in edit.nodes and n.op == first.op and n.site == first.site
        if n.id in used and n.id < end
    ]
    place = chain.index(span)
    while place > 0 and any(chain[place] in other for other in right):
        place -= 1
    return chain[place]


def _chain(node: Node) -> list[Span]:
    """The calls that a node was computed in, outermost first, and its own place."""
    own = [] if node.site is None else [node.site.span]
    return [*(call.site.span for call in node.calls), *own]
