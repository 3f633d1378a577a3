"""The program's own modules stand below it in the report: their lines are explained, judged and mended there."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracer
from tracer.checking.judging import judged
from tracer.explanation.json import from_json, to_json
from tracer.program import load, parse
from tracer.program.joined import join
from tracer.rendering import to_html, to_latex, to_markdown, to_text

LAYERS = """\
import numpy as np


def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db
"""
PROGRAM = """\
import numpy as np
from layers import affine_backward, affine_forward

np.random.seed(0)
X, y = np.random.randn(12, 5), np.random.randn(12, 2)
W, b = np.random.randn(5, 2) * 0.1, np.zeros(2)
for it in range(100):
    out, cache = affine_forward(X, W, b)
    loss = 0.5 * np.sum((out - y) ** 2)
    dX, dW, db = affine_backward(out - y, cache)
    W -= 0.01 * dW
    b -= 0.01 * db
"""
OWN = PROGRAM.count("\n")


def explained(tmp_path: Path, layers: str = LAYERS, program: str = PROGRAM) -> tracer.Explanation:
    (tmp_path / "layers.py").write_text(layers)
    (tmp_path / "train.py").write_text(program)
    return tracer.explain(tmp_path / "train.py")


def test_the_lines_of_a_module_are_explained_below_the_program(tmp_path: Path) -> None:
    found = explained(tmp_path)
    [section] = found.program.modules
    assert (Path(section.path).name, section.end_line - section.line) == ("layers.py", LAYERS.count("\n"))
    source = found.program.source.split("\n")
    assert source[:OWN] == PROGRAM.split("\n")[:-1]
    assert source[section.line - 1 : section.end_line] == LAYERS.split("\n")
    [dw] = [p for line in found.lines for p in line.parts if p.target == "dw"]
    assert (dw.verdict, dw.wrt, found.program.place(dw.span[0])[1]) == ("proved", "W", 12)
    assert source[dw.span[0] - 1][dw.span[1] : dw.span[3]] == dw.source


def test_a_fault_in_a_module_is_told_and_mended_in_its_own_line(tmp_path: Path) -> None:
    wrong = LAYERS.replace("dw = x.T.dot(dout)", "dw = 2 * x.T.dot(dout)")
    found = explained(tmp_path, wrong)
    assert {p.span[0] for line in found.lines for p in line.parts if p.verdict == "wrong" and p.whole} == {
        found.program.modules[0].line + 11
    }
    [gradient] = [j for j in judged(found) if j.verdict == "wrong"]
    assert (Path(gradient.module or "").name, gradient.line, gradient.code) == ("layers.py", 12, "dw")
    assert "line 12 of layers.py" in (gradient.says or "")
    [edit] = gradient.edits
    assert (edit.line, edit.end_line, edit.new.strip()) == (12, 12, "dw = x.T.dot(dout)")
    assert (tmp_path / "layers.py").read_text() == wrong


def test_a_fault_in_the_program_is_mended_though_a_module_stands_below(tmp_path: Path) -> None:
    found = explained(
        tmp_path, program=PROGRAM.replace("affine_backward(out - y,", "affine_backward(y - out,")
    )
    wrong = [j for j in judged(found) if j.verdict == "wrong"]
    assert wrong
    assert all(j.module is None and j.line <= OWN for j in wrong)


@pytest.mark.parametrize("write", [to_text, to_html, to_latex, to_markdown])
def test_every_document_says_whose_the_lines_are(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    document = write(explained(tmp_path))
    assert "layers.py" in document.replace("\\allowbreak", "").replace("{}", "")


def test_the_json_can_be_read_back_and_documents_without_modules_too(tmp_path: Path) -> None:
    found = explained(tmp_path)
    text = to_json(found)
    assert from_json(text).program.modules == found.program.modules
    (tmp_path / "alone.py").write_text("import numpy as np\nx = np.ones(3)\nloss = np.sum(x * 2)\n")
    old = to_json(tracer.explain(tmp_path / "alone.py")).replace(',\n  "modules": []', "")
    assert '"modules"' not in old
    assert from_json(old).program.modules == ()


def test_joining_is_undone_also_after_an_edit(tmp_path: Path) -> None:
    for name, text in (("one.py", "a = 1\n"), ("two.py", "b = 2\n\n# the end")):
        (tmp_path / name).write_text(text)
    one, two = (load(tmp_path / name) for name in ("one.py", "two.py"))
    joined = join(parse("c = 3\n", "p.py"), [one, two])
    edited = joined.program.source.replace("b = 2", "b = 2\nb += 1")
    assert joined.separated(edited) == (
        "c = 3\n",
        {one.path: "a = 1\n", two.path: "b = 2\nb += 1\n\n# the end"},
    )
    places = [(s.span.line, s.text) for s in joined.program.statements]
    assert all(joined.program.source.split("\n")[line - 1] == text for line, text in places)
    assert [text for _, text in places] == ["c = 3", "a = 1", "b = 2"]
