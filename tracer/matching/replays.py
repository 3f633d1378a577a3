"""Random values for the leaves of a tape, such that the program would still be itself.

An identity that holds at the recorded values may be an accident: all weights one, all biases zero.  So
every float leaf is drawn again, and every updated parameter too.  What the program relies on is kept:
integers, the pattern of signs, one-hot rows (as rows that sum to one, which is then an assumption),
labels of ±1, optimiser state that is never negative.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.gradients.adjoints import is_continuous, is_real
from tracer.gradients.graph import changing_places
from tracer.matching.updates import Update, direct
from tracer.tape.node import Kind, Node
from tracer.tape.tape import Tape, replay

#: A positive number up to this one is there to keep a division or a logarithm from 0.
_NEGLIGIBLE = 1e-6
#: It is made so much smaller, that it does not count beside a probability that is nearly 0 either.
_SMALLER = 1e-40
#: By how much shares that sum to 1 may miss it, also in single precision.
_ROUNDED = 1e-5
#: How many nodes are computed again at most because of what a draw hit badly.
_MOST_DRAWN = 60_000
#: How many further draws are made only because some array is 0.
_MOST_FOR_ZEROS = 3
_COMPARISONS = {
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "argmax",
    "astype",
    "int",
}
_LAYOUT = ("transpose", "reshape", "swapaxes", "moveaxis", "ravel")
_ARITHMETIC = ("add", "subtract", "multiply")


@dataclass
class Replays:
    """Values of every node on several random replays.

    Attributes:
        values: one list a replay, indexed by node.
        drawn: the nodes that were given random values.
        assumptions: node → what the draw kept that a proof may rest on, e.g. ``"rows sum to 1"``.
    """

    values: list[list[Any]]
    drawn: frozenset[int]
    assumptions: dict[int, str] = field(default_factory=dict)

    def of(self, node: int) -> list[Any]:
        """The values of one node, one a replay."""
        return [values[node] for values in self.values]

    def moves(self, node: int) -> bool:
        """Whether the node took different values on different replays."""
        first = self.values[0][node]
        return not all(np.array_equal(first, values[node]) for values in self.values[1:])


def has_indicators(tape: Tape) -> bool:
    """Whether some data are arrays of zeros and ones."""
    return any(
        n.kind is Kind.LEAF
        and n.window >= 0
        and is_real(n)
        and n.shape
        and _are_indicators(np.asarray(n.value))
        for n in tape.nodes
    )


def _are_indicators(array: NDArray[Any]) -> bool:
    return bool(array.size) and bool(np.all((array == 0) | (array == 1))) and float(np.ptp(array)) > 0


def random_replays(
    tape: Tape, updates: Mapping[int, Update], count: int = 3, seed: int = 1, indicators: bool = False
) -> Replays:
    """Replay the tape ``count`` times from random leaves.

    Arguments:
        indicators: whether arrays of zeros and ones stay such; else they may be anything between.

    Masks that took only one value over all the replays make an identity look more general than it is, so
    the draw is repeated, at most eight times (less often where there are very many nodes), until every mask took
    both.  An array that is 0 on one of them, as behind a few units that are all off, equals nothing there; that is
    worth another draw or two.
    """
    best: Replays | None = None
    fewest = (-1, -1)
    for attempt in range(min(max(_MOST_DRAWN // max(len(tape.nodes), 1), 2), 8)):
        rng = np.random.default_rng([seed, attempt])
        assumptions: dict[int, str] = {}
        values = []
        for _ in range(count):
            given = _draw(tape, updates, rng, assumptions, indicators)
            with np.errstate(all="ignore"):
                values.append(replay(tape, given))
        drawn = frozenset(n for n in given if tape.nodes[n].kind is not Kind.LITERAL)
        replays = Replays(values, drawn, assumptions)
        stuck = _stuck_masks(tape, replays), _vanished(tape, replays)
        if best is None or stuck < fewest:
            best, fewest = replays, stuck
        if fewest == (0, 0) or (fewest[0] == 0 and attempt >= _MOST_FOR_ZEROS):
            break
    assert best is not None
    return best


def _stuck_masks(tape: Tape, replays: Replays) -> int:
    """How many comparison arrays were all true, or all false, on every replay; broken replays count most."""
    stuck = 0
    for node in tape.nodes:
        if node.window < 0:
            continue
        values = replays.of(node.id)
        if node.dtype == "bool" and node.shape and np.size(node.value) > 1:
            ratio = [float(np.mean(value)) for value in values]
            recorded = float(np.mean(node.value))
            stuck += max(ratio) in (0.0, 1.0) and min(ratio) == max(ratio) and 0.0 < recorded < 1.0
        elif is_real(node) and bool(np.all(np.isfinite(np.asarray(node.value)))):
            stuck += 100 * (not all(bool(np.all(np.isfinite(np.asarray(value)))) for value in values))
    return stuck


def _vanished(tape: Tape, replays: Replays) -> int:
    """How many arrays that were not 0 are 0 throughout on some replay."""
    return sum(
        not all(np.any(value) for value in replays.of(node.id))
        for node in tape.window_nodes()
        if node.shape and np.size(node.value) > 1 and is_real(node) and np.any(node.value)
    )


def _draw(
    tape: Tape,
    updates: Mapping[int, Update],
    rng: np.random.Generator,
    assumptions: dict[int, str],
    indicators: bool = False,
) -> dict[int, Any]:
    parameters = {update.before for update in updates.values()}
    never_negative = _never_negative_state(tape, updates)
    compared = {source for node in tape.nodes if node.op in _COMPARISONS for _, source in direct(node)}
    terms = _terms_of_products(tape, parameters | updates.keys())
    written = _numbers_written(updates, terms)
    steps = {update.change for update in updates.values()}
    given: dict[int, Any] = {}
    by_origin: dict[int, Any] = {}  # one variable, read in two windows, is one variable
    bound = {binding.node for binding in tape.bindings}
    changing = changing_places(tape)
    for node in tape.nodes:
        if node.window >= 0 and _is_indicator(tape, node, node.id in bound):
            given[node.id] = float(rng.uniform(0.05, 0.95))
            continue
        if node.window < 0 or not is_continuous(node):
            continue
        if not is_real(node):
            if node.kind is Kind.RANDOM or node.id in updates or node.kind is Kind.LEAF:
                key = node.id if node.origin is None else node.origin
                if key not in by_origin:
                    free = node.id in updates or node.id in parameters
                    by_origin[key], of_complex = _complex(np.asarray(node.value), free, terms.get(node.id, 0), rng)
                    if of_complex:
                        assumptions[node.id] = of_complex
                given[node.id] = by_origin[key]
            continue
        if _is_negligible(tape, node):
            given[node.id] = float(node.value) * _SMALLER
            assumptions[node.id] = "size is negligible"
            continue
        if node.origin is not None and node.origin in by_origin and node.origin not in changing:
            given[node.id] = by_origin[node.origin]
            continue
        drawn: Any = None
        shape = node.shape or ()
        if node.kind is Kind.RANDOM:
            drawn = _like_a_draw(np.asarray(node.value), rng)
        elif node.id in written:
            drawn = _entry(written[node.id], never_negative, terms, rng)
        elif node.id in updates and updates[node.id].written is not None:
            continue  # its other entries are what they were
        elif node.id in updates:
            drawn = _parameter(shape, terms.get(node.id, 0), node.id in never_negative, rng)
        elif node.kind is Kind.LEAF:
            if node.id in parameters:
                drawn = _parameter(shape, terms.get(node.id, 0), node.id in never_negative, rng)
            elif shape == ():
                is_rate = node.value == 0 and steps.issuperset(tape.users(node.id) or (-1,))
                drawn = _scalar(0.1 if is_rate else float(node.value), rng)  # a rate of 0 hides which way a step goes
            else:
                array = np.asarray(node.value, dtype=float)
                kept: str | None
                if indicators and _are_indicators(array):
                    drawn, kept = _other_indicators(array, rng)
                else:
                    drawn, kept = _data(array, node.id in compared, terms.get(node.id, 0), rng)
                if kept:
                    assumptions[node.id] = kept
        if drawn is not None:
            given[node.id] = drawn if isinstance(drawn, float) else np.asarray(drawn, dtype=np.float64)
            by_origin[node.id if node.origin is None else node.origin] = given[node.id]
    return given


def _numbers_written(updates: Mapping[int, Update], terms: dict[int, int]) -> dict[int, Update]:
    """The numbers that are written to single entries of parameters, with their updates.

    What a version is multiplied with, in products of so many terms, the next one will be, too.
    """
    found: dict[int, Update] = {}
    for node, update in sorted(updates.items()):
        if update.written is not None:
            found[update.written] = update
            if update.before in terms:
                terms.setdefault(node, terms[update.before])
    return found


def _entry(update: Update, never_negative: Collection[int], terms: Mapping[int, int], rng: np.random.Generator) -> float:
    """A new number for one entry of a parameter, of the size that all the entries are drawn with."""
    return float(_parameter((1,), terms.get(update.node, 0), update.node in never_negative, rng)[0])


def _is_indicator(tape: Tape, node: Node, bound: bool) -> bool:
    """Whether a 0, 1 or -1 is one of the data: an item of a container or of a loop, and only ever reckoned with."""
    if node.kind is not Kind.LEAF or node.dtype != "int" or node.shape != () or abs(node.value) > 1:
        return False
    users = [tape.nodes[user] for user in tape.users(node.id)]
    an_item = bound or any("[" in name for name in node.names)
    return an_item and bool(users) and all(u.op in _ARITHMETIC and is_real(u) for u in users)


def _is_negligible(tape: Tape, node: Node) -> bool:
    """Whether a number is only added to others, and small: what keeps a logarithm from 0 is meant not to count.

    Most gradients leave it out, so they are compared where it is smaller still.
    """
    number = (
        node.kind in (Kind.LEAF, Kind.LITERAL) and node.shape == () and 0 < abs(node.value) <= _NEGLIGIBLE
    )
    return number and all(tape.nodes[user].op in ("add", "maximum", "clip") for user in tape.users(node.id))


def _never_negative_state(tape: Tape, updates: Mapping[int, Update]) -> frozenset[int]:
    """Versions of a carried array of which none ever had a negative entry, such as AdaGrad's memory."""
    first: dict[int, int] = {}
    negative: set[int] = set()
    for update in updates.values():
        root = first.setdefault(update.before, update.before)
        first[update.node] = root
        for version in (update.before, update.node):
            value = tape.nodes[version].value
            if not is_real(tape.nodes[version]) or np.min(value, initial=0.0) < 0 or _moves_down(tape, update):
                negative.add(root)
    return frozenset(node for node, root in first.items() if root not in negative)


