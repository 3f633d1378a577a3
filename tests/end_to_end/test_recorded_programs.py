"""Programs whose training loop or loss is found only by what they do: nothing of their backward pass is wrong or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.building.explained import explained
from tracer.program import load
from tracer.recording import record_source

FOLDER = Path(__file__).resolve().parents[1] / "programs" / "recorded"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("recursion_over_a_tree", {"L", "W", "b", "u"}),
        ("parameters_set_by_built_names", {"W1", "b1", "W2", "b2"}),
        ("parameters_made_anew_all_at_once", {"layers[0][0]", "layers[2][1]"}),
        ("layers_that_update_themselves", {"self.W", "self.b"}),
        ("a_loss_that_is_an_object", {"p.data"}),
    ],
)
def test_every_gradient_is_recognised(name: str, parameters: set[str]) -> None:
    recording = record_source(load(FOLDER / f"{name}.py"))
    assert len(recording.tape.windows) == 2
    found = explained(recording)
    parts = [p for line in found.lines for p in line.parts]
    assert {p.verdict for p in parts if p.whole} <= {None, "proved", "checked"}
    by = {p.wrt for p in parts if p.verdict in ("proved", "checked")}
    assert all(any(wrt is not None and wrt.endswith(name) for wrt in by) for name in parameters), by
