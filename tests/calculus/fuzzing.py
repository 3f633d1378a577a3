"""Random pairs of expressions, for the search for a pair that is called proved and differs in numbers.

Two kinds of pairs: two values of one random program; and a value of a program beside the same value of the
program with one call changed a little (another operand, another axis, another constant), which is the kind of
difference that a careless rewriting overlooks.  All axes have the size three, so that no size tells them apart.

    python tests/calculus/fuzzing.py 100000      # so many pairs; prints what was found
"""

from __future__ import annotations

import itertools
import random
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from network import Network

from tracer.calculus import Proof, entry, fresh, prove_equal
from tracer.ops import NoFormula

Call = tuple[str, str, tuple[Any, ...], dict[str, Any]]

LEAVES = {"x": (3, 3), "z": (3, 3), "b": (1, 3), "c": (3, 1), "v": (3,), "s": ()}
UNARY = ["negative", "exp", "tanh", "square", "copy", "absolute", "transpose", "sqrt", "log"]
BINARY = ["add", "subtract", "multiply", "multiply", "divide", "maximum", "greater", "matmul"]
REDUCING = ["sum", "sum", "mean", "max", "var", "std", "norm"]
NUMBERS = [Fraction(2), Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(3)]


def random_calls(choose: random.Random, length: int) -> list[Call]:
    """A random program; calls that NumPy refuses are left out when it is run."""
    names, calls = [*LEAVES], list[Call]()
    for n in range(length):
        calls.append(random_call(choose, names, f"t{n}"))
        names.append(f"t{n}")
    return calls


def random_call(choose: random.Random, names: list[str], out: str) -> Call:
    recent = names[-4:] if choose.random() < 0.6 else names
    one, other = choose.choice(recent), choose.choice(names)
    kind = choose.random()
    if kind < 0.25:
        return choose.choice(UNARY), out, (one,), {}
    if kind < 0.62:
        operands = [one, choose.choice([other, other, other, choose.choice(NUMBERS)])]
        choose.shuffle(operands)
        return choose.choice(BINARY), out, tuple(operands), {}
    if kind < 0.82:
        axis = choose.choice([0, 1, None])
        return choose.choice(REDUCING), out, (one,), {"axis": axis, "keepdims": choose.random() < 0.7}
    if kind < 0.88:
        return "where", out, (choose.choice(names), one, other), {}
    if kind < 0.94:
        index = choose.choice([slice(1, None), (slice(None), slice(0, 2)), slice(None, None, -1), 0, (slice(None), 2)])
        return "getitem", out, (one, index), {}
    if kind < 0.97:
        return choose.choice(["cumsum", "flip", "sort"]), out, (one,), {"axis": choose.choice([0, -1])}
    return random_rearrangement(choose, one, other, out)


def random_rearrangement(choose: random.Random, one: str, other: str, out: str) -> Call:
    """Arrays put side by side, taken apart, written into or laid out anew."""
    kind = choose.random()
    if kind < 0.35:
        return "hstack", out, ((one, other),), {}
    if kind < 0.6:
        return "split", out, (one, choose.choice([2, 3])), {"axis": choose.choice([0, 1]), "part": choose.choice([0, 1])}
    if kind < 0.8:
        index = choose.choice([slice(1, None), (slice(None), slice(0, 2)), (slice(None), slice(1, 3))])
        return "setitem", out, (one, index, choose.choice([other, Fraction(2)])), {}
    return "reshape", out, (one,), {"shape": choose.choice([(9,), (3, 3), (18,), (3, 6), (3, 3, 2)])}


def named(operands: Any) -> Iterator[str]:
    """The names among operands, also those in tuples."""
    for operand in operands:
        if isinstance(operand, str):
            yield operand
        elif isinstance(operand, tuple):
            yield from named(operand)


def altered(choose: random.Random, calls: list[Call]) -> tuple[int, list[Call]]:
    """Which call is changed a little, and the program with it changed."""
    place = choose.randrange(len(calls))
    op, out, operands, arguments = calls[place]
    before = [*LEAVES, *(c[1] for c in calls[:place])]
    kind = choose.random()
    if "axis" in arguments and kind < 0.5:
        arguments = {**arguments, "axis": choose.choice([0, 1, None])}
    elif kind < 0.35 and len(operands) > 1:
        operands = tuple(reversed(operands))
    elif kind < 0.7:
        at = choose.randrange(len(operands))
        if isinstance(operands[at], str):
            operands = (*operands[:at], choose.choice(before), *operands[at + 1 :])
    elif op in UNARY:
        op = choose.choice(UNARY)
    elif op in BINARY:
        op = choose.choice(BINARY)
    elif op in REDUCING:
        op = choose.choice(REDUCING)
    return place, [*calls[:place], (op, out, operands, arguments), *calls[place + 1 :]]