def _moves_down(tape: Tape, update: Update) -> bool:
    return bool(np.min(update.sign * np.asarray(tape.nodes[update.change].value), initial=0.0) < 0)


def _terms_of_products(tape: Tape, parameters: Collection[int]) -> dict[int, int]:
    """One factor of each matrix product → how many terms an entry of the product has: ``shape[0]`` of ``W`` in ``X @ W``.

    It is the left one where that is a parameter, else the right one; also where it is turned or laid out anew before:
    ``X @ W.T``, ``columns @ filters.reshape(n, -1).T``.
    """
    found: dict[int, int] = {}
    for node in tape.nodes:
        if node.op not in ("dot", "matmul") or len(direct(node)) != 2:
            continue
        sides = [source for _, source in direct(node)]
        left, right = (_laid_out(tape, side) for side in sides)
        factor, side, axis = (left, sides[0], -1) if left in parameters else (right, sides[1], -2)
        shape = tape.nodes[side].shape or ()
        if len(shape) > 1:
            found.setdefault(factor, shape[axis])
    return found


def _laid_out(tape: Tape, node: int) -> int:
    """The array that another one is in another layout."""
    while tape.nodes[node].op in _LAYOUT:
        node = tape.operands(node)[0]
    return node


def _parameter(shape: tuple[int, ...], terms: int, positive: bool, rng: np.random.Generator) -> Any:
    """``terms``: of how many products with it a sum is made; their sum shall be about one, so that nothing saturates."""
    if positive and shape:
        return rng.uniform(0.05, 1.0, shape)
    if shape == ():
        return float(rng.standard_normal())
    return rng.standard_normal(shape) * (terms**-0.5 if terms else 0.8)


