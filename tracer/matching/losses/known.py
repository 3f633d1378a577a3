"""Which of the losses that the field knows has a given value as its gradient by an output.

Comes in: an output, the value that a backward pass starts from, and what that was computed from.  Goes out: guesses, each
of which can write its loss behind the end of a tape.  What a loss is made of beside the output (targets, labels,
settings) is taken from what the start was computed from.  Invariant: a guess is only a guess; `begun` keeps those whose
gradient is the start, in numbers.  There is no loss here that could be made to fit any start: each has a name and a
place where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import is_real
from tracer.matching.losses.written import TapeWriter
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import references

#: How many targets and settings are tried for one loss.
_MOST = 8

_Write = Callable[[TapeWriter], Ref]
#: What a loss needs beside it before it is believed: nothing; the other half of what it is a part of; that it is alone.
Company = Literal["any", "kl", "opposite", "target", "alone", "shared"]


#: What cuts values off at a bound, or compares them with it.
_CUTTING = frozenset(
    "clip minimum maximum fmin fmax where less less_equal greater greater_equal min max".split()
)


class Guess(Struct, frozen=True):
    """A loss that may be meant.

    Attributes:
        says: the loss in words; the same for all samples.
        write: writes its entries, or the loss itself, behind the end of a tape.
        company: what must be trained on with it.
        number: whether the target is a number that is written, the same for every sample.
    """

    says: str
    write: _Write
    company: Company = "any"
    number: bool = False


@dataclass
class Guesses:
    """The losses that an output and the start of a backward pass may belong to."""

    matcher: Matcher
    trained: set[int]
    value: int
    output: int

    def all(self) -> Iterator[Guess]:
        """The guesses, the plainest first."""
        yield from self._of_probabilities()
        yield from self._of_classes()
        yield from self._of_errors()
        yield from self._of_margins()
        yield from self._of_counts()
        yield from self._of_constants()
        yield from self._of_codes()
        yield from self._of_likelihoods()

    # What the start was computed from.

    def node(self, node: int) -> Node:
        return self.matcher.graph.tape.nodes[node]

    def _values(self, node: int) -> list[Any]:
        return [np.asarray(v, dtype=float) for v in self.matcher.replays.of(node)]

    @cached_property
    def _behind(self) -> list[Node]:
        return [self.node(n) for n in sorted(self.matcher.all_ancestors(self.value), reverse=True)]

    @cached_property
    def _given(self) -> list[Node]:
        """What rests on no parameter: data, labels, settings."""
        return [n for n in self._behind if n.id not in self.trained and n.shape is not None]

    @cached_property
    def _targets(self) -> list[Node]:
        """The data in the shape of the output, the last made first."""
        shape = self.node(self.output).shape
        data = [n for n in self._given if n.shape == shape and n.kind is not Kind.LITERAL]
        return [n for n in data if n.dtype.startswith(("float", "int", "bool"))][:_MOST]

    @cached_property
    def _settings(self) -> list[Node]:
        """The single numbers, one for each name or value."""
        single = (n for n in self._given if n.shape == () and n.kind in (Kind.LEAF, Kind.LITERAL) and is_real(n))
        return list({(tuple(n.names), float(n.value)): n for n in single}.values())[:_MOST]

    def _function(self, of: Callable[[Any], Any]) -> Node | None:
        """What the program computed from the output by a function of every entry, or of every row."""
        shape, wanted = self.node(self.output).shape, [of(v) for v in self._values(self.output)]
        for node in self._behind:
            if node.shape == shape and node.id > self.output and is_real(node):
                pairs = zip(self._values(node.id), wanted, strict=True)
                if all(np.allclose(v, w, rtol=1e-9, atol=1e-300) for v, w in pairs):
                    return node
        return None

    # The losses.

    def _of_probabilities(self) -> Iterator[Guess]:
        """−t log p − (1 − t) log(1 − p), p the probability of one of two classes; t may be written as a number."""
        p = self._function(_sigmoid)
        if p is None:
            return
        for target in self._targets:
            if all(np.all((v >= 0) & (v <= 1)) for v in (np.asarray(target.value), *self._values(target.id))):
                yield Guess(f"binary cross-entropy with the target {called(target)}", _binary(p.id, target.id))
        smooth = {float(n.value) for n in self._given if n.kind is Kind.LITERAL and n.shape == () and 0 < n.value < 1}
        for number in (1.0, 0.0, *sorted(smooth)[:_MOST]):
            yield Guess(f"binary cross-entropy with the target {number:g}", _binary(p.id, number), number=True)
        yield Guess(f"the sum of log(1 - {called(p)})", _minus(_binary(p.id, 0.0)), "alone")
        yield Guess("the free energy -log(1 + exp(z))", _minus(_binary(p.id, 0.0)), "opposite")

    def _of_classes(self) -> Iterator[Guess]:
        """The cross-entropy of several classes, and the hinge loss of several classes; the labels are whole numbers."""
        shape = self.node(self.output).shape or ()
        if len(shape) < 1:
            return
        p = self._function(_softmax)
        places = [n.args[1] for n in self._behind if n.op in ("getitem", "setitem") and self._are_labels(n)]
        if p is not None:
            for target in self._targets:
                yield Guess(f"cross-entropy with the target {called(target)}", _cross_entropy(p.id, target.id))
            for place in places[:_MOST]:
                yield Guess("cross-entropy", _negative_log_at(p.id, place))
                for weight in self._weights(shape[0]):
                    says = f"cross-entropy weighted by {called(weight)}, which is held constant"
                    yield Guess(says, _weighted(_negative_log_at(p.id, place), weight))
        for place in places[:_MOST] if len(shape) == 2 else ():
            for gap in (1.0, *(n.id for n in self._settings)):
                yield Guess("the hinge loss of several classes", _class_hinge(self.output, place, shape[0], gap))

    def _weights(self, rows: int) -> list[Node]:
        """What may weight the rows: one number with a name for each; it may rest on parameters, as advantages do."""
        named = (n for n in self._behind if n.names and is_real(n) and n.shape and n.id != self.value)
        return [n for n in named if np.size(n.value) == rows == max(n.shape or (0,))][:_MOST]

    def _are_labels(self, node: Node) -> bool:
        read = self.node(node.args[0].node) if isinstance(node.args[0], Ref) else None
        place = node.args[1]
        same = read is not None and read.shape == self.node(self.output).shape
        return same and isinstance(place, tuple) and self.trained.isdisjoint(references(place)) and node.shape is not None

    def _of_errors(self) -> Iterator[Guess]:
        """Losses of r, the difference of an output and its target."""
        output = self.node(self.output)
        sides = self.matcher.graph.tape.operands(output.id)
        own = output.op == "subtract" and len(set(sides) & self.trained) == 1 and self.trained & set(sides)
        errors: list[Callable[[TapeWriter], Ref]] = [_itself(output.id)] if own else []
        errors += [_difference(output.id, t.id) for t in self._targets]
        for target in self._trained_targets():
            says = f"half the sum of squared errors, the target {called(target)} held constant"
            yield Guess(says, _half_squares(_from_held(output.id, target)))
        for error in errors:
            yield Guess("half the sum of squared errors", _half_squares(error))
            yield Guess("the sum of absolute errors", _of("absolute", error))
            yield Guess("the sum of log cosh of the errors", _log_cosh(error))
            yield Guess("the Cauchy loss ½ log(1 + r²)", _cauchy(error))
            for setting in self._settings:
                if self._is_a_bound(setting):  # a rate is none, though what it multiplies may be cut off
                    yield Guess(f"the Huber loss with {called(setting)}", _huber(error, setting.id))
                tilted = [(error, _minus(error)), (_minus(error), error)] if self._is_a_share(setting) else []
                for up, down in tilted:
                    for name, squared in (("quantile", False), ("expectile", True)):
                        yield Guess(f"the {name} loss with {called(setting)}", _tilted(up, down, setting.id, squared))
        for number in (1.0, -1.0):
            squares = _half_squares(_difference(output.id, number))
            yield Guess(f"half the squares of the distance to {number:g}", squares, number=True)
        to_nothing = _half_squares(_itself(output.id))
        yield Guess("half the squares of the distance to 0", to_nothing, "target")

    def _trained_targets(self) -> list[Node]:
        """What rests on parameters and is compared with the output: a value that was estimated, taken as a target."""
        same = self.matcher.graph.representative
        found = []
        for node in self._behind:
            sides = self.matcher.graph.tape.operands(node.id) if node.op == "subtract" else ()
            found += [k for k in sides if same(self.output) in map(same, sides) and same(k) != same(self.output)]
        return [self.node(k) for k in dict.fromkeys(found) if k in self.trained and self.node(k).names]

    def _is_a_share(self, setting: Node) -> bool:
        """Whether a setting and what is left of 1 are both read, or it is chosen by a condition: errors of two signs."""
        users = [self.node(user) for user in self.matcher.graph.tape.users(setting.id)]
        ones = (k for u in users if u.op in ("subtract", "add") for k in self.matcher.graph.tape.operands(u.id))
        rest = any(self.node(k).kind is Kind.LITERAL and abs(float(self.node(k).value)) == 1 for k in ones)
        return rest or any(u.op == "where" for u in users)

    def _is_a_bound(self, setting: Node) -> bool:
        """Whether something is cut off at a setting, or compared with it."""
        reached, todo = {setting.id}, [setting.id]
        while todo:
            for user in map(self.node, self.matcher.graph.tape.users(todo.pop())):
                if user.op in _CUTTING:
                    return True
                if user.op in ("negative", "multiply", "copy") and user.shape == () and user.id not in reached:
                    reached.add(user.id)
                    todo.append(user.id)
        return False

    def _of_margins(self) -> Iterator[Guess]:
        """Losses of a margin m: a score times its label of ±1, or the difference of two scores."""
        output = self.node(self.output)
        sides = self.matcher.graph.tape.operands(output.id)
        margins: list[Callable[[TapeWriter], Ref]] = [_product(output.id, t.id) for t in self._targets if self._is_a_sign(t)]
        if output.op == "multiply" and any(self._is_a_sign(self.node(k)) for k in sides):
            margins.append(_itself(output.id))
        between = output.op in ("subtract", "add") and self._is_a_difference(output)
        for margin in margins:
            yield Guess("the hinge loss", _hinge(margin, 1.0))
            yield Guess("the perceptron loss", _hinge(margin, 0.0))
            yield Guess("the squared hinge loss", _of("square", _hinge(margin, 1.0)))
            yield Guess("the logistic loss", _logistic(margin))
            yield Guess("the exponential loss", _of("exp", _minus(margin)))
        for margin in ((_itself(output.id)), _minus(_itself(output.id))) if between else ():
            for gap in (0.0, 1.0, *(n.id for n in self._settings)):
                yield Guess("the hinge loss of a difference", _hinge(margin, gap))
            yield Guess("the logistic loss of a difference", _logistic(margin))

    def _is_a_sign(self, node: Node) -> bool:
        given = node.id not in self.trained and node.value is not None and node.dtype.startswith(("float", "int"))
        return given and bool(np.all(np.abs(np.asarray(node.value, dtype=float)) == 1))

    def _is_a_difference(self, node: Node) -> bool:
        """Whether two scores are compared, also with a gap between them that is added."""
        sides = [self.node(k) for k in self.matcher.graph.tape.operands(node.id)]
        if node.op == "subtract" and sum(s.id in self.trained for s in sides) == 2:
            return True
        inner = [s for s in sides if s.id in self.trained and s.op in ("add", "subtract")]
        return len(inner) == 1 and all(s.shape == () for s in sides if s not in inner) and self._is_a_difference(inner[0])

    def _of_counts(self) -> Iterator[Guess]:
        """exp(z) − y z, of counts with the mean exp(z)."""
        mean = self._function(np.exp)
        for target in self._targets if mean is not None else ():
            if np.all(np.asarray(target.value) >= 0):
                says = f"the negative log-likelihood of Poisson counts {called(target)}"
                yield Guess(says, _poisson(mean.id if mean is not None else -1, self.output, target.id))

    def _of_constants(self) -> Iterator[Guess]:
        """The output itself, or what is to grow, as a critic's score."""
        value = self._values(self.value)
        if self.value in self.trained or not all(v.size and np.ptp(v) == 0 for v in value):
            return
        name = called(self.node(self.output))
        yield Guess(f"the sum of {name}", _itself(self.output))
        yield Guess(f"minus the sum of {name}", _minus(_itself(self.output)))

    def _of_codes(self) -> Iterator[Guess]:
        """The terms of the divergence of a normal distribution from the standard one: ½ μ², ½ (exp(s) − s), …"""
        half = "half the squares of "
        yield Guess(half + called(self.node(self.output)), _half_squares(_itself(self.output)), "kl")
        for times in (1.0, 2.0):
            yield Guess(f"the divergence's term of {called(self.node(self.output))}", _spread(self.output, times), "kl")


    def _of_likelihoods(self) -> Iterator[Guess]:
        """−log of what shares are taken of, as of the densities of a mixture: all that it rests on starts from it."""
        divided = (n.args[1].node for n in self._behind if n.op == "divide" and isinstance(n.args[1], Ref))
        for total in dict.fromkeys(k for k in divided if k in self.trained and k > self.output):
            values = self._values(total)
            if self.node(total).op == "sum" and all(np.all(v > 0) for v in values):
                says = f"minus the sum of log({called(self.node(total))})"
                yield Guess(says, _minus(_of("log", _itself(total))), "shared")


