"""The factors that a value may have to carry: those of the gradients before it, counts, settings, two and a half.

Comes in: the backward pass behind wrong gradients.  Goes out: factors, one number a replay, those that are written
with their text.
"""

from __future__ import annotations

from tracer.diagnosis.backward_pass import BackwardPass
from tracer.diagnosis.target import alike, is_gradient
from tracer.matching.analysis import Analysis
from tracer.matching.scale import name_scale, plain_number

#: How many of the values before another one are asked for the factor that they carry, and how many scalars are tried.
_MOST_BEFORE, _MOST_SCALARS = 12, 12

Factors = tuple[float, ...]


def carried(around: BackwardPass, nodes: tuple[int, ...]) -> list[Factors]:
    """The factors that a value may carry: 1, and those of the gradients that it was computed from."""
    ones = (1.0,) * len(around.analysis.replays.values)
    found = [ones]
    for node in nodes[:1]:
        for factors in (*_before(around, node), tuple(-1.0 for _ in ones)):
            _add(found, factors)
    for target in around.targets:
        if target.wanted is not None:
            _add(found, target.wanted)
    return found


def _before(around: BackwardPass, node: int) -> list[Factors]:
    """The factors of the nearest gradients that a value was computed from."""
    found: list[Factors] = []
    todo = list(around.operands(node))
    seen: set[int] = set()
    while todo and len(seen) < _MOST_BEFORE:
        operand = todo.pop()
        if operand in seen:
            continue
        seen.add(operand)
        # An error may be a value of the forward pass and a gradient, ``d = out - Y``.
        match = next(filter(is_gradient, around.analysis.matcher.matches.get(operand, ())), None)
        if match is not None:
            factors = around.factors(match)
            if factors is not None:
                found.append(factors)
        elif operand in around.behind:
            todo += around.operands(operand)
    return found


def _add(found: list[Factors], factors: Factors) -> None:
    if not any(alike(factors, f) for f in found):
        found.append(factors)


def odd_factors(around: BackwardPass) -> list[tuple[str, Factors]]:
    """What a value may have to be multiplied by, in words and on each replay.

    First what sets wrong gradients apart from the others; then counts, settings, two and a half.
    """
    found = _that_set_apart(around)
    replays = len(around.analysis.replays.values)
    usual = [("2", (2.0,) * replays), ("1 / 2", (0.5,) * replays)]
    for root in around.roots[:1]:
        for scalar in around.analysis.matcher.scalars(around.targets[0].node, root)[:_MOST_SCALARS]:
            if all(v not in (0.0, 1.0) for v in scalar.values):
                usual.append((scalar.text, scalar.values))
                usual.append((f"1 / {scalar.text}", tuple(1 / v for v in scalar.values)))
    return found + [(t, f) for t, f in usual if not any(alike(f, other) for _, other in found)]


def _that_set_apart(around: BackwardPass) -> list[tuple[str, Factors]]:
    """The factors that wrong gradients lack beside the others, as far as the program can write them."""
    found: list[tuple[str, Factors]] = []
    for target in around.targets:
        if target.wanted is None or target.factors is None:
            continue
        ratio = tuple(w / f for w, f in zip(target.wanted, target.factors, strict=True))
        if any(alike(ratio, other) for _, other in found):
            continue
        scalars = around.analysis.matcher.scalars(target.node, target.roots[0])
        named = name_scale(ratio, scalars, frozenset()) or plain_number(ratio)
        text = _code_of(around.analysis, ratio, target.roots[0]) or (None if named is None else named.text)
        if text is not None:
            found.append((text, ratio))
    return found


def _code_of(analysis: Analysis, factors: Factors, root: int) -> str | None:
    """How the forward pass writes a factor that it computes from settings, such as ``np.sqrt(d)``, or one over it."""
    for node in sorted(analysis.matcher.all_ancestors(root)):
        made = analysis.tape.nodes[node]
        settled = made.shape == () and made.op in ("sqrt", "power") and node not in analysis.matcher.live
        if not settled or made.site is None or made.names or not made.site.text.isprintable():
            continue
        values = [float(v) for v in analysis.replays.of(node)]
        if all(values) and alike(factors, values):
            return made.site.text
        if all(values) and alike(factors, [1 / v for v in values]):
            return f"1 / {made.site.text}"
    return None
