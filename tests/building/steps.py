"""Executing the code of derivations at random inputs, and altering it one token at a time.

The generator is made from the documented kinds of inputs alone (tracer/explanation/README.md), and shares
nothing with the one by which the tool checks itself.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from tracer.explanation.model import Derivation, Input

Values = dict[str, Any]


def draw(inputs: dict[str, Input], rng: np.random.Generator) -> Values:
    """A random value for each input; axes of one name have one size, and different names different sizes."""
    names = sorted({a for i in inputs.values() for a in i.axes if a != "1"} | {
        i.below for i in inputs.values() if isinstance(i.below, str)
    })
    sizes = dict(zip(names, (int(n) for n in rng.permutation(len(names)) + 2), strict=True))
    return {name: _one(given, sizes, rng) for name, given in inputs.items()}


def _one(given: Input, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    shape = tuple(1 if a == "1" else sizes[a] for a in given.axes)
    match given.kind:
        case "scalar":
            return float(rng.uniform(1.3, 2.9))
        case "positive":
            return rng.uniform(0.2, 2.0, shape)
        case "mask":
            return rng.integers(0, 2, shape).astype(bool)
        case "integer":
            below = sizes[given.below] if isinstance(given.below, str) else given.below
            assert below, "an integer input says what it is below"
            return rng.integers(0, below, shape)
        case "one-hot":
            rows = rng.integers(0, shape[-1], shape[:-1])
            return (rows[..., None] == np.arange(shape[-1])).astype(float)
        case "real":
            return rng.normal(size=shape)
    raise AssertionError(f"an undocumented kind of input: {given.kind}")


def run(code: str | CodeType, values: Values) -> np.ndarray:
    """What a step's code leaves in ``result``; the inputs stay as they are."""
    space: Values = {"np": np, **{k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in values.items()}}
    exec(_compiled(code), space)
    return np.asarray(space["result"], dtype=float)


@cache
def _compiled(code: str | CodeType) -> CodeType:
    return compile(code, "<step>", "exec") if isinstance(code, str) else code


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-8, atol=1e-9))


def disagreements(derivation: Derivation, numpy: str, draws: list[Values]) -> list[str]:
    """What is wrong with a derivation: steps about one thing that differ, or a last step that is not ``numpy``."""
    found = []
    for values in draws:
        first: dict[str, np.ndarray] = {}
        for number, step in enumerate(derivation.steps):
            result = run(step.code, values)
            if not np.all(np.isfinite(result)):
                found.append(f"step {number} ({step.rule}) is not finite")
            if not same(first.setdefault(step.left, result), result):
                found.append(f"step {number} ({step.rule}) says something else of {step.left}")
        if not same(run(as_statement(numpy), values), result):
            found.append("the last step is not the NumPy code")
    return found


def as_statement(numpy: str) -> str:
    """``part.numpy`` as statements that leave the value in ``result``."""
    return numpy if "result" in numpy else f"result = {numpy}"


@dataclass(frozen=True)
class Alteration:
    """One token of a code changed: what was done, and the altered code."""

    what: str
    code: str


@cache  # many steps have the same code
def alterations(code: str) -> tuple[Alteration, ...]:
    """Every number, every + and −, every comparison and every index letter of a code, changed alone.

    Numbers and letters that only say how large a grid is (``.shape[0]``, the arguments of ``ogrid``) count too.
    """
    return tuple(_alterations(ast.parse(code)))


def _alterations(tree: ast.Module) -> Iterator[Alteration]:
    letters = _letters(tree)
    for position, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node, letters):
            altered = copy.deepcopy(tree)
            target = next(n for p, n in enumerate(ast.walk(altered)) if p == position)
            change(target)
            yield Alteration(f"{what}: {ast.unparse(node)}", ast.unparse(ast.fix_missing_locations(altered)))


def _letters(tree: ast.Module) -> list[str]:
    """The index letters: what ``np.ogrid`` is unpacked into."""
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and "np.ogrid" in ast.unparse(node.value):
            found += [n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name) and n.id not in found]
    return found


def _changes(node: ast.AST, letters: list[str]) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield "number", lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "sign", lambda n: setattr(n, "op", other)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt | ast.GtE):
        yield "relation", lambda n: setattr(n, "ops", [ast.Lt()])
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", lambda n: setattr(n, "attr", "real")
    if isinstance(node, ast.Name) and node.id in letters and isinstance(node.ctx, ast.Load) and len(letters) > 1:
        following = letters[(letters.index(node.id) + 1) % len(letters)]
        yield "index", lambda n: setattr(n, "id", following)