def called(node: Node) -> str:
    """What a reader calls a value: its name, or how it is written."""
    return node.names[-1] if node.names else node.site.text if node.site else "data"


def _sigmoid(z: Any) -> Any:
    with np.errstate(all="ignore"):
        return 1 / (1 + np.exp(-z))


def _softmax(z: Any) -> Any:
    if not z.ndim:
        return np.full(z.shape, np.nan)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# How each is written.


def _operand(write: TapeWriter, operand: int | float) -> Ref:
    return Ref(operand) if isinstance(operand, int) else write.number(operand)


def _of(op: str, inner: _Write) -> _Write:
    return lambda w: w.add(op, inner(w))


def _minus(inner: _Write) -> _Write:
    return _of("negative", inner)


def _itself(node: int) -> _Write:
    return lambda _: Ref(node)


def _difference(output: int, target: int | float) -> _Write:
    return lambda w: w.add("subtract", Ref(output), _operand(w, target))


def _product(output: int, target: int) -> _Write:
    return lambda w: w.add("multiply", Ref(target), Ref(output))


def _binary(p: int, target: int | float) -> _Write:
    def write(w: TapeWriter) -> Ref:
        hit = w.add("log", Ref(p))
        miss = w.add("log", w.add("subtract", w.number(1.0), Ref(p)))
        if target in (0.0, 1.0) and isinstance(target, float):
            return w.add("negative", hit if target else miss)
        rest = w.add("subtract", w.number(1.0), _operand(w, target))
        both = w.add("add", w.add("multiply", _operand(w, target), hit), w.add("multiply", rest, miss))
        return w.add("negative", both)

    return write


