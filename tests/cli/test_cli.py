"""The command line: documents, questions, exit codes, and messages that say what to do."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tracer
from tests.rendering.fixture import explanation
from tracer.cli import main
from tracer.explanation.errors import CannotExplain
from tracer.explanation.model import Explanation
from tracer.program import ProgramError
from tracer.recording.errors import (
    MissingPackage,
    NameUndefined,
    OutOfMemory,
    ProgramFailed,
    RecordingError,
    TimedOut,
)


class Calls:
    """Stands for `tracer.explain`: remembers what it was asked for and gives or raises what it is told."""

    def __init__(self) -> None:
        self.result: Explanation | Exception = explanation()
        self.asked: dict[str, Any] = {}
        self.program: Any = None

    def __call__(self, program: Any, *args: Any, **asked: Any) -> Explanation:
        assert args == ()
        self.program, self.asked = program, asked
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Calls:
    found = Calls()
    monkeypatch.setattr(tracer, "explain", found, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text("x = 1\n")
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_the_report_stands_where_the_command_was_called(calls: Calls, tmp_path: Path) -> None:
    result = run("explain", "net.py")
    assert result.exit_code == 0
    assert (tmp_path / "net.html").read_text("utf-8").startswith("<!doctype html>")
    assert result.stdout == ""
    assert "10 backward lines: 6 proved, 1 checked, 1 wrong, 1 not known" in result.stderr
    assert "net.html" in result.stderr
    assert ":29:4: wrong gradient: Line 28 changes W2" in result.stderr


@pytest.mark.parametrize("format_,start", [("json", "{"), ("markdown", "# two"), ("text", "two_<layer>")])
def test_these_formats_go_to_standard_output(calls: Calls, tmp_path: Path, format_: str, start: str) -> None:
    result = run("explain", "--format", format_, "net.py")
    assert result.exit_code == 0
    assert result.stdout.startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]


def test_latex_goes_to_a_file_and_a_fragment_has_no_preamble(calls: Calls, tmp_path: Path) -> None:
    assert run("explain", "net.py", "--format", "latex").exit_code == 0
    assert (tmp_path / "net.tex").read_text("utf-8").startswith("\\documentclass")
    result = run("explain", "net.py", "--format=latex", "--fragment", "-o", "-")
    assert result.exit_code == 0
    assert "\\documentclass" not in result.stdout
    assert "\\paragraph{Line 26" in result.stdout


def test_everything_that_can_be_chosen_arrives(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "before.py").write_text("reg = 1\n")
    (tmp_path / "answers.txt").write_text("yes\n")
    result = run(
        "explain", "net.py", "--answers", "answers.txt", "--loss", "J", "--iteration", "3", "--loop", "7", "--define", "reg=1e-3", "--define", "m = 4",
        "--setup", "before.py", "--call", "f(x)", "--run-on", "--timeout", "5", "--", "--epochs", "10", "-o",
    )  # fmt: skip
    assert result.exit_code == 0
    assert calls.program == "net.py"
    asked = dict(calls.asked)
    asked.pop("progress")("reading")
    asked.pop("meanwhile")()
    assert asked == {
        "loss": "J",
        "iteration": 3,
        "loop": 7,
        "define": {"reg": "1e-3", "m": "4"},
        "setup": Path("before.py"),
        "call": "f(x)",
        "timeout": 5.0,
        "run_on": True,
        "answers": "yes\n",
        "arguments": ("--epochs", "10", "-o"),
    }


def test_a_program_whose_name_begins_with_a_minus_is_a_program(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "-net.py").write_text("x = 1\n")
    assert run("explain", "-net.py", "-o", "out.html").exit_code == 0
    assert calls.program == "-net.py"


@pytest.mark.parametrize("question", ["-rate * dW2", "-rate*dW2", "--dW2", "-7", "-o"])
def test_a_question_that_begins_with_a_minus_is_a_question(calls: Calls, question: str) -> None:
    result = run("ask", "net.py", question, "--format", "text")
    assert "No such option" not in result.output
    assert calls.program == "net.py"


def test_a_question_is_answered(calls: Calls) -> None:
    result = run("ask", "net.py", "dL/dW2")
    assert result.exit_code == 0
    for said in ("line 26: dW2 = np.dot(hidden.T, dscores)", "∂L/∂W₂ = Hᵀ∂L/∂S", "Derivation", "✓ Proved"):
        assert said in result.stdout


def test_an_answer_can_be_pasted(calls: Calls) -> None:
    assert "\\paragraph{Line 26" in run("ask", "net.py", "26", "--format", "latex").stdout
    assert "## Line 26" in run("ask", "net.py", "26", "--format", "markdown").stdout
    parts = json.loads(run("ask", "net.py", "26", "--format", "json").stdout)
    assert [part["source"] for part in parts] == ["dW2 = np.dot(hidden.T, dscores)"]


def test_a_question_without_an_answer_says_what_can_be_asked(calls: Calls) -> None:
    result = run("ask", "net.py", "dL/dW9")
    assert result.exit_code == 2
    assert "nothing in it matches 'dL/dW9'" in result.stderr
    assert "Explained lines: 6, 8" in result.stderr
    assert result.stdout == ""


def test_strict_fails_on_a_wrong_gradient_only(calls: Calls) -> None:
    assert run("explain", "net.py", "--strict").exit_code == 1
    right = tuple(line for line in explanation().lines if line.line != 29)
    calls.result = dataclasses.replace(explanation(), lines=right)
    assert run("explain", "net.py", "--strict").exit_code == 0


def test_a_program_that_cannot_be_read_is_bad_input_with_its_place(calls: Calls) -> None:
    calls.result = ProgramError("invalid syntax", "net.py", 3, 8, "\tx = = 3\n", "Remove one of the two.")
    result = run("explain", "net.py")
    assert result.exit_code == 2
    assert (
        result.stderr
        == "net.py:3:8: invalid syntax\n    \tx = = 3\n    \t       ^\n  Remove one of the two.\n"
    )


def test_a_program_that_fails_is_told_apart_and_shows_its_own_frames(calls: Calls) -> None:
    error = ProgramFailed("ZeroDivisionError: division by zero", "net.py", 2, 4, "x = 1 / 0")
    error.traceback = 'Traceback (most recent call last):\n  File "net.py", line 2\n'
    calls.result = error
    result = run("explain", "net.py")
    assert result.exit_code == 3
    assert result.stderr.startswith(
        'Traceback (most recent call last):\n  File "net.py", line 2\n\nnet.py:2:4:'
    )
    assert "net.py:2:4: ZeroDivisionError: division by zero\n    x = 1 / 0\n        ^" in result.stderr


@pytest.mark.parametrize("kind", [MissingPackage, NameUndefined, TimedOut, OutOfMemory, RecordingError])
def test_a_program_that_does_not_come_to_its_end_has_exit_code_3(
    calls: Calls, kind: type[RecordingError]
) -> None:
    calls.result = kind("What happened.", "net.py", hint="What to do.")
    result = run("explain", "net.py")
    assert (result.exit_code, result.stderr) == (3, "net.py: What happened.\n  What to do.\n")


def test_what_cannot_be_explained_is_bad_input(calls: Calls) -> None:
    calls.result = CannotExplain("There is no loss named J.", "Scalars found: loss, data_loss.")
    result = run("explain", "net.py", "--loss", "J")
    assert (result.exit_code, result.stderr) == (
        2,
        "net.py: There is no loss named J.\n  Scalars found: loss, data_loss.\n",
    )


def test_a_mistake_of_ours_is_owned_up_to(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    calls.result = KeyError("x")
    result = run("explain", "net.py")
    assert result.exit_code == 70
    assert "a mistake in tracer, not in your program: KeyError" in result.stderr
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("TRACER_DEBUG", "1")
    assert isinstance(run("explain", "net.py").exception, KeyError)


def test_the_program_is_never_written_over(calls: Calls, tmp_path: Path) -> None:
    result = run("explain", "net.py", "-o", "net.py")
    assert result.exit_code == 2
    assert "the program itself" in result.stderr
    assert (tmp_path / "net.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    "arguments,said",
    [
        (("explain", "net.py", "-o", "no/such/report.html"), "there is no folder"),
        (("explain", "net.py", "--fragment"), "--fragment belongs to --format latex"),
        (("explain", "net.py", "--define", "reg"), "is not NAME=VALUE"),
        (("explain", "net.py", "--define", "1x=3"), "is not NAME=VALUE"),
        (("explain", "net.py", "--format", "pdf"), "'pdf' is not one of"),
        (("explain", "net.py", "--formt", "json"), "No such option"),
        (("explain", "net.py", "--timeout", "0"), "0"),
        (("explain", "net.py", "--iteration", "-1"), "-1"),
        (("explain",), "Missing argument 'PROGRAM'"),
        (("ask", "net.py"), "Missing argument 'QUESTION'"),
        (("explain", "net.py", "--setup", "missing.py"), "missing.py"),
    ],
)
def test_a_mistake_in_the_arguments_is_bad_input(calls: Calls, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_version_is_told() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("tracer, version ")


def test_help_comes_at_once_and_loads_nothing_heavy(root: Path) -> None:
    code = "import sys, tracer.cli; heavy = {'numpy', 'sympy', 'jinja2', 'pygments', 'rich'} & set(sys.modules); print(heavy or 'light')"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
        ).stdout.strip()
        == "light"
    )
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tracer.cli", "--help"], capture_output=True, cwd=root, check=True
        )
        times.append(time.perf_counter() - start)
    # A loaded machine may double a time; the median of an idle one is far below.
    assert min(times) < 0.3
