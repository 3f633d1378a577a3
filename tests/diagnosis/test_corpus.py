"""Right programs of all styles: nothing in them is called wrong, and every backward line is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracer

CORPUS = sorted((Path(__file__).parents[1] / "corpus").glob("*.py"))


@pytest.mark.parametrize("program", CORPUS, ids=lambda p: p.stem)
def test_nothing_is_called_wrong_and_every_gradient_is_explained(program: Path) -> None:
    found = tracer.explain(program, derivations=False)
    parts = [(line.line, p) for line in found.lines for p in line.parts]
    assert [p.source for _, p in parts if p.verdict == "wrong"] == []
    assert [(line, p.source) for line, p in parts if p.verdict == "unexplained"] == []
    assert any(p.verdict in ("proved", "checked") for _, p in parts)
