"""Numbers are written as Python 2 wrote them: the wanted texts are what the interpreter of Python 2.7.18 printed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.recording.test_windows import record
from tracer.recording.python2_text import Text, text_of


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ('print 0.1 + 0.2, 2 / 3., [0.1 + 0.2], (2 / 3.,), -0.0, 100000.0, 1e-5', '0.3 0.666666666667 [0.30000000000000004] (0.6666666666666666,) -0.0 100000.0 1e-05'),
        ('print 99999999999.0, 99999999999.5, 123456789012.0, 1234567890123.0, 1e11, 1e12, 1e16, -1e22', '99999999999.0 99999999999.5 1.23456789012e+11 1.23456789012e+12 1e+11 1e+12 1e+16 -1e+22'),
        ("print complex(0.1 + 0.2, 1), 1j, complex(-0.0, -1), float('nan'), float('inf'), 10 ** 20", '(0.3+1j) 1j (-0-1j) nan inf 100000000000000000000'),
        ("print str(0.1 + 0.2), map(str, [1 / 3.]), unicode(2 / 3.), repr(1 / 3.), `0.1 * 3`, str('a') + str()", "0.3 ['0.333333333333'] 0.666666666667 0.3333333333333333 0.30000000000000004 a"),
        ("print '%s %r %d%% %5s|%-8s|%.3s|' % (1 / 3., 1 / 3., 3, 2 / 3., 0.5, 2 / 3.), '%s' % 0.7, '%*s' % (8, 1 / 3.)", '0.333333333333 0.3333333333333333 3% 0.666666666667|0.5     |0.6| 0.7 0.333333333333'),
        ("print '%(a)s %(b)d %(a)r' % {'a': 2 / 3., 'b': 3}, ('%s '\n    '%s') % (1 / 3., 'x'), '%s' % ((1 / 3.,),), '%%s' % ()", '0.666666666667 3 0.6666666666666666 0.333333333333 x (0.3333333333333333,) %s'),
        ("print '{0} {1!r} {0!s:>15} {a:.2f}'.format(0.1 * 3, 1 / 3., a=2 / 3.), '{}'.format([0.1 * 3]), format(1 / 3.), format(1 / 3., '.2f')", '0.3 0.3333333333333333             0.3 0.67 [0.30000000000000004] 0.333333333333 0.33'),
        ("s = 'loss %s' % 3.0\nprint s, type(s) == str, isinstance(s, str), s.split()[1], 'a' 'b%s' % 0.5", 'loss 3.0 True True 3.0 ab0.5'),
        ("import sys\nprint >>sys.stdout, 1 / 3.,\nsys.stdout.write(' ' + str(2 / 3.))", '0.333333333333 0.666666666667'),
        ("def str(x):\n    return 'mine'\nprint str(1 / 3.)", 'mine'),
        ("from __future__ import print_function\nprint(1 / 3., 2 / 3., sep=', ')", '0.333333333333, 0.666666666667'),
        ("import sys\nprint 'a', 1 / 3.,\nprint 'b'\nprint 'x\\n',\nprint 'y ',\nprint 'z', '', 'w\\t',\nsys.stdout.write('!')\nprint 'q'\nfor i in 0, 1: print i,\nprint", 'a 0.333333333333 b\nx\ny  z  w\t!q\n0 1'),
    ],
)  # fmt: skip
def test_a_number_is_written_with_as_many_digits_as_in_python_2(code: str, wanted: str) -> None:
    assert record(code + "\nfor _ in xrange(0): pass\n").stdout.strip() == wanted


def test_a_list_shows_numbers_of_numpy_without_their_type() -> None:
    code = "import numpy as np\nx = [np.float64(0.5), np.int64(3)]\nprint x, np.float64(0.25)\n"
    assert record(code).stdout == "[0.5, 3] 0.25\n"
    assert repr(np.float64(0.5)) == "np.float64(0.5)", "only while the program runs"


def test_python_3_writes_all_digits() -> None:
    assert record("print(0.1 + 0.2, '%s' % (1 / 3))").stdout == "0.30000000000000004 0.3333333333333333\n"


def test_what_a_text_is_written_from_is_still_followed() -> None:
    source = "import numpy as np\nx = np.array([1., 2.])\nloss = np.sum(x * x) / 3\nprint 'loss %s' % loss, str(loss)\ng = 2 * x / 3\n"
    tape = record(source).tape
    assert [n.op for n in tape.window_nodes() if n.op in ("sum", "divide")] == ["sum", "divide", "divide"]
    assert not tape.notices


def test_a_text_of_python_2_is_a_plain_text_once_it_is_filled_in() -> None:
    assert type(Text("%s") % 0.5) is str
    assert type(Text("{}").format(0.5)) is str
    assert text_of(b"x", "ascii") == "x"
