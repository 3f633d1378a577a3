"""A notebook is the program that its code cells are; what only Jupyter understands is left out with a notice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracer.program import ProgramError, load
from tracer.program.notebook import script_of


def notebook(*cells: str, language: str = "python") -> str:
    code = [
        {"cell_type": "code", "source": cell.splitlines(True), "metadata": {}, "outputs": []}
        for cell in cells
    ]
    text = {"cell_type": "markdown", "source": ["# A network"], "metadata": {}}
    return json.dumps({
        "cells": [text, *code], "metadata": {"kernelspec": {"language": language}}, "nbformat": 4, "nbformat_minor": 5,
    })  # fmt: skip


def test_code_cells_follow_each_other_and_text_cells_are_left_out() -> None:
    source, notices = script_of(notebook("import numpy as np\nx = np.ones(3)", "y = x * 2"), "net.ipynb")
    assert source == "# cell 1\nimport numpy as np\nx = np.ones(3)\n\n# cell 2\ny = x * 2\n"
    assert notices == ()


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("%matplotlib inline", "pass  # %matplotlib inline"),
        ("!pip install numpy", "pass  # !pip install numpy"),
        ("    %autoreload 2", "    pass  # %autoreload 2"),
        ("%time y = f(x)", "y = f(x)"),
        ("%timeit -n 3 f(x)", "f(x)"),
        ("files = !ls", "files = None  # files = !ls"),
        ("np.sum?", "pass  # np.sum?"),
    ],
)
def test_what_only_a_notebook_understands_is_left_out_with_its_place(line: str, becomes: str) -> None:
    source, notices = script_of(notebook(f"a = 1\n{line}\nb = 2"), "net.ipynb")
    assert source.split("\n")[:4] == ["# cell 1", "a = 1", becomes, "b = 2"]
    assert [(n.line, n.what) for n in notices] == [(3, f"Cell 1: {line.strip()} was left out.")]


@pytest.mark.parametrize("line", ["a %= 3", "c = a % b", "d = a != b", "s = 'what?'", "x = y  # %magic"])
def test_python_is_left_as_it_was_written(line: str) -> None:
    assert script_of(notebook(line), "net.ipynb") == (f"# cell 1\n{line}\n", ())


def test_percent_signs_inside_a_long_string_are_text() -> None:
    cell = 's = """\n%matplotlib\n"""'
    assert script_of(notebook(cell), "net.ipynb") == (f"# cell 1\n{cell}\n", ())


def test_a_timed_cell_is_kept_and_a_cell_of_another_language_is_not() -> None:
    source, notices = script_of(notebook("%%time\nx = 1", "%%bash\nls"), "net.ipynb")
    assert source.split("\n") == ["# cell 1", "# %%time", "x = 1", "", "# cell 2", "# %%bash", "# ls", ""]
    assert [n.what for n in notices] == [
        "Cell 1: %%time was left out.", "Cell 2: %%bash was left out, and the whole cell with it.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{not json", "This is not a notebook"),
        ("{}", "This is not a notebook"),
        (notebook("x <- 1", language="R"), "written in R, not in Python"),
        (notebook(), "no code cells"),
    ],
)
def test_what_is_no_python_notebook_is_refused(text: str, says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        script_of(text, "net.ipynb")


def test_a_notebook_is_loaded_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "net.ipynb"
    file.write_text(notebook("%matplotlib inline\nx = 1"), encoding="utf-8")
    program = load(file)
    assert program.lines[2] == "x = 1"
    assert [n.line for n in program.notices] == [2]
