"""Texts and paths that the program puts together tell nothing about where a number came from, unless numbers went into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracer.program import parse
from tracer.recording import Recording, record_source

PROGRAM = """\
import os
import sys
from pathlib import Path as P
import numpy as np
w, name, folder = np.ones(2), "points", os.path.dirname(os.path.abspath(__file__))
READ
for k in range(3):
    e = d[:, :2] @ w - d[:, 2]
    loss = np.sum(e * e)
    w -= 0.01 * 2 * d[:, :2].T @ e
"""
FROM_OUTSIDE = [
    "d = np.loadtxt('./' + 'points.txt')",
    "d = np.loadtxt(f'{name}.txt')",
    "d = np.loadtxt(f'{folder}{os.sep}{name:s}.{\"txt\"}')",
    "d = np.loadtxt('%s.%s' % (name, 'txt'))",
    "d = np.loadtxt(os.path.join(folder, name + '.txt'))",
    "d = np.loadtxt(P(__file__).parent / 'points.txt')",
    "d = np.loadtxt(P(__file__).resolve().parent.joinpath(name + '.txt'))",
    "def load(name, ending='.txt'):\n    return np.loadtxt(name + ending)\nd = load('points')",
    "d = np.loadtxt(sys.argv[0].replace('net.py', 'points.txt'))",
]
MADE_OF_NUMBERS = [
    "np.savetxt(f'{w[0]:.0f}.txt', np.eye(3))\nd = np.loadtxt(f'{w[0]:.0f}.txt')",
    "np.savetxt('made.txt', np.eye(3) * w[0])\nd = np.loadtxt(P('made.txt'))",
    "d = np.fromstring(' '.join(['%s' % w[0]] * 9), sep=' ').reshape(3, 3)",
]


def run(read: str, folder: Path) -> Recording:
    np_lines = "1 2 3\n4 5 7\n2 2 1\n"
    (folder / "points.txt").write_text(np_lines)
    file = folder / "net.py"
    file.write_text("")
    return record_source(parse(PROGRAM.replace("READ", read), str(file)))


@pytest.mark.parametrize("read", FROM_OUTSIDE)
def test_the_name_of_a_file_may_be_put_together(
    read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [n.what for n in run(read, tmp_path).notices] == []


@pytest.mark.parametrize("read", MADE_OF_NUMBERS)
def test_what_numbers_were_put_into_is_said(
    read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert any("is kept as one step" in n.what for n in run(read, tmp_path).notices)