def _complex(value: NDArray[Any], free: bool, terms: int, rng: np.random.Generator) -> tuple[Any, str | None]:
    """Complex numbers in the place of others, and what was kept of their pattern unless they are ``free``."""
    shape, kept = value.shape, None
    drawn = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    if free or not value.size or not np.all(np.isfinite(value)):
        pass
    elif len(shape) == 2 and shape[0] == shape[1] > 1 and np.allclose(value, value.conj().T, rtol=1e-12, atol=0):
        drawn, kept = (drawn + drawn.conj().T) / 2, "entries are Hermitian"
    elif np.allclose(np.abs(value), 1, rtol=1e-12, atol=0):
        return drawn / np.abs(drawn) if shape else complex(drawn / abs(drawn)), "entries have the size 1"
    elif not np.any(value.imag):
        drawn, kept = drawn.real + 0j, "entries are real"
    return drawn * (terms or 1) ** -0.5 if shape else complex(drawn), kept


def _scalar(value: float, rng: np.random.Generator) -> float:
    if value == 0 or not np.isfinite(value):
        return value
    if 0 < value < 1:
        return float(rng.uniform(0.3, 0.7))
    return float(np.sign(value) * rng.uniform(1.2, 2.5))


def _like_a_draw(value: NDArray[Any], rng: np.random.Generator) -> Any:
    inside = bool(value.size) and float(value.min()) >= 0 and float(value.max()) <= 1
    drawn = rng.uniform(0, 1, value.shape) if inside else rng.standard_normal(value.shape)
    return drawn if value.shape else float(drawn)


