"""Programs of several files, notebooks, standard input, calls of a module's functions, Python 2."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import tracer
from tracer.program import ProgramError, load, parse, with_call
from tracer.recording import ProgramFailed, record_function, record_in_child, record_source
from tracer.tape import Kind

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
MAIN = """\
import numpy as np
from layers import affine_forward, affine_backward
np.random.seed(0)
x, w, b = np.random.randn(4, 3), np.random.randn(3, 2), np.zeros(2)
t = np.random.randn(4, 2)
for step in range(10):
    out, cache = affine_forward(x, w, b)
    loss = 0.5 * np.sum((out - t) ** 2)
    dx, dw, db = affine_backward(out - t, cache)
    w -= 0.1 * dw
    b -= 0.1 * db
"""
SOLVER = """\
class Solver:
    def __init__(self, net):
        self.net = net
    def train(self, x, t):
        for epoch in range(20):
            out = x.dot(self.net.w)
            loss = ((out - t) ** 2).sum()
            grad = x.T.dot(2 * (out - t))
            self.net.w -= 0.01 * grad
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder / "main.py"


# -- several files ----------------------------------------------------------------------------------


def test_the_programs_own_modules_are_recorded_with_their_own_places(tmp_path: Path) -> None:
    recording = record_in_child(load(write(tmp_path, main=MAIN, layers=LAYERS)))
    node = next(n for n in recording.tape.nodes if "dw" in n.names and n.window == 1)
    assert node.op == "dot"
    assert node.site is not None
    assert (Path(node.site.path).name, node.site.span.line) == ("layers.py", 10)
    assert node.calls[-1].function == "affine_backward"
    assert not [n for n in recording.notices if "follow" in n.what]


def test_a_training_loop_in_another_file_is_found(tmp_path: Path) -> None:
    main = "import numpy as np, types\nfrom solver import Solver\nnet = types.SimpleNamespace(w=np.ones((3, 1)))\nSolver(net).train(np.eye(3), np.zeros((3, 1)))\n"
    recording = record_in_child(load(write(tmp_path, main=main, solver=SOLVER)))
    assert [(w.loop_line, w.iteration) for w in recording.tape.windows] == [(5, 0), (5, 1)]
    assert any("grad" in n.names for n in recording.tape.nodes)


def test_packages_and_modules_that_import_each_other_are_recorded(tmp_path: Path) -> None:
    (tmp_path / "nn").mkdir()
    write(
        tmp_path / "nn",
        __init__="from .act import tanh\n",
        act="import numpy as np\nfrom nn.const import K\ndef tanh(z):\n    return K * np.tanh(z)\n",
        const="K = 3.0\n",
    )
    recording = record_in_child(
        load(write(tmp_path, main="import numpy as np\nimport nn\ny = nn.tanh(np.ones(2))\n"))
    )
    assert [n.op for n in recording.tape.nodes if n.kind is Kind.OPERATION][-2:] == ["tanh", "multiply"]


def test_a_module_of_the_program_leaves_no_trace_in_this_process(tmp_path: Path) -> None:
    record_source(load(write(tmp_path, main="import own_layers\n", own_layers="x = 1.5\n")))
    assert "own_layers" not in sys.modules


def test_a_failure_in_another_file_is_shown_there(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="division") as caught:
        record_in_child(
            load(write(tmp_path, main="import part\npart.f(0)\n", part="def f(x):\n    return 1 / x\n"))
        )
    assert (Path(caught.value.path).name, caught.value.line, caught.value.source_line) == (
        "part.py",
        2,
        "    return 1 / x",
    )
    assert "part.f(0)" in caught.value.traceback


def test_a_notice_about_another_file_names_it(tmp_path: Path) -> None:
    main = "import numpy as np\nfrom part import f\ny = f(np.ones(3))\n"
    part = "import numpy as np\ndef f(x):\n    return eval('x * 2')\n"
    recording = record_in_child(load(write(tmp_path, main=main, part=part)))
    assert [(n.line, n.what.split(" ")[0]) for n in recording.notices] == [(0, "part.py:3:11:")]


def test_a_python_2_module_beside_the_program_is_converted_too(tmp_path: Path) -> None:
    recording = record_in_child(
        load(
            write(
                tmp_path,
                main="from part import f\nprint(f())\n",
                part="def f():\n    print 'here'\n    return 7 / 2\n",
            )
        )
    )
    assert recording.stdout == "here\n3\n"