def _held(w: TapeWriter, node: Node) -> Ref:
    """A value that no gradient is passed through, under its name."""
    held = w.add("held", Ref(node.id))
    w.nodes[held.node].names.append(called(node))
    return held


def _from_held(output: int, target: Node) -> _Write:
    return lambda w: w.add("subtract", Ref(output), _held(w, target))


def _weighted(entries: _Write, weight: Node) -> _Write:
    def write(w: TapeWriter) -> Ref:
        each = entries(w)
        held = w.add("reshape", _held(w, weight), shape=w.nodes[each.node].shape)
        return w.add("multiply", held, each)

    return write


def _cross_entropy(p: int, target: int) -> _Write:
    return lambda w: w.add("negative", w.add("multiply", Ref(target), w.add("log", Ref(p))))


def _negative_log_at(p: int, place: Any) -> _Write:
    return lambda w: w.add("negative", w.add("log", w.add("getitem", Ref(p), place)))


def _class_hinge(scores: int, place: Any, rows: int, gap: int | float) -> _Write:
    def write(w: TapeWriter) -> Ref:
        own = w.add("reshape", w.add("getitem", Ref(scores), place), shape=(rows, 1))
        margins = w.add("add", w.add("subtract", Ref(scores), own), _operand(w, gap))
        return w.add("maximum", w.number(0.0), margins)

    return write