def _data(
    array: NDArray[np.float64], compared: bool, terms: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], str | None]:
    """New values for an array that no update changes, and what was kept of its pattern."""
    if array.size == 0 or not np.all(np.isfinite(array)):
        return array, None
    integral = bool(np.all(array == np.round(array))) and float(np.ptp(array)) > 0
    levels = set(np.unique(array).tolist()) if integral and array.size < 10**7 else set()
    if integral and compared:
        return array[rng.permutation(len(array))], None
    shares = _sums_to_one(array)
    if shares is not None:
        axis, which = shares
        weights = np.exp(rng.standard_normal(array.shape))
        return weights / weights.sum(axis=axis, keepdims=True), f"{which} sum to 1"
    if integral and levels <= {0.0, 1.0}:
        return rng.uniform(0.05, 0.95, array.shape), None
    if integral and levels <= {-1.0, 1.0}:
        return np.where(rng.uniform(size=array.shape) < 0.5, -1.0, 1.0), None
    if _is_symmetric(array):
        return _other_symmetric(array, rng), "entries are symmetric"
    if float(array.min()) >= 0 and float(np.ptp(array)) > 0:
        return rng.uniform(0.05, 1.0, array.shape), None
    return rng.standard_normal(array.shape) * (terms**-0.5 if terms else 0.8), None


def _sums_to_one(array: NDArray[np.float64]) -> tuple[int, str] | None:
    """The axis along which an array holds shares of 1, such as labels, hard or smooth, and how that is said."""
    if array.ndim == 0 or float(array.min()) < 0:
        return None
    for axis, which in ((-1, "rows" if array.ndim > 1 else "entries"), (0, "columns")):
        several = array.shape[axis] > 1 and array.ndim <= 3 and (axis == -1 or array.ndim == 2)
        if several and bool(np.all(np.abs(array.sum(axis=axis) - 1) <= _ROUNDED)) and float(np.ptp(array)) > 0:
            return axis, which
    return None


def _is_symmetric(array: NDArray[np.float64]) -> bool:
    square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1
    return square and bool(np.allclose(array, array.T, rtol=1e-12, atol=0)) and float(np.ptp(array)) > 0


def _other_symmetric(array: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Another symmetric matrix; of entries, or eigenvalues, that are not negative if those of the first are not."""
    other = rng.standard_normal(array.shape)
    if float(np.linalg.eigvalsh(array)[0]) >= -1e-9 * float(np.max(np.abs(array))):
        return np.asarray(other @ other.T / len(array))
    if float(array.min()) >= 0:
        other = rng.uniform(0.05, 1.0, array.shape)
    return (other + other.T) / 2


def _other_indicators(
    array: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], str]:
    """Other zeros and ones; one in each row, or in each column, if it was so."""
    for axis, which in ((1, "rows"), (0, "columns")):
        if array.ndim == 2 and array.shape[axis] > 1 and bool(np.all(array.sum(axis=axis) == 1)):
            return rng.permuted(array, axis=axis), f"{which} are one-hot"
    return rng.permutation(array.ravel()).reshape(array.shape), "entries are 0 or 1"


def describe(node: Node, kept: str) -> str:
    """An assumption as a sentence's end, e.g. ``rows of T sum to 1``."""
    name = node.names[0] if node.names else (node.site.text if node.site else "an input")
    first, _, rest = kept.partition(" ")
    return f"{first} of {name} {rest}"
