"""Packages that only show things need not be there, in whatever way a program uses them."""

from __future__ import annotations

import pytest

from tests.recording.test_windows import iterations
from tracer.program import parse
from tracer.recording import MissingPackage, Recording, record_source, stubs

TRAINING = """\
import numpy as np
from bars_that_nobody_has.auto import tqdm
import bars_that_nobody_has as bars
rng = np.random.default_rng(0)
X = rng.normal(size=(10, 3))
y = X @ [1.0, 2.0, 3.0]
w = np.zeros(3)
bar = tqdm(range(6), desc="training")
for i in bar:
    r = X @ w - y
    loss = r @ r / 2
    w -= 0.01 * X.T @ r
    bar.set_description(f"{loss:.3f}")
    bar.set_postfix(loss=loss)
with tqdm(total=3) as other:
    for k in bars.trange(1, 4, leave=False):
        other.update(k)
for k, row in enumerate(tqdm(X)):
    total = row.sum() if k == 0 else total + row.sum()
tqdm.write("end")
print(len(bar), i, k, total == X.sum(axis=1).cumsum()[-1])
"""
PLOTS = """\
import plots_that_nobody_has.pyplot as plt
counts, edges, bars = plt.hist([1, 2])
line, = plt.plot([1])
def limits():
    low, *rest = plt.axis()
    return plt.xlim()
low, high = limits()
figure, axes = plt.subplots(2, 3)
for axis in axes.flat:
    first, second = axis.plot([1], [2])
print(axes.shape)
"""
NOTEBOOK = "import numpy as np\nx = np.ones(3)\nget_ipython().run_line_magic('matplotlib', 'inline')\ndisplay(x)\nprint(x.sum())\n"


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubs, "STUBBED", ("plots_that_nobody_has", "bars_that_nobody_has", "xml.parts_that_nobody_has"))
    monkeypatch.setattr(stubs, "PROGRESS_BARS", ("bars_that_nobody_has",))


def record(source: str) -> Recording:
    return record_source(parse(source, "shown.py"), run_on=True)


@pytest.mark.usefixtures("missing")
def test_a_progress_bar_goes_through_its_items_and_takes_every_call() -> None:
    recording = record(TRAINING)
    assert recording.stdout == "end\n6 5 9 True\n"
    assert iterations(recording) == [0, 1]
    assert [n.line for n in recording.notices] == [2]


@pytest.mark.usefixtures("missing")
def test_what_a_plot_gives_can_be_unpacked_into_any_number() -> None:
    assert record(PLOTS).stdout == "(2, 3)\n"
    inside = "def plots():\n    " + PLOTS.replace("\n", "\n    ") + "\nfor k in range(2):\n    plots()\n"
    assert record(inside).stdout == "(2, 3)\n" * 2


@pytest.mark.usefixtures("missing")
def test_a_part_of_a_package_that_is_there_may_be_missing_alone() -> None:
    source = "import xml.dom\nfrom xml.parts_that_nobody_has import files\nprint(xml.dom.__name__)\nfiles.upload()\n"
    assert record(source).stdout == "xml.dom\n"


def test_what_is_no_package_for_showing_things_is_still_missed() -> None:
    with pytest.raises(MissingPackage):
        record("import plots_that_nobody_has\n")


def test_what_only_a_notebook_has_is_there_if_the_program_does_not_define_it() -> None:
    assert record(NOTEBOOK).stdout == "3.0\n"
    assert record("display = print\n" + NOTEBOOK.replace("get_ipython()", "# ")).stdout == "[1. 1. 1.]\n3.0\n"