def _half_squares(error: _Write) -> _Write:
    return lambda w: w.add("multiply", w.number(0.5), w.add("square", error(w)))


def _log_cosh(error: _Write) -> _Write:
    return lambda w: w.add("log", w.add("cosh", error(w)))


def _cauchy(error: _Write) -> _Write:
    return lambda w: w.add("multiply", w.number(0.5), w.add("log", w.add("add", w.number(1.0), w.add("square", error(w)))))


def _huber(error: _Write, delta: int) -> _Write:
    """r² / 2 within ±delta, and delta · (|r| − delta / 2) beyond: ½ c² + delta · (|r| − |c|), with r clipped to c."""

    def write(w: TapeWriter) -> Ref:
        r, bound = error(w), Ref(delta)
        size = w.add("absolute", r)
        inner = w.add("minimum", size, bound)
        square = w.add("multiply", w.number(0.5), w.add("square", inner))
        return w.add("add", square, w.add("multiply", bound, w.add("subtract", size, inner)))

    return write


def _tilted(up: _Write, down: _Write, share: int, squared: bool) -> _Write:
    """``share`` × what is positive of one side and (1 − share) × what is positive of the other, or half their squares."""

    def write(w: TapeWriter) -> Ref:
        parts = [w.add("maximum", w.number(0.0), side(w)) for side in (up, down)]
        if squared:
            parts = [w.add("multiply", w.number(0.5), w.add("square", part)) for part in parts]
        rest = w.add("subtract", w.number(1.0), Ref(share))
        return w.add("add", w.add("multiply", Ref(share), parts[0]), w.add("multiply", rest, parts[1]))

    return write


def _hinge(margin: _Write, gap: int | float) -> _Write:
    return lambda w: w.add("maximum", w.number(0.0), w.add("subtract", _operand(w, gap), margin(w)))


def _logistic(margin: _Write) -> _Write:
    return lambda w: w.add("log", w.add("add", w.number(1.0), w.add("exp", w.add("negative", margin(w)))))


def _poisson(mean: int, output: int, counts: int) -> _Write:
    return lambda w: w.add("subtract", Ref(mean), w.add("multiply", Ref(counts), Ref(output)))


def _spread(output: int, times: float) -> _Write:
    """½ (exp(t s) − t s): of the logarithm of a variance (t = 1) or of a standard deviation (t = 2)."""

    def write(w: TapeWriter) -> Ref:
        s = Ref(output) if times == 1 else w.add("multiply", w.number(times), Ref(output))
        return w.add("multiply", w.number(0.5), w.add("subtract", w.add("exp", s), s))

    return write
