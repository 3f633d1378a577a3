"""Programs in processes of their own: none stops the others, and nothing is left behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.checking.fixture import PROGRAMS
from tracer.checking import Checked, Limits, check_programs
from tracer.checking import running as module
from tracer.checking.storage import append_result, read_results

RIGHT = """import numpy as np
X, Y, W = np.random.randn(8, 3), np.random.randn(8, 2), np.random.randn(3, 2)
for i in range(5):
    D = X @ W - Y
    loss = np.sum(D ** 2) / 8
    dW = X.T @ D / 4
    W -= 0.01 * dW
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(sources: dict[str, str], limits: Limits | None = None, jobs: int = 2) -> dict[str, Checked]:
    for name, source in sources.items():
        Path(name).write_text(source)
    found = check_programs(list(sources), jobs=jobs, limits=limits or Limits(20.0, 60.0))
    return {checked.path: checked for checked in found}


def test_a_broken_program_does_not_stop_the_others(folder: Path) -> None:
    found = check(
        {
            "syntax.py": "x = = 1\n",
            "failing.py": "import numpy as np\nnp.ones(2) @ np.ones(3)\n",
            "leaving.py": "import os\nos._exit(7)\n",
            "killing.py": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n",
            "right.py": RIGHT,
            "missing.py": RIGHT.replace("0.01", "rate"),
            "empty.py": "",
        }
    )
    kinds = {path: checked.failure.kind for path, checked in found.items() if checked.failure}
    assert kinds == {
        "syntax.py": "input", "failing.py": "program", "leaving.py": "program", "killing.py": "memory",
        "missing.py": "program",
    }  # fmt: skip
    assert found["right.py"].outcome == "right"
    assert [(g.line, g.code, g.what, g.verdict) for g in found["right.py"].gradients] == [
        (6, "dW", "∂loss/∂W", "proved")
    ]
    failure = found["missing.py"].failure
    assert failure is not None
    assert (failure.message, failure.line, failure.column) == ("The name 'rate' is not defined.", 7, 9)
    assert "--define rate=VALUE" in failure.hint
    assert found["empty.py"].outcome == "nothing found"
    killed = found["killing.py"].failure
    assert killed is not None
    assert "was killed" in killed.message


def test_a_program_that_hangs_is_ended_with_what_it_started(folder: Path) -> None:
    source = (
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "with open('pid.new', 'w') as file:\n    file.write(str(child.pid))\n"
        "os.replace('pid.new', 'pid')\n"
        "while True:\n    time.sleep(0.1)\n"
    )
    seconds = 2.0
    while not (folder / "pid").exists() and seconds < 60:  # a machine under load may need long to start it
        seconds *= 2
        (checked,) = check({"hanging.py": source}, Limits(seconds, 120.0)).values()
    assert checked.failure is not None
    assert checked.failure.kind == "time"
    assert f"in {seconds:g} seconds" in checked.failure.message
    assert gone(int((folder / "pid").read_text()))


def test_all_of_a_check_has_a_limit(folder: Path) -> None:
    (checked,) = check({"hanging.py": "while True: pass\n"}, Limits(60.0, 2.0)).values()
    assert checked.failure is not None
    assert (checked.failure.kind, checked.failure.message) == ("time", "It was not checked within 2 seconds.")


def test_memory_is_limited(folder: Path) -> None:
    source = "import numpy as np\nx = [np.ones(10 ** 8) for _ in range(20)]\n"
    (checked,) = check({"eating.py": source}, Limits(30.0, 60.0, 2**30)).values()
    assert checked.failure is not None
    assert checked.failure.kind == "memory"


def test_breaking_off_ends_what_is_under_way(folder: Path) -> None:
    source = (
        "import os, time\nwith open('pid.new', 'w') as file:\n    file.write(str(os.getpid()))\nos.replace('pid.new', 'pid')\n"
        "while True: time.sleep(0.1)\n"
    )
    (folder / "hanging.py").write_text(source)
    (folder / "empty.py").write_text("")
    found = check_programs(["empty.py", "hanging.py"], jobs=2)
    assert next(found).path == "empty.py"
    until = time.monotonic() + 60
    while not (folder / "pid").exists() and time.monotonic() < until:
        time.sleep(0.05)
    found.close()  # type: ignore[attr-defined]
    assert gone(int((folder / "pid").read_text()))
    assert not any(
        thread.name.startswith("ThreadPool") and thread.is_alive() for thread in threading.enumerate()
    )


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process ends within some seconds, or is only waited for."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_results_are_kept_and_taken_up_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[str] = []

    def checked(path: str, key: str, *_: object) -> Checked:
        checks.append(path)
        return Checked(path, key, 1.0)

    monkeypatch.setattr(module, "_check", checked)
    for name in ("a.py", "b.py", "c.py"):
        (folder / name).write_text("x = 1\n")
    file = folder / "results.jsonl"
    running = check_programs(["a.py", "b.py"], results=file)
    assert next(running).path == "a.py"
    running.close()  # type: ignore[attr-defined]
    assert list(read_results(file)) != []
    with file.open("a") as stream:
        stream.write('{"path": "b.py", "cut o')
    checks.clear()
    found = [one.path for one in check_programs(["a.py", "b.py", "c.py"], results=file)]
    assert sorted(found) == ["a.py", "b.py", "c.py"]
    assert "a.py" not in checks
    assert len(read_results(file)) == 3
    checks.clear()
    (folder / "a.py").write_text("x = 2\n")  # what has changed is checked again
    assert len(list(check_programs(["a.py", "b.py", "c.py"], results=file))) == 3
    assert checks == ["a.py"]
    checks.clear()
    assert len(list(check_programs(["b.py"], results=file, options={"define": {"rate": "1"}}))) == 1
    assert checks == ["b.py"]


def test_a_file_of_results_gives_back_what_was_put_in(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    assert read_results(file) == {}
    for checked in PROGRAMS:
        append_result(file, checked)
    assert tuple(read_results(file).values()) == PROGRAMS
