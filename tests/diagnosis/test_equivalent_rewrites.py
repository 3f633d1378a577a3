"""The right programs written another way: what is said of their gradients stays the same."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.building.explained import judged_source, parts
from tests.diagnosis.rewriting import (
    ADDED,
    MADE_UP,
    REWRITES,
    Rewrite,
    order,
    products,
    rewritten,
    temporaries,
)
from tracer.matching import clock

CORPUS = {path.stem: path for path in sorted((Path(__file__).parents[1] / "corpus").glob("*.py"))}
Said = Counter[tuple[str | None, str, str]]


@pytest.fixture(autouse=True)
def enough_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much time for proofs as they take: what is proved is compared here, not how fast a machine is."""
    monkeypatch.setattr(clock, "_LEAST", {**clock._LEAST, clock.Task.PROOF: 60.0})
    monkeypatch.setattr(clock, "_MOST", {**clock._MOST, clock.Task.PROOF: 60.0})


def source(name: str) -> str:
    return CORPUS[name].read_text("utf-8")


def numbers(text: str) -> dict[str, Any]:
    """The variables that hold numbers when a program has run, by the names that they have in the original."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "program", "exec"), scope)
    held = {k: v for k, v in scope.items() if isinstance(v, (np.ndarray, float, np.generic))}
    return {name.removesuffix(ADDED): value for name, value in held.items() if not name.startswith(MADE_UP)}


def computes_the_same(text: str, other: str) -> bool:
    one, two = numbers(text), numbers(other)
    return one.keys() == two.keys() and all(np.allclose(one[name], two[name], rtol=1e-9) for name in one)


def said(text: str) -> Said:
    """The verdict on each whole gradient with what it is a gradient of and by; nameless values go by one sign."""

    def called(name: str | None) -> str:
        nameless = name is None or not name.isidentifier() or name.startswith(MADE_UP)
        return "·" if nameless else str(name).removesuffix(ADDED)

    return Counter(
        (part.verdict, called(part.of), called(part.wrt))
        for _, part in parts(judged_source(text))
        if part.whole and part.role == "gradient" and not (part.target or "").startswith(MADE_UP)
    )


def agrees(other: Said, with_: Said) -> bool:
    """Whether the same is said; but a value that got a name of its own may go by that one."""
    alike = Counter(entry[:2] for entry in other.elements()) == Counter(entry[:2] for entry in with_.elements())
    return alike and all(by == "·" for _, _, by in other - with_)


@cache
def said_of(name: str) -> Said:
    return said(source(name))


#: Every sixth program of the corpus; the others say the same, and take minutes.
SOME = list(CORPUS)[::6]


@pytest.mark.parametrize("name", SOME)
def test_no_verdict_changes_with_the_way_of_writing(name: str) -> None:
    """Every place that can be rewritten is with a chance of one half, all rewrites together."""
    other = rewritten(source(name), REWRITES, seed=len(name))
    assert computes_the_same(source(name), other)
    assert agrees(said(other), said_of(name))


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda r: r.__name__)
def test_every_rewrite_finds_a_place_and_keeps_the_numbers(rewrite: Rewrite) -> None:
    changed = 0
    for name in (
        "residual_network",
        "logistic_regression",
        "adam_regularised",
        "tied_autoencoder",
        "samples_one_by_one",
    ):
        plain, other = rewritten(source(name), (), 0), rewritten(source(name), (rewrite,), 0, share=1.0)
        changed += plain != other
        assert computes_the_same(plain, other)
    assert changed


def test_a_program_that_computes_something_else_is_told_apart() -> None:
    text = source("residual_network")
    for right, wrong in (
        ("dout @ W3.T", "dout @ W3"),
        ("dh = ds + dr", "dh = dr"),
        ("* (r > 0)", "* (r >= -1)"),
    ):
        assert text.count(right) == 1
        faulty = text.replace(right, wrong)
        assert not computes_the_same(text, faulty)
        assert not agrees(said(rewritten(faulty, (products, temporaries, order), 3)), said_of("residual_network"))
