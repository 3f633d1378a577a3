"""Whether a derivation holds up: its steps are run, at random small inputs, and compared.

Comes in: a `Derivation`.  Goes out: whether all steps about the same quantity gave the same finite numbers, twice.
Invariant: axes of different names have different lengths, so that a formula that mixes two of them fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracer.explanation.model import Derivation, Input


def agrees(
    derivation: Derivation,
    least: Mapping[str, int] | None = None,
    given: Mapping[str, int] | None = None,
    seed: int = 7,
) -> bool:
    """Whether all steps about the same quantity give the same numbers at random small inputs.

    What a step computes is from then on no input of its own.

    Arguments:
        least: how long axes are at least.
        given: how long axes are that cannot be of any length.
    """
    rng = np.random.default_rng(seed)
    sizes = {axis: max(3 + number % 4, length) for number, (axis, length) in enumerate((least or {}).items())}
    sizes.update(given or {})
    try:
        compiled = [compile(step.code, "<step>", "exec") for step in derivation.steps]
    except SyntaxError:
        return False
    for _ in range(2):
        values = {name: _random(i, sizes, rng) for name, i in derivation.inputs.items()}
        results: dict[str, Any] = {}
        for step, code in zip(derivation.steps, compiled, strict=True):
            space: dict[str, Any] = {
                "np": np,
                **{k: np.copy(v) if np.ndim(v) else v for k, v in values.items()},
            }
            try:
                with np.errstate(all="ignore"):
                    exec(code, space)  # code made by the calculus
            except Exception:
                return False
            result = np.asarray(space["result"]) + 0.0
            if not np.all(np.isfinite(result)):
                return False
            first = results.setdefault(step.left, result)
            values.update((name, first) for name, i in derivation.inputs.items() if i.source == step.left)
            if first.shape != result.shape or not np.allclose(first, result, rtol=1e-8, atol=1e-10):
                return False
    return True


def _random(given: Input, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    """Random values for an input; axes get different sizes."""
    shape = tuple(1 if a == "1" else sizes.setdefault(a, 3 + len(sizes) % 4) for a in given.axes)
    if given.kind == "integer":
        most = (
            sizes.setdefault(given.below, 3 + len(sizes) % 4)
            if isinstance(given.below, str)
            else int(given.below or 1)
        )
        return rng.integers(0, most, shape)
    if given.kind == "mask":
        return rng.random(shape) < 0.5
    if given.kind == "one-hot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if given.kind == "scalar":
        return float(rng.uniform(0.5, 2.0))
    drawn = rng.standard_normal(shape)
    if given.kind == "complex":
        return drawn + 1j * rng.standard_normal(shape)
    return np.abs(drawn) + 0.1 if given.kind == "positive" else drawn