def test_loops_that_nobody_reaches_leave_the_program_to_be_recorded_whole(tmp_path: Path) -> None:
    recording = record_source(parse(SOLVER + "import numpy as np\ny = np.ones(3) * 2\n"))
    assert [w.loop_line for w in recording.tape.windows] == [0]
    assert any("never reached" in n.what for n in recording.notices)


# -- other doors ------------------------------------------------------------------------------------


def test_a_call_of_a_modules_function_is_recorded(tmp_path: Path) -> None:
    write(tmp_path, layers=LAYERS + SOLVER + "\nif __name__ == '__main__':\n    print('main')\n")
    setup = tmp_path / "given.py"
    setup.write_text(
        "import numpy as np\nx, w, b = np.ones((4, 3)), np.ones((3, 2)), np.zeros(2)\ndout = np.ones((4, 2))\n"
    )
    program = with_call(load(tmp_path / "layers.py"), "affine_backward(dout, affine_forward(x, w, b)[1])")
    recording = record_in_child(program, setup=setup, as_module=True)
    assert recording.stdout == ""
    names = {name for n in recording.tape.nodes for name in n.names}
    assert {"dout", "x", "w", "dx", "dw", "db", "out"} <= names
    assert not recording.notices


def test_a_call_that_is_no_expression_is_refused() -> None:
    with pytest.raises(ProgramError, match="not a Python expression"):
        with_call(parse(LAYERS), "affine_forward(x,")


def test_a_program_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("x = 1  # größer\n".encode())))
    assert load("-").lines[0] == "x = 1  # größer"


def test_a_notebook_is_recorded_with_its_notices(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": source}
        for source in (
            "%matplotlib inline\nimport numpy as np",
            MAIN.replace("from layers import affine_forward, affine_backward\n", LAYERS),
        )
    ]
    file = tmp_path / "net.ipynb"
    file.write_text(json.dumps({"cells": cells, "metadata": {}}))
    recording = record_in_child(load(file))
    assert len(recording.tape.windows) == 2
    assert [n.what for n in recording.notices] == ["Cell 1: %matplotlib inline was left out."]


class Net:
    def __init__(self) -> None:
        self.W = np.ones((3, 2))

    def loss(self, X, k=2.0):  # type: ignore[no-untyped-def]
        return np.sum((X @ self.W) ** k)


def test_a_method_is_recorded_with_its_arguments_as_leaves() -> None:
    recording = record_function(Net().loss, np.ones((4, 3)))
    leaves = [n.names[0] for n in recording.tape.nodes if n.kind is Kind.LEAF and n.names]
    assert {"X", "self.W"} <= set(leaves)
    assert recording.tape.nodes[-1].value == 72.0
    assert not recording.notices


def test_record_takes_a_path_or_a_function(tmp_path: Path) -> None:
    path = write(tmp_path, main=MAIN, layers=LAYERS)
    assert len(tracer.record(path, iteration=3).tape.windows) == 2
    assert tracer.record(Net().loss, np.ones((4, 3)), k=2.0).tape.nodes[-1].value == 72.0


# -- Python 2 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("name = raw_input('who? ')\nprint name\n", "who? me\n"),
        ("d = {'a': 1}\nfor k, v in d.iteritems():\n    print k, v\n", "a 1\n"),
        ("import cPickle\nprint cPickle.loads(cPickle.dumps([1, 2]))\n", "[1, 2]\n"),
        ("m = 7\nprint 1/2, m/2, m/2.0, -7/2\nm /= 2\nprint m\n", "0 3 3.5 -4\n3\n"),
        ("x = range(3)\nx.append(7)\nprint x, x[0]\n", "[0, 1, 2, 7] 0\n"),
        (
            "print map(lambda v: v * 2, [1, 2])[1], filter(None, [0, 3])[0], zip([1], [2])[0]\n",
            "4 3 (1, 2)\n",
        ),
        ("d = {'b': 1, 'a': 2}\nk = d.keys()\nk.sort()\nprint k, d.has_key('a')\n", "['a', 'b'] True\n"),
        ("print 0777, 10L, u'x' == 'x', `3`\n", "511 10 True 3\n"),
        ("try:\n    raise ValueError, 'no'\nexcept ValueError, e:\n    print e\n", "no\n"),
        ("import numpy as np\nprint np.array([7, 8]) / 2\n", "[3 4]\n"),
        ("print 'a',\nprint 'b'\n", "a b\n"),
        ("exec 'y = 3'\nprint y\n", "3\n"),
        ("def f((a, b), c):\n    return a + b + c\nprint f((1, 2), 3)\n", "6\n"),
        ("print reduce(lambda a, b: a + b, [1, 2, 3])\n", "6\n"),
        ("print '%d of %s' % (3, 'x') <> ''\n", "True\n"),
    ],
)
def test_python_2_prints_what_it_printed(source: str, printed: str) -> None:
    recording = record_source(parse(source), stdin="me\n")
    assert recording.stdout == printed
    assert recording.program.python2


