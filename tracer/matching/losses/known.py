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
from tracer.matching.losses.formulas import (
    Write,
    binary,
    cauchy,
    class_hinge,
    cross_entropy,
    difference,
    from_held,
    half_squares,
    hinge,
    huber,
    itself,
    log_cosh,
    logistic,
    minus,
    negative_log_at,
    of,
    poisson,
    product,
    spread,
    tilted,
    weighted,
)
from tracer.matching.losses.names import called
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import references

#: How many targets and settings are tried for one loss.
_MOST = 8

#: What a loss needs beside it before it is believed: nothing; the other half of what it is a part of; that it is alone.
Company = Literal["any", "kl", "target", "alone", "shared"]


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
    write: Write
    company: Company = "any"
    number: bool = False


@dataclass
class Guesses:
    """The losses that an output and the start of a backward pass may belong to."""

    matcher: Matcher
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

    @property
    def trained(self) -> frozenset[int]:
        return self.matcher.moving

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
                yield Guess(f"binary cross-entropy with the target {called(target)}", binary(p.id, target.id))
        smooth = {float(n.value) for n in self._given if n.kind is Kind.LITERAL and n.shape == () and 0 < n.value < 1}
        for number in (1.0, 0.0, *sorted(smooth)[:_MOST]):
            yield Guess(f"binary cross-entropy with the target {number:g}", binary(p.id, number), number=True)
        yield Guess(f"the sum of log(1 - {called(p)})", minus(binary(p.id, 0.0)), "alone")

    def _of_classes(self) -> Iterator[Guess]:
        """The cross-entropy of several classes, and the hinge loss of several classes; the labels are whole numbers."""
        shape = self.node(self.output).shape or ()
        if len(shape) < 1:
            return
        p = self._function(_softmax)
        places = [n.args[1] for n in self._behind if n.op in ("getitem", "setitem") and self._are_labels(n)]
        if p is not None:
            for target in self._targets:
                yield Guess(f"cross-entropy with the target {called(target)}", cross_entropy(p.id, target.id))
            for place in places[:_MOST]:
                yield Guess("cross-entropy", negative_log_at(p.id, place))
                for weight in self._weights(shape[0]):
                    says = f"cross-entropy weighted by {called(weight)}, which is held constant"
                    yield Guess(says, weighted(negative_log_at(p.id, place), weight))
        for place in places[:_MOST] if len(shape) == 2 else ():
            for gap in (1.0, *(n.id for n in self._settings)):
                yield Guess("the hinge loss of several classes", class_hinge(self.output, place, shape[0], gap))

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
        errors: list[Write] = [itself(output.id)] if own else []
        errors += [difference(output.id, t.id) for t in (*self._targets, *self._shared_targets())]
        for target in self._trained_targets():
            says = f"half the sum of squared errors, the target {called(target)} held constant"
            yield Guess(says, half_squares(from_held(output.id, target)))
        for error in errors:
            yield Guess("half the sum of squared errors", half_squares(error))
            yield Guess("the sum of absolute errors", of("absolute", error))
            yield Guess("the sum of log cosh of the errors", log_cosh(error))
            yield Guess("the Cauchy loss ½ log(1 + r²)", cauchy(error))
            for setting in self._settings:
                if self._is_a_bound(setting):  # a rate is none, though what it multiplies may be cut off
                    yield Guess(f"the Huber loss with {called(setting)}", huber(error, setting.id))
                both = [(error, minus(error)), (minus(error), error)] if self._is_a_share(setting) else []
                for up, down in both:
                    for name, squared in (("quantile", False), ("expectile", True)):
                        yield Guess(f"the {name} loss with {called(setting)}", tilted(up, down, setting.id, squared))
        for number in (1.0, -1.0):
            squares = half_squares(difference(output.id, number))
            yield Guess(f"half the squares of the distance to {number:g}", squares, number=True)
        to_nothing = half_squares(itself(output.id))
        yield Guess("half the squares of the distance to 0", to_nothing, "target")

    def _shared_targets(self) -> list[Node]:
        """A single number of the data that all entries of the output are compared with."""
        same = self.matcher.graph.representative
        found = []
        for node in self._behind if self.node(self.output).shape else ():
            sides = self.matcher.graph.tape.operands(node.id) if node.op == "subtract" else ()
            found += [k for k in sides if same(self.output) in map(same, sides) and self.node(k).shape == ()]
        given = {n.id for n in self._given if n.kind is not Kind.LITERAL}
        return [self.node(k) for k in dict.fromkeys(found) if k in given]

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
        margins: list[Write] = [product(output.id, t.id) for t in self._targets if self._is_a_sign(t)]
        if output.op == "multiply" and any(self._is_a_sign(self.node(k)) for k in sides):
            margins.append(itself(output.id))
        between = output.op in ("subtract", "add") and self._is_a_difference(output)
        for margin in margins:
            yield Guess("the hinge loss", hinge(margin, 1.0))
            yield Guess("the perceptron loss", hinge(margin, 0.0))
            yield Guess("the squared hinge loss", of("square", hinge(margin, 1.0)))
            yield Guess("the logistic loss", logistic(margin))
            yield Guess("the exponential loss", of("exp", minus(margin)))
        for margin in ((itself(output.id)), minus(itself(output.id))) if between else ():
            for gap in (0.0, 1.0, *(n.id for n in self._settings)):
                yield Guess("the hinge loss of a difference", hinge(margin, gap))
            yield Guess("the logistic loss of a difference", logistic(margin))

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
                yield Guess(says, poisson(mean.id if mean is not None else -1, self.output, target.id))

    def _of_constants(self) -> Iterator[Guess]:
        """The output itself, or what is to grow, as a critic's score."""
        value = self._values(self.value)
        if self.value in self.trained or not all(v.size and np.ptp(v) == 0 for v in value):
            return
        name = called(self.node(self.output))
        yield Guess(f"the sum of {name}", itself(self.output))
        yield Guess(f"minus the sum of {name}", minus(itself(self.output)))

    def _of_codes(self) -> Iterator[Guess]:
        """The terms of the divergence of a normal distribution from the standard one: ½ μ², ½ (exp(s) − s), …"""
        half = "half the squares of "
        yield Guess(half + called(self.node(self.output)), half_squares(itself(self.output)), "kl")
        for times in (1.0, 2.0):
            yield Guess(f"the divergence's term of {called(self.node(self.output))}", spread(self.output, times), "kl")


    def _of_likelihoods(self) -> Iterator[Guess]:
        """−log of what shares are taken of, as of the densities of a mixture: all that it rests on starts from it."""
        divided = (n.args[1].node for n in self._behind if n.op == "divide" and isinstance(n.args[1], Ref))
        for total in dict.fromkeys(k for k in divided if k in self.trained and k > self.output):
            values = self._values(total)
            if self.node(total).op == "sum" and all(np.all(v > 0) for v in values):
                says = f"minus the sum of log({called(self.node(total))})"
                yield Guess(says, minus(of("log", itself(total))), "shared")


def _sigmoid(z: Any) -> Any:
    with np.errstate(all="ignore"):
        return 1 / (1 + np.exp(-z))


def _softmax(z: Any) -> Any:
    if not z.ndim:
        return np.full(z.shape, np.nan)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
