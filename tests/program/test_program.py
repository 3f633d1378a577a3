"""Reading a program: encodings, Python 2, exact spans, and errors that say what happened."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tracer.program import Program, ProgramError, load, parse

PYTHON_2 = (
    "# -*- coding: utf-8 -*-\n"
    "import numpy as np\n"
    "def 시작(x):\n"
    '\tprint "처음:", x  # 주석\n'
    "\tfor i in xrange(len(x)):\n"
    "\t\tif x[i] <> 3: print >>sys.stderr, '한글', (x[i] +\n"
    "\t\t\t2) * 4,\n"
    "\treturn x.has_key('a') or 10L\n"
    "try:\n"
    "    y = raw_input('? ')\n"
    "except IOError, e:\n"
    "    y = u'é' + `e`\n"
)
PYTHON_3 = (
    "s = '가나'; x = (alpha +  # 注释\n"
    "\tbeta) * gamma['é'] ; y = [f(x)  for x in z if x]\n"
    "if x:\n\ty = x.T.dot(\\\n\t\ty)\n"
)


def expressions(program: Program) -> list[ast.expr]:
    return [n for n in ast.walk(program.tree) if isinstance(n, ast.expr) and hasattr(n, "lineno")]


def test_the_text_of_a_span_is_the_expression() -> None:
    program = parse(PYTHON_3)
    checked = 0
    for node in expressions(program):
        text = program.text_of(program.span(node))
        assert ast.dump(ast.parse(f"({text})", mode="eval").body) == ast.dump(node) or not isinstance(
            getattr(node, "ctx", ast.Load()), ast.Load
        )
        checked += 1
    assert checked > 20


def test_columns_are_characters_of_the_line_as_written() -> None:
    program = parse("s = '가나'; x = alpha\n")
    value = program.tree.body[1].value  # type: ignore[attr-defined]
    assert (program.span(value).column, program.text_of(program.span(value))) == (14, "alpha")


def test_python_2_is_converted_and_keeps_the_places_of_the_file() -> None:
    program = parse(PYTHON_2)
    assert program.python2
    assert program.classic_division
    assert "xrange" in program.notices[0].what
    texts = {program.text_of(program.span(n)) for n in expressions(program)}
    assert {
        '"처음:"',
        "xrange(len(x))",
        "x[i]",
        "(x[i] +\n\t\t\t2) * 4",
        "raw_input('? ')",
        "x[i] <> 3",
    } <= texts
    for node in expressions(program):
        if isinstance(node, ast.Name) and node.id in ("x", "i", "y", "e", "np"):
            assert program.text_of(program.span(node)) == node.id


def test_a_print_statement_is_one_span() -> None:
    program = parse("x = 1\nprint 'a', x  # shown\ny = 2\n")
    assert program.text_of(program.span(program.tree.body[1])) == "print 'a', x"


@pytest.mark.parametrize("source", ["x = xrange(3)\n", "d = {}\nd.iteritems()\n", "n = raw_input()\n"])
def test_names_of_python_2_are_enough(source: str) -> None:
    assert parse(source).python2


@pytest.mark.parametrize("source", ["xrange = range\nxrange(3)\n", "print('a')\n", "print(1 / 2)\n"])
def test_python_3_stays_as_it_is(source: str) -> None:
    program = parse(source)
    assert not program.python2
    assert program.text == source


def test_division_from_the_future_is_kept() -> None:
    assert not parse("from __future__ import division\nprint 1 / 2\n").classic_division


def test_statements_and_headers_have_spans() -> None:
    program = parse("for i in range(3):  # loop\n    a = 1; b = (2 +\n        3)\nif x: c = 1\n")
    assert [s.text for s in program.statements] == [
        "for i in range(3):",
        "a = 1",
        "b = (2 +\n        3)",
        "if x:",
        "c = 1",
    ]
    inner = program.statement_at(3, 8)
    assert inner is not None
    assert program.text_of(inner) == "b = (2 +\n        3)"
    assert program.statement_at(1, 2) is None


def test_a_file_may_have_a_byte_order_mark_a_coding_line_and_any_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "p.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r")
    assert load(path).source == "x = 1\ny = 2\n"
    path.write_bytes("# -*- coding: latin-1 -*-\ns = 'é'\n".encode("latin-1"))
    assert "'é'" in load(path).source


def error_of(path: Path | str) -> ProgramError:
    with pytest.raises(ProgramError) as caught:
        load(path)
    return caught.value


def test_no_such_file_and_a_directory(tmp_path: Path) -> None:
    assert "No such file" in str(error_of(tmp_path / "none.py"))
    assert "directory" in str(error_of(tmp_path))


def test_what_is_not_utf_8_is_said_with_its_byte_and_place(tmp_path: Path) -> None:
    path = tmp_path / "p.py"
    path.write_bytes(b"x = 1\nname = 'caf\xe9'\n")
    error = error_of(path)
    assert (error.line, error.column) == (2, 11)
    assert "0xe9 at position 17" in str(error)
    assert "coding: latin-1" in error.hint


def test_a_syntax_error_has_its_place() -> None:
    with pytest.raises(ProgramError) as caught:
        parse("x = 1\ny = (2,,)\n", "p.py")
    assert (caught.value.line, caught.value.source_line) == (2, "y = (2,,)")
    assert str(caught.value).startswith("p.py:2:")


def test_lost_indentation_is_named() -> None:
    with pytest.raises(ProgramError, match="indentation seems to have been lost in copying: line 2"):
        parse("for i in range(3):\nx = i\ny = 2\n")


def test_lost_indentation_of_a_python_2_program_is_named_too() -> None:
    with pytest.raises(ProgramError, match="indentation seems to have been lost"):
        parse("for i in xrange(3):\nprint i\n")


def test_what_is_neither_python_says_so_with_its_line() -> None:
    with pytest.raises(ProgramError) as caught:
        parse("print 'a'\nx = = 2\n")
    assert caught.value.line in (1, 2)
