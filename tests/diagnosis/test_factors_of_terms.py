"""A factor that one term, or one gradient, lacks is told as that factor, in the program's own code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.building.explained import judged_source, parts

CORPUS = Path(__file__).parents[1] / "corpus"

#: The program, what is written for what, and the line as it should be.
LACKING = {
    "a path that is taken twice": ("residual_network", ("s = h + r", "s = 2 * h + r"),
                                   "dh = 2 * ds + dr @ W2.T"),
    "a penalty of squares without a half": (
        "residual_network", ("loss = np.mean((out - T) ** 2)", "loss = np.mean((out - T) ** 2) + 0.1 * np.sum(W3 * W3)"),
        ("dW3 = s.T @ dout", "dW3 = s.T @ dout + 0.1 * W3"), "dW3 = s.T @ dout + 2 * 0.1 * W3"),
    "a sum that is taken for a mean in a layer of which there are two": (
        "layer_classes_momentum", ("grad.sum(axis=0)", "grad.mean(axis=0)"), "self.db = grad.sum(axis=0)"),
    "the root of a size": ("attention", ("dQ = dS @ K / np.sqrt(k)", "dQ = dS @ K"), "dQ = dS @ K / np.sqrt(k)"),
}  # fmt: skip


@pytest.mark.parametrize("what", LACKING)
def test_the_factor_is_told(what: str) -> None:
    name, *changes, right = LACKING[what]
    source = (CORPUS / f"{name}.py").read_text("utf-8")
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    [diagnosis] = [part.diagnosis for _, part in parts(judged_source(source)) if part.diagnosis]
    assert diagnosis.kind == "factor"
    assert [edit.new.strip() for edit in diagnosis.edits] == [right]
