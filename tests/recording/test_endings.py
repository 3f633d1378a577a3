"""How a run ends, and what comes back from its process then."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.recording.test_windows import iterations, net
from tracer.program import load
from tracer.recording import (
    MissingPackage,
    NameUndefined,
    OutOfMemory,
    ProgramFailed,
    TimedOut,
    record_in_child,
    record_source,
)
from tracer.recording.box import same
from tracer.tape import Kind, replay


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def put(source: str, name: str = "program.py") -> Path:
        path = tmp_path / name
        path.write_text(source, encoding="utf-8")
        return path

    return put


def test_the_child_brings_back_the_same_tape(write) -> None:  # type: ignore[no-untyped-def]
    program = load(write(net()))
    here, there = record_source(program), record_in_child(program)
    assert here.tape.bindings == there.tape.bindings
    assert here.tape.windows == there.tape.windows
    for a, b in zip(here.tape.nodes, there.tape.nodes, strict=True):
        assert (a.op, a.kind, a.names, a.site, a.dtype, a.origin) == (
            b.op,
            b.kind,
            b.names,
            b.site,
            b.dtype,
            b.origin,
        )
        assert same(a.value, b.value) or a.kind is Kind.RANDOM
    values = replay(there.tape)
    assert all(same(n.value, values[n.id]) for n in there.tape.window_nodes())


def test_arguments_standard_input_and_files_beside_the_program(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    np.savetxt(tmp_path / "data.txt", np.ones((2, 2)))
    (tmp_path / "layers.py").write_text("def double(x):\n    return x * 2\n")
    source = "import sys, numpy as np\nfrom layers import double\nx = np.loadtxt('data.txt')\nprint(sys.argv[1:], input(), double(x).sum())\n"
    recording = record_in_child(load(write(source)), args=["-v", "3"], stdin="hello\n")
    assert recording.stdout == "['-v', '3'] hello 8.0\n"


def test_a_relative_path_works_from_elsewhere(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "p.py").write_text("import os\nprint(os.path.exists(__file__))\n")
    monkeypatch.chdir(tmp_path)
    assert record_in_child(load(os.path.join("sub", "p.py"))).stdout == "True\n"


def test_a_failing_program_shows_its_own_traceback(write) -> None:  # type: ignore[no-untyped-def]
    path = write("import numpy as np\ndef f(x):\n    return x @ np.ones(5)\nprint('before')\nf(np.ones(3))\n")
    with pytest.raises(ProgramFailed, match="matmul") as caught:
        record_in_child(load(path))
    assert caught.value.kind == "ValueError"
    assert caught.value.line == 3
    assert caught.value.stdout == "before\n"
    lines = caught.value.traceback.splitlines()
    assert [line.strip() for line in lines if line.startswith("    ")] == [
        "f(np.ones(3))",
        "return x @ np.ones(5)",
    ]
    assert "tracer" not in caught.value.traceback


def test_a_failure_after_the_windows_keeps_the_recording(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ProgramFailed) as caught:
        record_in_child(load(write(net() + "raise ValueError('late')\n")), run_on=True)
    assert caught.value.recording is not None
    assert iterations(caught.value.recording) == [0, 1]


def test_python_2_lines_in_a_traceback_are_those_of_the_file(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ProgramFailed) as caught:
        record_in_child(load(write("print 'a'\nx = [1]\nprint x[3]\n")))
    assert (caught.value.line, caught.value.source_line) == (3, "print x[3]")


def test_a_missing_package_is_named(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MissingPackage, match="pip install no_such_package_at_all") as caught:
        record_in_child(load(write("import numpy\nimport no_such_package_at_all.sub\n")))
    assert caught.value.package == "no_such_package_at_all"
    assert caught.value.line == 2


def test_an_undefined_name_says_how_to_define_it(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    program = load(write("import numpy as np\nx = np.ones(3) * reg\nprint(x.sum())\n"))
    with pytest.raises(NameUndefined, match="--define reg=VALUE") as caught:
        record_in_child(program)
    assert (caught.value.name, caught.value.line) == ("reg", 2)
    assert record_in_child(program, define={"reg": "2.0"}).stdout == "6.0\n"
    (tmp_path / "before.py").write_text("reg = 3.0\n")
    assert record_in_child(program, setup=tmp_path / "before.py").stdout == "9.0\n"


def test_a_program_that_runs_for_ever_is_ended_and_says_where(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TimedOut) as caught:
        record_in_child(load(write("x = 0\nwhile True:\n    pass\n")), timeout=2.0)
    assert caught.value.seconds == 2.0
    assert caught.value.line in (2, 3)


def test_time_running_out_after_the_windows_is_no_error(write) -> None:  # type: ignore[no-untyped-def]
    recording = record_in_child(load(write(net() + "while True:\n    pass\n")), run_on=True, timeout=3.0)
    assert iterations(recording) == [0, 1]
    assert recording.ended == "time"


def test_a_program_that_wants_too_much_memory_is_told(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OutOfMemory):
        record_in_child(load(write("import numpy as np\nx = np.ones((40000, 40000))\n")), memory=2**30)


def test_sys_exit_is_an_end(write) -> None:  # type: ignore[no-untyped-def]
    recording = record_in_child(load(write("import sys\nprint(1)\nsys.exit(3)\n")))
    assert (recording.stdout, recording.ended) == ("1\n", "exit")


def test_a_missing_matplotlib_is_replaced_with_a_notice(write, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from tracer.recording import stubs

    monkeypatch.setattr(stubs, "STUBBED", ("plotting_that_nobody_has",))
    source = "import plotting_that_nobody_has.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\nplt.show()\nprint('ok')\n"
    recording = record_source(load(write(source)))
    assert recording.stdout == "ok\n"
    assert [(n.line, n.what.split()[0]) for n in recording.notices] == [(1, "plotting_that_nobody_has")]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("np.loadtxt('points.csv')", "points.csv"),
        ("np.load('mnist.npz')", "mnist.npz"),
        ("open('data/train.txt')", "data/train.txt"),
    ],
)
def test_a_file_that_is_not_there_is_named_with_the_folder_it_was_looked_for_in(
    write,  # type: ignore[no-untyped-def]
    call: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProgramFailed) as caught:
        record_source(load(write(f"import numpy as np\ndata = {call}\n")))
    error = caught.value
    assert error.message == f"The program reads a file that is not there: {name!r}."
    assert error.hint == f"It was looked for in {tmp_path}. Put it there, or a small one of the same form."
    assert (error.line, error.source_line, error.kind) == (2, f"data = {call}", "FileNotFoundError")
