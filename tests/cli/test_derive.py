"""``tracer derive`` on the real command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tracer
from tracer.cli import main

LAYER = ("np.maximum(0, X @ W + b)", "--shape", "X=N,D", "--shape", "W=D,h", "--shape", "b=1,h")


def derive(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["derive", *arguments])


def test_text_is_printed_and_nothing_else() -> None:
    result = derive(*LAYER, "--wrt", "W")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "∂L/∂W = Xᵀ (G ⊙ [Y > 0])" in result.stdout
    assert "∂L/∂X" not in result.stdout


@pytest.mark.parametrize("wrt", [("--wrt", "W,b"), ("--wrt", "W", "--wrt", "b"), ("--wrt=W, b",)])
def test_several_arrays_may_be_asked_for(wrt: tuple[str, ...]) -> None:
    data = json.loads(derive(*LAYER, *wrt, "--format", "json").stdout)
    assert [one["wrt"] for one in data] == ["W", "b"]


def test_json_gives_code_that_runs() -> None:
    result = derive(*LAYER, "--format", "json")
    assert [one["wrt"] for one in json.loads(result.stdout)] == ["X", "W", "b"]
    assert result.stderr == ""


def test_json_keeps_notes_off_standard_output() -> None:
    result = derive("E[i]", "--shape", "E=V,d", "--shape", "i=N", "--format", "json")
    assert [one["wrt"] for one in json.loads(result.stdout)] == ["E"]
    assert result.stderr == "note: i holds positions: there is no derivative by it.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("-np.log(P)", "--shape", "P=N,K"),
        ("--shape", "P=N,K", "-np.log(P)"),
        ("--shape=P=N,K", "--", "-np.log(P)"),
    ],
)
def test_an_expression_may_begin_with_a_minus(arguments: tuple[str, ...]) -> None:
    result = derive(*arguments)
    assert result.exit_code == 0, result.stderr
    assert "dP = -G / P" in result.stdout


def test_latex_and_markdown_and_files(tmp_path: Path) -> None:
    assert derive(*LAYER, "--format", "latex").stdout.startswith("\\documentclass")
    assert "\\documentclass" not in derive(*LAYER, "--format", "latex", "--fragment").stdout
    path = tmp_path / "notes.md"
    result = derive(*LAYER, "--format", "markdown", "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_text("utf-8").startswith("# `np.maximum(0, X @ W + b)`")


@pytest.mark.parametrize(
    "arguments,said",
    [
        (("X @ W", "--shape", "X=N,D", "--shape", "W=E,h"), "column 0: X @ W fails"),
        (("X @ W", "--shape", "X=N,D"), "column 4: W is not known.\n    X @ W\n        ^\n"),
        (("X", "--shape", "X"), "'X' is no shape."),
        (("X", "--shape", "X=N", "--fragment"), "--fragment belongs to --format latex."),
        (("X", "--shape", "X=N", "-o", "."), "this is a folder"),
        (("X", "--shape", "X=N", "--form=text"), "No such option"),
    ],
)
def test_bad_input_has_exit_code_2_and_a_message(arguments: tuple[str, ...], said: str) -> None:
    result = derive(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_mistake_of_ours_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(tracer, "derive", broken, raising=False)
    result = derive("X", "--shape", "X=N")
    assert result.exit_code == 70
    assert "this is a mistake in tracer" in result.stderr


def test_tracer_can_be_run_as_a_module(root: Path) -> None:
    command = [sys.executable, "-m", "tracer", "derive", "2 * x", "--shape", "x="]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    assert "dx = 2 * G" in run.stdout
