"""The losses behind backward passes of which only the start is written.

Comes in: a matcher that has run, on a program whose loss is not known.  Goes out: the tape with a loss for each backward
pass: one that the field knows, if its gradient is what the pass starts from; else ⟨start, output⟩, which stands for
every loss with that gradient, so that what follows can be judged though the start cannot.

Invariants: several starts of one step are parts of one loss, and none goes up it: a sign that is wrong is not explained by
a loss that nobody has.  A start that belongs to no known loss is data here, drawn anew in replays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from msgspec import Struct

from tracer.matching.losses.gradient_fits import common_factor, slopes
from tracer.matching.losses.known import Guess, Guesses
from tracer.matching.losses.names import called
from tracer.matching.losses.starts import Start, Starts
from tracer.matching.losses.written import INFERRED, How, Inferred, TapeWriter, held
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape

#: What a term of a loss may be multiplied by without a name.
_PLAIN = (1.0, 2.0, 0.5, 3.0, 4.0, 0.25, 1 / 3)
_SAME = 1e-4


class _Fit(Struct, frozen=True):
    """A loss whose gradient is the start of a backward pass, up to a factor on every replay.

    Attributes:
        guesses: the loss of every value of the start.
        down: whether the steps go down it.
    """

    start: Start
    guesses: tuple[Guess, ...]
    factors: tuple[float, ...]
    down: bool

    @property
    def says(self) -> str:
        return self.guesses[0].says


def begun_losses(matcher: Matcher) -> Iterator[Inferred]:
    """The tape with the losses behind its backward passes: the known ones; then what stands for those that are not known."""
    search = Starts(matcher)
    found = search.found()
    variables = matcher.variables
    behind = frozenset().union(*(matcher.all_ancestors(r.node) for r in matcher.roots if r.named))
    judged = {variables.first(n) for n in behind & variables.versions}  # a loss that is there and does not fit stays
    steps = {u: variables.first(matcher.updates[u].before) for s in found for u in s.factors}
    starts = [s for s in found if judged.isdisjoint(steps[u] for u in s.factors)]
    if not starts:
        return
    together = list(_together(starts))
    terms = [_terms(matcher, search, group) for group in together]
    for known in (terms, [None] * len(terms)) if any(terms) else (terms,):
        told = [(g, k) for g, k in ((_able(matcher, g, k), k) for g, k in zip(together, known, strict=True)) if g]
        if told:
            yield _written(matcher, search, *zip(*told, strict=True))


def _able(matcher: Matcher, group: list[Start], known: object) -> list[Start]:
    """The starts of a group, if they may stand for gradients: of no known loss only several, or one that data go into.

    Else a value of the forward pass, which someone propagated by mistake, would be one.
    """
    several = len(group) > 1
    return group if known or several or all(map(partial(_compares, matcher), group[0].values, group[0].outputs)) else []


def _compares(matcher: Matcher, value: int, output: int) -> bool:
    """Whether a value rests on data or labels that its output does not rest on; else it is one of the forward pass."""
    nodes = matcher.graph.tape.nodes
    own = matcher.all_ancestors(value) - matcher.all_ancestors(output) - matcher.variables.parameters
    return any(nodes[n].kind in (Kind.LEAF, Kind.RANDOM) and nodes[n].shape for n in own | {value})


def _together(starts: Sequence[Start]) -> Iterator[list[Start]]:
    """The starts that steps are made of together, each with one before it that it shares a step with."""
    left = list(starts)
    while left:
        group, steps = [left.pop(0)], set[int]()
        while True:
            steps.update(*(s.factors for s in group))
            more = next((s for s in left if not steps.isdisjoint(s.factors)), None)
            if more is None:
                break
            left.remove(more)
            group.append(more)
        yield group


# Which known loss it is.


def _terms(matcher: Matcher, search: Starts, group: list[Start]) -> list[tuple[_Fit, int | float]] | None:
    """The known loss that each start of a group belongs to, with its weight; None if one belongs to none."""
    able = [list(_fits(matcher, search, start)) for start in group]
    if not all(able):
        return None
    likelihood = next((f for f in able[0] if f.guesses[0].company == "shared" and f.down), None)
    if likelihood is not None and len(group) > 1 and all(any(f.says == likelihood.says for f in fits) for fits in able):
        return [(likelihood, 1.0)]
    chosen: list[_Fit] = []
    for at, fits in enumerate(able):
        others = [f for k, found in enumerate(able) if k != at for f in found]
        down = (f for f in fits if f.down and _has_company(f, others))
        fit = next(down, None) or next((f for f in fits if f.guesses[0].company == "any"), None)
        if fit is None:
            return None
        chosen.append(fit)
    if len(group) > 1 and len({f.says for f in chosen}) == 1 and chosen[0].guesses[0].number:
        return None  # nobody wants the same answer for everything
    weights: list[int | float] = [1.0]
    for at in range(1, len(group)):
        weight = _weight(matcher, chosen, at, weights)
        if weight is None:
            return None
        weights.append(weight)
    return list(zip(chosen, weights, strict=True))


def _has_company(fit: _Fit, others: Sequence[_Fit]) -> bool:
    """Whether what a loss is a part of is there."""
    says = {o.says for o in others if o.down}
    match fit.guesses[0].company:
        case "alone":
            return not others
        case "shared":
            return False
        case "target":
            return any(s.startswith("half the squares of the distance to") and s != fit.says for s in says)
        case "kl":
            half = fit.says.startswith("half")
            return any(o.guesses[0].company == "kl" and o.down and o.says.startswith("half") != half for o in others)
    return True


def _fits(matcher: Matcher, search: Starts, start: Start) -> Iterator[_Fit]:
    """The known losses whose gradient by the outputs is a multiple of the start, or of what it could be as well."""
    for same in search.alike(start):
        yield from _fits_of(matcher, search, same)


def _fits_of(matcher: Matcher, search: Starts, start: Start) -> Iterator[_Fit]:
    pairs = list(zip(start.values, start.outputs, strict=True))
    every = [_by_name(Guesses(matcher, v, o).all()) for v, o in pairs]
    way = sum(1 if f > 0 else -1 for f in start.factors.values())
    for name in every[0]:
        guesses = tuple(by[name] for by in every if name in by)
        if len(guesses) < len(pairs):
            continue
        found = [f for (v, o), g in zip(pairs, guesses, strict=True) if (f := slopes(matcher, v, o, g.write)) is not None]
        if len(found) < len(pairs):
            continue
        factors = [common_factor([f[r] for f in found]) for r in range(len(matcher.replays.values))]
        known = tuple(f for f in factors if f is not None)
        if len(known) < len(factors) or any(f * known[0] < 0 for f in known):
            continue
        single = sum(np.size(matcher.replays.values[0][o]) for o in start.outputs) < 2
        if single and not any(np.allclose(np.abs(known), plain, rtol=_SAME, atol=0) for plain in _PLAIN):
            continue  # a number is a multiple of any other one
        yield _Fit(start, guesses, known, way * known[0] < 0)


def _by_name(guesses: Iterator[Guess]) -> dict[tuple[str, int], Guess]:
    found: dict[tuple[str, int], Guess] = {}
    count: dict[str, int] = defaultdict(int)
    for guess in guesses:
        found[guess.says, count[guess.says]] = guess
        count[guess.says] += 1
    return found


def _weight(
    matcher: Matcher, chosen: Sequence[_Fit], at: int, weights: Sequence[int | float]
) -> int | float | None:
    """What a term of a loss is multiplied by beside those before it: a plain number, or a setting of the program."""
    for other in range(at):
        shared = sorted(chosen[at].start.factors.keys() & chosen[other].start.factors.keys())
        if not shared:
            continue
        steps = abs(chosen[at].start.factors[shared[0]] / chosen[other].start.factors[shared[0]])
        ratio = [steps * abs(a / b) for a, b in zip(chosen[at].factors, chosen[other].factors, strict=True)]
        before = weights[other]
        if isinstance(before, int):
            ratio = [x * abs(float(v)) for x, v in zip(ratio, matcher.replays.of(before), strict=True)]
        else:
            ratio = [x * before for x in ratio]
        return _named(matcher, chosen[at].start, ratio)
    return None


def _named(matcher: Matcher, start: Start, ratio: Sequence[float]) -> int | float | None:
    for plain in _PLAIN:
        if np.allclose(ratio, plain, rtol=_SAME, atol=0):
            return plain
    nodes = matcher.graph.tape.nodes
    for node in sorted(matcher.all_ancestors(start.values[0])):
        if nodes[node].shape == () and nodes[node].kind in (Kind.LEAF, Kind.LITERAL):
            values = [float(v) for v in matcher.replays.of(node)] if nodes[node].dtype.startswith(("float", "int")) else []
            if values and np.allclose(ratio, values, rtol=_SAME, atol=0):
                return node
    return None


# How it is written.


def _written(
    matcher: Matcher,
    search: Starts,
    together: Sequence[list[Start]],
    terms: Sequence[list[tuple[_Fit, int | float]] | None],
) -> Inferred:
    tape = matcher.graph.tape
    together = [g if found else [search.passed_on(s) for s in g] for g, found in zip(together, terms, strict=True)]
    unknown = [v for group, found in zip(together, terms, strict=True) if not found for s in group for v in s.values]
    behind = frozenset().union(*map(matcher.all_ancestors, unknown)) - set(unknown)
    nodes = _with_data(search, tape, unknown)
    losses = {r.node: r.node for r in matcher.roots if r.named}
    reach: dict[int, frozenset[int]] = {}
    told: dict[str, None] = {}
    for group, found in zip(together, terms, strict=True):
        writer = TapeWriter(Tape(nodes), nodes[group[0].values[0]])
        if found:
            root = _sum(writer, [(w, [g.write for g in fit.guesses]) for fit, w in found])
            writer.nodes[root].names.append(INFERRED)
            told[_said([fit for fit, _ in found])] = None
        else:
            root = _products(writer, search, group)
            name = " + ".join(dict.fromkeys(f"⟨{called(nodes[s.values[0]])}, {called(nodes[s.outputs[0]])}⟩" for s in group))
            writer.nodes[root].names.append(name)
            told[name] = None
            reach[root] = search.homogeneous(tuple(sorted({v for s in group for v in s.values})))
        losses[root] = max(v for s in group for v in s.values)
        nodes = writer.nodes
    made = tape.with_nodes(nodes)
    how: How = "begun" if unknown else "fits"
    return Inferred(made, losses, "; ".join(told), how, reach=reach, starts=frozenset(unknown), behind=behind)


def _said(terms: Sequence[_Fit]) -> str:
    """The loss in words."""
    if any(fit.guesses[0].company == "kl" for fit in terms):
        others = dict.fromkeys(fit.says for fit in terms if fit.guesses[0].company != "kl")
        return " + ".join([*others, "the divergence of a normal distribution from the standard one"])
    return " + ".join(dict.fromkeys(fit.says for fit in terms))


def _sum(writer: TapeWriter, terms: Sequence[tuple[int | float, list[Callable[[TapeWriter], Ref]]]]) -> int:
    """Adds up losses, each with its weight, over all samples and all entries."""
    whole: Ref | None = None
    for weight, written in terms:
        term: Ref | None = None
        for write in written:
            entries = write(writer)
            if writer.nodes[entries.node].shape != ():
                entries = writer.add("sum", entries, axis=None, keepdims=False)
            term = entries if term is None else writer.add("add", term, entries)
        assert term is not None
        if weight != 1.0:
            term = writer.add("multiply", Ref(weight) if isinstance(weight, int) else writer.number(weight), term)
        whole = term if whole is None else writer.add("add", whole, term)
    assert whole is not None
    return whole.node


def _products(writer: TapeWriter, search: Starts, group: Sequence[Start]) -> int:
    """Σ start ⊙ output, with the sign with which the steps go down it."""
    whole: Ref | None = None
    for start in group:
        shared = start.factors.keys() & group[0].factors.keys()
        weight = next((start.factors[s] / abs(group[0].factors[s]) for s in sorted(shared)), 1.0)
        way = 1 if sum(1 if f > 0 else -1 for f in start.factors.values()) > 0 else -1
        for value, output in zip(start.values, start.outputs, strict=True):
            given: Ref = Ref(search.equal(value)[0])
            shape = writer.nodes[output].shape
            if writer.nodes[value].shape != shape:
                given = writer.add("reshape", given, shape=shape)
            term = writer.add("multiply", given, Ref(output))
            if shape != ():
                term = writer.add("sum", term, axis=None, keepdims=False)
            if way > 0:
                term = writer.add("negative", term)
            if not np.isclose(abs(weight), 1.0, rtol=_SAME, atol=0):
                term = writer.add("multiply", writer.number(abs(weight)), term)
            whole = term if whole is None else writer.add("add", whole, term)
    assert whole is not None
    return whole.node


def _with_data(search: Starts, tape: Tape, starts: Sequence[int]) -> list[Node]:
    """The nodes of a tape, with the starts of backward passes as data; what computes one again is a copy of it."""
    nodes = list(tape.nodes)
    for value in starts:
        held(nodes, search.equal(value), Kind.LEAF)
    return nodes
