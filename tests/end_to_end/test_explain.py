"""`tracer.explain` and what it gives: the way of a user, in Python."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tracer
from tests.building.explained import NAMES, PROGRAMS, explanation, judged_source
from tracer.api import Explanation
from tracer.explanation.errors import CannotExplain
from tracer.explanation.json import from_json
from tracer.recording import RecordingError

FORWARD_ONLY = "import numpy as np\nX = np.random.randn(4, 3)\nW = np.ones((3, 2))\nP = np.tanh(X @ W)\nloss = np.sum(P ** 2)\n"


@pytest.fixture(scope="module")
def spiral() -> Explanation:
    return tracer.explain(PROGRAMS["spiral_python2"])


def test_a_path_or_its_text_is_explained_in_a_child_process(spiral: Explanation) -> None:
    assert isinstance(spiral, Explanation)
    assert spiral.program.path.endswith("spiral_python2.py")
    assert spiral.program.python2
    here = explanation("spiral_python2")
    seen = [(x.line, [(p.of, p.wrt, p.scale, p.verdict, p.numpy) for p in x.parts]) for x in spiral.lines]
    assert seen == [(x.line, [(p.of, p.wrt, p.scale, p.verdict, p.numpy) for p in x.parts]) for x in here.lines]
    assert [(x.name, x.line) for x in spiral.losses] == [("data_loss", 28), ("reg_loss", 29), ("loss", 30)]


def test_line_gives_the_statement_of_that_line(spiral: Explanation) -> None:
    line = spiral.line(38)
    assert line.source == "dhidden = np.dot(dscores, W2.T)"
    assert [p.wrt for p in line.parts if p.whole] == ["hidden"]
    with pytest.raises(KeyError, match="line 1000"):
        spiral.line(1000)


def test_a_name_gives_its_last_part(spiral: Explanation) -> None:
    assert (spiral["dW2"].of, spiral["dW2"].wrt) == ("loss", "W2")
    assert spiral["dscores"].scale == "1"
    assert spiral["hidden"].role == "forward"
    with pytest.raises(KeyError, match="dW9"):
        spiral["dW9"]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("38", ("loss", "hidden")),
        ("dhidden", ("loss", "hidden")),
        ("np.dot(dscores, W2.T)", ("loss", "hidden")),
        ("dL/dW2", ("loss", "W2")),
        ("∂loss/∂W2", ("loss", "W2")),
        ("reg * W2", ("reg_loss", "W2")),
        ("-rate * dW", ("loss", "W")),
    ],
)
def test_questions_are_answered_both_ways(spiral: Explanation, question: str, wanted: tuple[str, str]) -> None:
    assert wanted in {(p.of, p.wrt) for p in spiral.ask(question)}


def test_a_line_number_may_be_a_number(spiral: Explanation) -> None:
    assert spiral.ask(38) == spiral.ask("38")


@pytest.mark.parametrize("name", NAMES)
def test_the_json_is_the_whole_model_and_is_read_again(name: str) -> None:
    found = explanation(name)
    data = json.loads(found.to_json())
    assert data["schema"] == 1
    again = from_json(found.to_json())
    assert again.lines == from_json(json.dumps(data)).lines
    assert len(again.lines) == len(found.lines)
    assert [x.line for x in again.lines] == [x.line for x in found.lines]


@pytest.mark.parametrize("name", NAMES)
def test_every_document_is_made_and_names_the_gradients(name: str) -> None:
    found = explanation(name)
    html, latex, markdown, text = found.to_html(), found.to_latex(), found.to_markdown(), found.to_text()
    assert html.lower().startswith("<!doctype html>")
    assert r"\documentclass" in latex
    assert r"\documentclass" not in found.to_latex(fragment=True)
    judged = [p for x in found.lines for p in x.parts if p.verdict == "proved" and p.whole]
    assert judged
    first = {p.source.partition("\n")[0].replace("'", "&#39;").partition("&")[0] for p in judged}
    assert all(t in text and t in markdown for t in first)
    assert all((p.target or p.wrt or "").partition("[")[0] in html for p in judged)


def network(X: np.ndarray, T: np.ndarray, W: np.ndarray) -> np.ndarray:
    for _ in range(3):
        Y = X @ W
        loss = np.sum((Y - T) ** 2) / 2
        dY = Y - T
        dW = X.T @ dY
        W = W - 0.1 * dW
    assert loss >= 0
    return W


def test_a_function_is_explained_with_its_arguments() -> None:
    rng = np.random.default_rng(0)
    found = tracer.explain(network, rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=(3, 2)))
    assert (found["dW"].of, found["dW"].wrt, found["dW"].verdict) == ("loss", "W", "proved")
    assert found["dY"].wrt == "Y"
    assert found["dW"].numpy == "X.T @ dY"


def test_a_program_without_a_backward_pass_has_its_forward_pass_explained(tmp_path: Path) -> None:
    path = tmp_path / "forward.py"
    path.write_text(FORWARD_ONLY)
    found = tracer.explain(path)
    assert any("no backward pass" in note.what for note in found.notices)
    assert found["P"].numpy == "np.tanh(X @ W)"


def test_a_loss_that_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "forward.py"
    path.write_text(FORWARD_ONLY)
    with pytest.raises(CannotExplain, match="energy"):
        tracer.explain(path, loss="energy")


def test_a_program_that_fails_is_reported_and_not_explained(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import numpy as np\nnp.zeros(3) @ np.zeros(4)\n")
    with pytest.raises(RecordingError):
        tracer.explain(path)


def test_a_chosen_iteration_has_other_numbers_and_the_same_identities() -> None:
    later = tracer.explain(PROGRAMS["square_sizes"], iteration=6)
    first = explanation("square_sizes")
    assert later["dW"].sample != first["dW"].sample
    assert [(p.of, p.wrt, p.verdict) for x in later.lines for p in x.parts] == [
        (p.of, p.wrt, p.verdict) for x in first.lines for p in x.parts
    ]


def test_progress_is_told() -> None:
    told: list[str] = []
    tracer.explain(PROGRAMS["square_sizes"], progress=told.append)
    assert told[0] == "running the program"
    assert "deriving the gradients" in told


def test_a_program_goes_on_to_its_end_if_it_is_asked_to(tmp_path: Path) -> None:
    path, made = tmp_path / "net.py", tmp_path / "made.txt"
    path.write_text(
        "import numpy as np\nw = np.ones(2)\nfor k in range(50):\n    e = w - 3\n    loss = np.sum(e @ e)\n    w -= 0.1 * 2 * e\n"
        "np.savetxt('made.txt', w)\n"
    )
    stopped = tracer.explain(path)
    assert not made.exists()
    went_on = tracer.explain(path, run_on=True)
    assert made.exists()
    assert went_on.lines == stopped.lines


def test_a_loss_that_is_only_printed_in_a_text_is_called_what_it_computes() -> None:
    source = """\
import numpy as np
rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(20, 3)), rng.normal(size=20), np.zeros(3)
for step in range(20):
    p = X @ w
    g = 2 * X.T @ (p - y) / len(y)
    print(f"step {step}: loss {np.mean((p - y) ** 2):.4f}")
    w -= 0.1 * g
"""
    [loss] = judged_source(source).losses
    assert (loss.name, loss.line, loss.inferred) == ("np.mean((p - y) ** 2)", 7, False)
