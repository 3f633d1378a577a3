"""Programs that cannot be explained, on the real command line: the message, its place, and the exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tracer.cli import main

#: A program whose backward pass is right; names that are left out are given by `--define` or `--setup`.
TRAINING = """import numpy as np
X = np.random.randn(8, 3)
Y = np.random.randn(8, 2)
W = np.random.randn(3, 2)
for i in range(5):
    D = X @ W - Y
    loss = np.sum(D ** 2) / 8
    dW = X.T @ D / 4
    W -= rate * dW
"""
WHOLE = TRAINING.replace("rate", "0.01")
STALE = Path(__file__).resolve().parents[2] / "examples" / "stale_weights.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def explain(source: str | bytes, *options: str) -> Result:
    """`tracer explain net.py …` for a program of this text."""
    data = source if isinstance(source, bytes) else source.encode()
    Path("net.py").write_bytes(data)
    return CliRunner().invoke(main, ["explain", "net.py", *options])


def test_a_right_program_has_exit_code_0_also_with_strict(folder: Path) -> None:
    result = explain(WHOLE, "--strict")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 backward line: 1 proved → net.html" in result.stderr
    assert (folder / "net.html").is_file()


def test_strict_turns_a_wrong_gradient_into_exit_code_1(folder: Path) -> None:
    source = STALE.read_text("utf-8")
    result = explain(source, "--strict")
    assert result.exit_code == 1
    assert result.stderr.count("wrong gradient: ") == 1  # three lines, one cause
    assert "net.py:34:" in result.stderr
    assert "The same cause: 38:10, 39:10" in result.stderr
    assert (folder / "net.html").is_file()
    assert explain(source).exit_code == 0


def test_a_file_that_does_not_exist(folder: Path) -> None:
    result = CliRunner().invoke(main, ["explain", "nowhere.py"])
    assert (result.exit_code, result.stderr) == (2, "nowhere.py: No such file.\n  Check the path.\n")


def test_a_folder(folder: Path) -> None:
    (folder / "programs").mkdir()
    result = CliRunner().invoke(main, ["explain", "programs"])
    assert result.exit_code == 2
    assert "This is a directory, not a program" in result.stderr


@pytest.mark.parametrize(
    "source,options,code,said",
    [
        (b'x = "caf\xe9"\n', (), 2, ("net.py:1:8: The file is not UTF-8", "\n            ^\n", "declare its encoding")),
        (b"x\0y", (), 2, ("net.py:1:", "not a text file")),
        ("x = = 3\n", (), 2, ("net.py:1:4: Syntax error", "\n    x = = 3\n        ^\n")),
        ("for i in range(3):\nx = 1\n", (), 2, ("net.py:2:0: ", "indentation seems to have been lost in copying", "\n    x = 1\n    ^\n")),
        ("def f(a):\n    return a / [][5]\nf(1)\n", (), 3, ('File "net.py", line 3, in <module>', "net.py:2:15: The program failed: IndexError", "\n               ")),
        ("import no_such_package\n", (), 3, ("net.py:1:0: The program needs the package 'no_such_package'", "pip install no_such_package")),
        (TRAINING, (), 3, ("net.py:9:9: The name 'rate' is not defined.", "--define rate=VALUE", "--setup FILE")),
        (TRAINING, ("--define", "rate=1+"), 2, ("The value of rate cannot be used",)),
        (WHOLE, ("--setup", "nowhere.py"), 2, ("nowhere.py",)),
        (WHOLE, ("--loss", "cost"), 2, ("No scalar called cost",)),
        (WHOLE, ("--loop", "7"), 2, ("net.py:7:0: There is no loop in line 7", "lines: 5")),
        ("while True:\n    pass\n", ("--timeout", "3"), 3, ("in 3 seconds. It was in line ", "Allow more time")),
        (WHOLE, ("-o", "net.py"), 2, ("the program itself", "-o")),
        (WHOLE, ("-o", "."), 2, ("this is a folder",)),
        (WHOLE, ("-o", "nowhere/net.html"), 2, ("nowhere/net.html: there is no folder ",)),
    ],
)  # fmt: skip
def test_the_message_says_what_and_where_and_what_to_do(
    folder: Path, source: str | bytes, options: tuple[str, ...], code: int, said: tuple[str, ...]
) -> None:
    result = explain(source, *options)
    assert result.exit_code == code, result.stderr
    for text in said:
        assert text in result.stderr
    assert result.stdout == ""
    assert "site-packages" not in result.stderr
    assert [path.name for path in folder.iterdir()] == ["net.py"]
    assert (folder / "net.py").read_bytes() == (source if isinstance(source, bytes) else source.encode())


def test_only_the_programs_own_frames_are_shown(folder: Path) -> None:
    result = explain("import numpy as np\ndef f():\n    np.ones(2) @ np.ones(3)\nf()\n")
    assert result.exit_code == 3
    frames = [line for line in result.stderr.split("\n") if line.startswith("  File ")]
    assert frames == ['  File "net.py", line 4, in <module>', '  File "net.py", line 3, in f']


def test_the_program_is_not_written_over_through_a_link(folder: Path) -> None:
    (folder / "report.html").symlink_to("net.py")
    result = explain(WHOLE, "-o", "report.html")
    assert result.exit_code == 2
    assert "the program itself" in result.stderr
    assert (folder / "net.py").read_text() == WHOLE


@pytest.mark.parametrize("option", [("--define", "rate=1e-2"), ("--setup", "before.txt")])
def test_a_name_that_was_not_copied_can_be_given(folder: Path, option: tuple[str, str]) -> None:
    (folder / "before.txt").write_text("rate = 1e-2\n")
    result = explain(TRAINING, *option)
    assert result.exit_code == 0, result.stderr
    assert "1 proved" in result.stderr


def test_a_program_in_python_2_is_converted_and_the_report_says_so(folder: Path) -> None:
    source = WHOLE.replace("range", "xrange") + "    print 'loss', loss\n"
    result = explain(source, "--format", "text")
    assert result.exit_code == 0
    assert "1 proved" in result.stderr
    assert "Python 2" in result.stdout
    assert "'loss'" not in result.stderr


@pytest.mark.parametrize("source", ["", "import numpy as np\nx = np.exp(np.ones(3))\nloss = np.sum(x)\n"])
def test_without_a_backward_pass_the_forward_pass_is_explained(folder: Path, source: str) -> None:
    result = explain(source)
    assert result.exit_code == 0
    assert "no backward pass: only the forward pass is explained" in result.stderr
    page = (folder / "net.html").read_text("utf-8")
    assert "No line of a backward pass was found" in page
    assert ('id="L2"' in page) == bool(source)


def test_a_full_disk_is_said_in_one_line(folder: Path, root: Path) -> None:
    (folder / "net.py").write_text(WHOLE)
    command = [sys.executable, "-m", "tracer.cli", "explain", str(folder / "net.py"), "--format", "text"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=root, timeout=60)
    assert (done.returncode, done.stderr) == (
        2,
        "standard output cannot be written: No space left on device.\n",
    )


def test_what_the_program_prints_never_reaches_standard_output(folder: Path) -> None:
    result = explain(WHOLE + "print('done')\n", "--format", "json")
    assert result.stdout.startswith("{")
    assert "done\n" not in result.stdout


def test_a_program_that_asks_is_answered_from_a_file(tmp_path: Path, root: Path) -> None:
    program = tmp_path / "asks.py"
    program.write_text("import numpy as np\nn = int(input('how many? '))\nassert n == 3\nloss = np.sum(np.ones(n) * 2.0)\n")
    answers = tmp_path / "answers.txt"
    answers.write_text("3\n")
    command = [sys.executable, "-m", "tracer", "explain", str(program), "--format", "text"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    silent = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert silent.returncode == 3
    assert "--answers FILE" in silent.stderr
    answered = subprocess.run(
        [*command, "--answers", str(answers)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert answered.returncode == 0
