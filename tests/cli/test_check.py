"""``tracer check`` on the real command line."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tracer.checking
from tests.checking.fixture import PROGRAMS
from tests.checking.test_running import RIGHT, gone
from tracer.checking import Checked
from tracer.cli import main

RIGHT_ONE, WRONG_ONE, UNKNOWN_ONE, NOTHING, BROKEN, SLOW = PROGRAMS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Checked]:
    """What the check is to find; the programs are not run."""
    found: list[Checked] = []

    def check_programs(paths: tuple[str, ...], **_: object) -> Iterator[Checked]:
        yield from found

    monkeypatch.setattr(tracer.checking, "check_programs", check_programs)
    monkeypatch.setattr(tracer.checking, "find_programs", lambda _: tuple(c.path for c in found))
    return found


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


@pytest.mark.parametrize(
    "programs,code,strict",
    [
        ([RIGHT_ONE], 0, 0),
        ([RIGHT_ONE, UNKNOWN_ONE], 0, 1),
        ([NOTHING], 0, 1),
        ([RIGHT_ONE, WRONG_ONE, BROKEN], 1, 1),
        ([RIGHT_ONE, BROKEN], 3, 3),
        ([SLOW, UNKNOWN_ONE], 3, 1),
    ],
)
def test_the_exit_code_says_the_worst(
    given: list[Checked], programs: list[Checked], code: int, strict: int
) -> None:
    given += programs
    assert check("x").exit_code == code
    assert check("x", "--strict").exit_code == strict


def test_lines_come_as_programs_are_done_and_a_table_at_the_end(given: list[Checked]) -> None:
    given += [WRONG_ONE, RIGHT_ONE]
    result = check("x")
    lines = result.stdout.split("\n")
    assert lines[0].startswith("wrong.py:33:4: proved: dW2")
    assert lines[7].startswith("program ")
    assert result.stderr == "2 programs, 6 gradients: 2 proved, 1 checked, 3 wrong\n"


def test_one_program_has_no_table(given: list[Checked]) -> None:
    given += [RIGHT_ONE]
    assert "program " not in check("x").stdout


@pytest.mark.parametrize("format_", ["text", "json", "sarif"])
def test_every_format_can_go_to_a_file(given: list[Checked], folder: Path, format_: str) -> None:
    given += [RIGHT_ONE, WRONG_ONE]
    result = check("x", "--format", format_, "-o", "out.txt")
    assert (result.exit_code, result.stdout) == (1, "")
    text = (folder / "out.txt").read_text("utf-8")
    if format_ == "text":
        assert "wrong.py:41:8: wrong" in text
        assert text.endswith("3 wrong\n")
    else:
        assert check("x", "--format", format_).stdout == text
        assert json.loads(text)


def test_real_programs_with_a_broken_one_among_them(folder: Path) -> None:
    for name, source in (
        ("a/net.py", RIGHT),
        ("b/net.py", RIGHT.replace("0.01", "rate")),
        ("c/net.py", "x = = 1\n"),
    ):
        (folder / name).parent.mkdir()
        (folder / name).write_text(source)
    result = check(".", "--format", "json", "--jobs", "2", "--results", "results.jsonl")
    assert result.exit_code == 3, result.stderr
    data = json.loads(result.stdout)
    assert [(one["path"], one["outcome"]) for one in data["programs"]] == [
        ("a/net.py", "right"), ("b/net.py", "failed"), ("c/net.py", "failed"),
    ]  # fmt: skip
    assert len((folder / "results.jsonl").read_text("utf-8").splitlines()) == 3
    again = check("b", "--define", "rate=0.01")
    assert (again.exit_code, again.stdout) == (0, "b/net.py:6:9: proved: dW: ∂loss/∂W\n")


@pytest.mark.parametrize(
    "arguments,said",
    [
        (("nowhere.py",), "nowhere.py: No such file.\n  Check the path.\n"),
        (("*.nothing",), "*.nothing: no file matches this pattern."),
        ((), "Missing argument 'PROGRAMS...'"),
        (("x.py", "--jobs", "0"), "0 is not in the range"),
        (("x.py", "--define", "rate"), "is not NAME=VALUE"),
        (("x.py", "-o", "."), "this is a folder"),
        (("x.py", "--results", "nowhere/results.jsonl"), "nowhere/results.jsonl: No such file or directory."),
    ],
)
def test_bad_input_has_exit_code_2_and_a_message(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    (folder / "x.py").write_text("")
    result = check(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_interrupt_shows_what_was_done_and_how_to_go_on(
    given: list[Checked], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_programs(paths: tuple[str, ...], **_: object) -> Iterator[Checked]:
        yield RIGHT_ONE
        raise KeyboardInterrupt

    given += [RIGHT_ONE, WRONG_ONE]
    monkeypatch.setattr(tracer.checking, "check_programs", check_programs)
    result = check("x", "--results", "kept.jsonl")
    assert result.exit_code == 130
    assert (
        "Broken off after 1 of 2 programs. What was done is in kept.jsonl: call again to go on."
        in result.stderr
    )
    assert "right.py:33:4: proved" in result.stdout


def test_the_command_line_is_light_until_a_command_is_called(root: Path) -> None:
    code = "import sys, tracer.cli; print({'numpy', 'sympy', 'rich', 'msgspec', 'jinja2'} & set(sys.modules) or 'light')"
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout == "light\n"


def test_an_interrupt_ends_what_is_under_way(folder: Path, root: Path) -> None:
    (folder / "empty.py").write_text("")
    (folder / "hanging.py").write_text(
        "import os, time\nwith open('pid.new', 'w') as file:\n    file.write(str(os.getpid()))\nos.replace('pid.new', 'pid')\n"
        "while True: time.sleep(0.1)\n"
    )
    command = [sys.executable, "-m", "tracer", "check", "empty.py", "hanging.py", "--results", "kept.jsonl"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    listens = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background of a shell does not
    running = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=listens
    )
    assert running.stdout is not None
    assert running.stdout.readline().startswith("empty.py: no gradient was found")
    until = time.monotonic() + 60
    while time.monotonic() < until and not (folder / "pid").exists():
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "Broken off after 1 of 2 programs. What was done is in kept.jsonl" in err
    assert "Traceback" not in err
    assert gone(int((folder / "pid").read_text()))


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is needed")
def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(folder: Path, root: Path) -> None:
    for name in ("a.py", "b.py"):
        (folder / name).write_text("")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "tracer", "check", "a.py", "b.py", "--jobs", "1"]
    environment = {**os.environ, "PYTHONPATH": str(root), "TERM": "xterm"}
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=theirs, timeout=60)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    assert run.returncode == 0
    assert b"checking" in shown
    assert b"2/2" in shown
    assert b"2 programs, 0 gradients" in shown
    lines = run.stdout.decode().split("\n")
    assert lines[:2] == [f"{name}: no gradient was found; nothing is claimed." for name in ("a.py", "b.py")]
    assert "checking" not in run.stdout.decode()