HALVES = "def half(n):\n    return n / 2\n"


def packaged(folder: Path, **files: str) -> None:
    (folder / "parts").mkdir()
    write(folder / "parts", __init__="", **files)


@pytest.mark.parametrize(
    ("main", "halves"),
    [
        ("from halves import half\nprint half(9)\n", HALVES),
        ("from halves import half\nprint(half(9))\n", HALVES + "print 'read'\n"),
    ],
    ids=["the program says it", "a module says it"],
)
def test_where_one_file_is_python_2_all_are(tmp_path: Path, main: str, halves: str) -> None:
    recording = record_source(load(write(tmp_path, main=main, halves=halves)))
    assert recording.stdout.split()[-1] == "4"
    assert recording.program.python2
    assert any("because another file of the program is" in notice.what for notice in recording.notices)


@pytest.mark.parametrize(
    "halves",
    [
        f"from __future__ import division\n{HALVES}",
        f"{HALVES}name = f'{{half(3)}}'\n",
        "def half(n: int):\n    return n / 2\n",
        "def half(n):\n    print('half', end=' ')\n    return n / 2\n",
    ],
    ids=["future", "f-string", "annotation", "print with end"],
)
def test_a_file_that_divides_as_python_3_does_goes_on_doing_so(tmp_path: Path, halves: str) -> None:
    path = write(tmp_path, main="from halves import half\nprint half(9)\n", halves=halves)
    assert record_source(load(path)).stdout.split()[-1] == "4.5"


@pytest.mark.parametrize(
    "imported",
    ["import halves", "from halves import half", "import halves as h, numpy as np", "import inner.halves",
     "import inner.halves as deep", "from inner.halves import half"],
)  # fmt: skip
def test_a_module_of_a_python_2_package_imports_its_neighbours(tmp_path: Path, imported: str) -> None:
    called = imported.partition(" as ")[2].partition(",")[0] or imported.removeprefix("import ")
    call = "half" if imported.startswith("from") else f"{called}.half"
    packaged(tmp_path, halves=HALVES, user=f"{imported}\n\ndef third(n):\n    return {call}(n) + n / 3\n")
    (tmp_path / "parts" / "inner").mkdir()
    write(tmp_path / "parts" / "inner", __init__="", halves=HALVES)
    recording = record_source(load(write(tmp_path, main="from parts import user\nprint(user.third(9))\n")))
    assert recording.stdout == "7\n"


def test_a_name_that_a_library_has_does_not_make_a_package_python_2(tmp_path: Path) -> None:
    packaged(tmp_path, random="x = 1\n", user="import random\n\ndef third(n):\n    return random.randint(9, 9) / 2\n")
    recording = record_source(load(write(tmp_path, main="from parts import user\nprint(user.third(9))\n")))
    assert recording.stdout == "4.5\n"
    assert not recording.program.python2


def test_modules_of_a_python_2_program_are_explained_and_corrected(tmp_path: Path) -> None:
    main = MAIN.replace("for step in range(10):", "for step in xrange(10):") + "    print step, loss\n"
    wrong = LAYERS.replace("dw = x.T.dot(dout)", "dw = -x.T.dot(dout)") + "print 'layers'\n"
    explanation = tracer.explain(write(tmp_path, main=main, layers=wrong))
    [line] = [each for each in explanation.lines if "dw = -x.T" in each.source]
    [part] = [part for part in line.parts if part.verdict == "wrong"]
    assert part.diagnosis is not None
    assert part.diagnosis.fix is not None
    assert part.diagnosis.fix.strip() == "dw = x.T.dot(dout)"
    right = tracer.explain(write(tmp_path, main=main, layers=LAYERS + "print 'layers'\n"))
    verdicts = {part.target: part.verdict for each in right.lines for part in each.parts if part.target}
    assert (verdicts["dw"], verdicts["db"]) == ("proved", "proved")
