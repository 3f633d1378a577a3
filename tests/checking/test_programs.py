"""Which programs are meant by files, folders and patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracer.checking import NoSuchProgram, find_programs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "anna/net.py", "anna/notes.txt", "bert/deep/net.py", "bert/__pycache__/net.py", "carl/.hidden/net.py",
        "carl/.old.py", "carl/.ipynb_checkpoints/b.ipynb", "fred/b.ipynb", "dora/mine/lib/site.py", "dora/[x].py", "empty/readme.md",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "dora/mine/pyvenv.cfg").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments,found",
    [
        (["anna/net.py"], ["anna/net.py"]),
        (["anna/notes.txt"], ["anna/notes.txt"]),
        (["anna", "bert"], ["anna/net.py", "bert/deep/net.py"]),
        (["."], ["anna/net.py", "bert/deep/net.py", "dora/[x].py", "fred/b.ipynb"]),
        (["*/net.py"], ["anna/net.py"]),
        (["**/net.py"], ["anna/net.py", "bert/__pycache__/net.py", "bert/deep/net.py"]),
        (["?ert"], ["bert/deep/net.py"]),
        (["bert", "bert/deep/net.py", "anna"], ["bert/deep/net.py", "anna/net.py"]),
        (["dora/[x].py"], ["dora/[x].py"]),
    ],
)
def test_each_program_once_in_the_order_of_the_arguments(
    folder: Path, arguments: list[str], found: list[str]
) -> None:
    assert list(find_programs(arguments)) == found


@pytest.mark.parametrize(
    "argument,said",
    [
        ("nowhere.py", "nowhere.py: No such file.\n  Check the path."),
        ("empty", "empty: no Python file and no notebook is in this folder."),
        ("*.pdf", "*.pdf: no file matches this pattern."),
    ],
)
def test_what_names_no_program_is_said(folder: Path, argument: str, said: str) -> None:
    with pytest.raises(NoSuchProgram) as caught:
        find_programs(["anna", argument])
    assert caught.value.message.startswith(said)


def test_an_absolute_pattern_is_filled_in(folder: Path) -> None:
    assert find_programs([f"{folder}/an*/*.py"]) == (f"{folder}/anna/net.py",)
