"""Programs in Python 2 keep what they mean: ``round``, ``cmp``, ``string``, lists where Python 3 gives none."""

from __future__ import annotations

import pytest

from tests.recording.test_windows import record
from tracer.program import ProgramError, parse
from tracer.recording.box import same
from tracer.tape import replay
from tracer.tape.functions import round_half_away


def printed(source: str) -> str:
    return record(source).stdout.strip()


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        # What the interpreter of Python 2.7 prints.
        ("print round(0.5), round(2.5), round(-1.5), round(2.675, 2), round(1250, -2), round(7)", "1.0 3.0 -2.0 2.67 1300.0 7.0"),
        ("print cmp(1, 2), cmp('b', 'a'), cmp(2.0, 2)", "-1 1 0"),
        ("print sorted([3, 1, 2], cmp=lambda x, y: cmp(y, x))", "[3, 2, 1]"),
        ("def back(x, y):\n    return y - x\nl = [1, 3, 2]\nl.sort(back)\nprint l, sorted(l, cmp)", "[3, 2, 1] [1, 2, 3]"),
        ("l = [1, 3, 2]\nl.sort(lambda x, y: y - x)\nprint l", "[3, 2, 1]"),
        ("l = [1, 3, 2]\nl.sort(cmp=lambda x, y: y - x, reverse=True)\nprint l", "[1, 2, 3]"),
        ("import string\nprint string.letters[:3], string.uppercase[0], string.join(['a', 'b'], '-')", "abc A a-b"),
        ("from string import maketrans, lowercase\nprint 'aabb'.translate(maketrans('ab', 'xy')), lowercase[1]", "xxyy b"),
        ("exec 'q = 3 + 4'\nprint q, `q`, 0777, 10L, 7 <> 8", "7 7 511 10 True"),
        ("d = {'a': 1, 'b': 2}\nprint d.has_key('a'), d.values()[1], max(d.values()), sum(d.values())", "True 2 2 3"),
        ("l = [1, 2]\nprint map(abs, l)[1], filter(None, l)[0], zip(l, l)[1], range(4)[1:3], range(2) + l", "2 1 (2, 2) [1, 2] [0, 1, 1, 2]"),
        ("print range(3)", "[0, 1, 2]"),
        ("idx = range(3)\nprint idx", "[0, 1, 2]"),
        ("import sys\nprint sys.maxint > 2 ** 30, isinstance(u'x', basestring), unicode(3), 5 / 2, -5 / 2", "True True 3 2 -3"),
        ("try:\n    raise ValueError, 'bad'\nexcept ValueError, e:\n    print 'caught', e", "caught bad"),
        ("print reduce(lambda a, b: a + b, [1, 2]), apply(max, (1, 2))", "3 2"),
        ("f = file('made.txt', 'w')\nprint >>f, 'to a file', 3\nf.close()\ng = open('made.txt')\nprint g.read(),\ng.close()", "to a file 3"),
        ("if True:\n\tprint 'tab'\n        print 'spaces'", "tab\nspaces"),
    ],
)  # fmt: skip
def test_it_prints_what_python_2_prints(
    code: str, wanted: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert printed(code + "\nprint\n") == wanted


def test_the_names_of_python_2_are_gone_when_the_program_has_ended() -> None:
    import string

    assert printed("import string\nprint string.letters[0]\n") == "a"
    assert not hasattr(string, "letters")
    with pytest.raises(Exception, match="cmp"):
        record("print(cmp.__name__)")  # Python 3 does not have it


def test_a_program_of_its_own_round_keeps_it() -> None:
    assert printed("def round(x):\n    return 'mine'\nprint round(0.5)") == "mine"


def test_a_rounded_number_is_followed_and_replays() -> None:
    source = "import numpy as np\nx = np.array([0.5, 2.0])\ns = x.sum()\nr = round(s)\nt = round(s * 0.25, 2)\nprint r, t"
    recording = record(source)
    assert [n.op for n in recording.tape.window_nodes() if n.op.startswith("round")] == [
        "round_half_away"
    ] * 2
    values = replay(recording.tape)
    assert all(same(n.value, values[n.id]) for n in recording.tape.window_nodes())
    assert [n.what[:8] for n in recording.notices] == ["Python 2"]


def test_arrays_are_sorted_along_an_axis_as_before() -> None:
    assert (
        printed("import numpy as np\nx = np.array([[2, 1], [0, 3]])\nx.sort(0)\nprint x[0, 0], xrange(3)[1]")
        == "0 1"
    )


@pytest.mark.parametrize(
    ("x", "decimals", "wanted"),
    [
        (0.5, 0, 1.0),
        (-2.5, 0, -3.0),
        (1e300, 2, 1e300),
        (float("inf"), 0, float("inf")),
        (0.15, 1, 0.1),
        (25, -1, 30.0),
    ],
)
def test_what_lies_halfway_goes_away_from_zero(x: float, decimals: int, wanted: float) -> None:
    assert round_half_away(x, decimals) == wanted


def test_what_is_neither_python_2_nor_3_is_an_error_with_its_line() -> None:
    with pytest.raises(ProgramError) as caught:
        parse("print 'a'\nx = = 3\n", "p.py")
    assert caught.value.line == 2


ENDING = """\
import atexit
import numpy as np
from atexit import register
@register
def last():
    print("last", w)
atexit.register(print, "first")
atexit.register(lambda: 1 / 0)
def never(): print("never")
register(never); atexit.unregister(never)
w = 1.0
for _ in range(4):
    grad = w * 2
    loss = np.sum(w ** 2)
    w = w - 0.25 * grad
print("end")
"""


def test_what_a_program_does_when_it_ends_is_captured(capfd: pytest.CaptureFixture[str]) -> None:
    assert record(ENDING, run_on=True).stdout == "end\nfirst\nlast 0.0625\n"
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert record(ENDING, loop=12).stdout == "", "it was stopped in its loop"


def test_what_a_program_does_when_it_ends_is_done_after_exit_and_failure_too() -> None:
    for ending in ("import sys; sys.exit(3)", "raise ValueError('x')"):
        source = "import atexit\natexit.register(print, 'bye')\n" + ending
        try:
            out = record(source).stdout
        except Exception as error:
            out = error.stdout  # type: ignore[attr-defined]
        assert out == "bye\n"


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("k = 5\nx = [k for k in range(3)]\nprint k", 3),
        ("def f(k):\n    y = [k * k for k in [1, 2]]\n    return k\nprint f(7)", 3),
        ("k = 5\nx = [k for k in range(3)]\nk = 2\nprint k", 0),
        ("x = [k for k in range(3)]\nfor k in x: print k", 0),
        ("k = 5\nx = set(k for k in range(3))\nprint k", 0),
    ],
)
def test_a_variable_that_a_comprehension_kept_in_python_2_is_told(code: str, line: int) -> None:
    said = [(n.line, n.what[:14]) for n in parse(code).notices[1:]]
    assert said == ([(line, "In Python 2, k")] if line else [])