def renamed(calls: list[Call]) -> list[Call]:
    """The program with other names for what it computes."""

    def name(item: Any) -> Any:
        if isinstance(item, tuple):
            return tuple(map(name, item))
        return f"{item}_" if isinstance(item, str) and item not in LEAVES else item

    return [(op, name(out), tuple(map(name, operands)), arguments) for op, out, operands, arguments in calls]


def run(calls: list[Call], seed: int) -> Network:
    """The program on random leaves; a call that NumPy refuses, or that gives no moderate numbers, is left out."""
    rng = np.random.default_rng(seed)
    net = Network(**{n: rng.normal(size=shape) for n, shape in LEAVES.items()})
    for op, out, operands, arguments in calls:
        if any(o not in net.values for o in named(operands)):
            continue
        if op in ("matmul", "sort", "cumsum", "flip") and any(
            isinstance(o, str) and net.values[o].dtype == bool for o in operands
        ):
            continue
        try:
            net.op(op, out, *operands, **arguments)
        except (ValueError, TypeError, IndexError):
            continue
        value = net.values[out]
        if value.dtype != bool and value.size and np.nanmax(np.abs(value), initial=0.0) > 1e4:
            net.calls.pop()
            del net.values[out]
    return net


@dataclass
class Found:
    """What a search found: how many pairs, how many are equal in numbers, how many proved, and the unsound ones."""

    pairs: int = 0
    equal: int = 0
    proved: int = 0
    assuming: int = 0
    slowest: float = 0.0
    unsound: list[str] = field(default_factory=list)


def pairs(seed: int, length: int = 10) -> Iterator[tuple[Network, list[Network], str, str, Proof]]:
    """Pairs of values with the answer of the prover, the run it was given, and runs on other leaves."""
    choose = random.Random(seed)
    calls = random_calls(choose, length)
    place, changed = altered(choose, calls)
    both = [*calls, *renamed(changed)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = run(both, seed)
        others = [run(both, seed + k) for k in (1_000_003, 2_000_003)]
    while True:
        try:
            definitions = net.definitions()
            break
        except NoFormula as refused:
            bad = next(c for c in net.calls if c[0] == refused.op)
            net.calls.remove(bad)
            gone = {bad[1]}
            for call in list(net.calls):
                if gone & set(named(call[2])):
                    gone.add(call[1])
                    net.calls.remove(call)
    axes = net.axes()
    made = list(definitions)
    touched = {calls[place][1]}  # the rest is plainly the same
    for _, out, operands, _ in calls[place:]:
        if touched & set(named(operands)):
            touched.add(out)
    chosen = [(n, f"{n}_") for n in made if f"{n}_" in definitions and n in touched]
    chosen += choose.sample(list(itertools.combinations(made, 2)), k=min(8, len(made) * (len(made) - 1) // 2))
    for one, two in chosen:
        if net.values[one].shape != net.values[two].shape or axes[one] != axes[two]:
            continue
        free = tuple(fresh(a) for a in axes[one])
        left, right, sizes = entry(one, *free), entry(two, *free), net.table.sizes()
        proof = prove_equal(left, right, definitions, sizes=sizes, symmetric={}, budget_seconds=0.3)
        yield net, others, one, two, proof


def finite(run: Network, name: str) -> bool:
    """Whether a value, and all that it was computed from, is finite: a comparison with 0 / 0 says False, not what it means."""
    behind = {name}
    for _, out, operands, _ in reversed(run.calls):
        if out in behind:
            behind.update(o for item in operands for o in (item if isinstance(item, tuple) else (item,)) if isinstance(o, str))
    return all(np.isfinite(np.asarray(run.values[n], dtype=float)).all() for n in behind)


def differs(runs: list[Network], one: str, two: str) -> bool:
    """Whether two values differ in some run in which both, and what they were computed from, are finite."""
    for each in runs:
        if one not in each.values or two not in each.values:
            continue
        a, b = (np.asarray(each.values[n], dtype=float) for n in (one, two))
        good = a.shape == b.shape and all(finite(each, n) for n in (one, two))
        if good and not np.allclose(a, b, rtol=1e-6, atol=1e-8):
            return True
    return False


def search(seeds: Iterator[int], most_pairs: int, *, to_the_first: bool = False) -> Found:
    """Look for pairs that are called proved and differ; ``to_the_first`` stops at one."""
    found = Found()
    for seed in seeds:
        start = time.thread_time()
        for net, others, one, two, proof in pairs(seed):
            found.pairs += 1
            different = differs([net, *others], one, two)
            found.equal += not different
            if proof.proved:
                found.proved += 1
                conditional = any("equals" in u for u in proof.used)
                found.assuming += conditional
                if different and not conditional:
                    found.unsound.append(f"seed {seed}: {one} and {two}")
            found.slowest = max(found.slowest, time.thread_time() - start)
            start = time.thread_time()
        if found.pairs >= most_pairs or (to_the_first and found.unsound):
            break
    return found


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(search(itertools.count(first), int(sys.argv[1])))
