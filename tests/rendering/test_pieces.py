"""What pages are made of: highlighted code, the graph's layout, heat maps, files."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import stat
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rendering.fixture import SOURCE, explanation
from tracer.explanation.model import Graph, GraphNode, Part
from tracer.rendering.files import CannotWrite, write_atomically
from tracer.rendering.graph import drawing
from tracer.rendering.heat import heat_map
from tracer.rendering.highlight import highlighted_lines
from tracer.rendering.layout import GAP_X, layout

graphs = st.integers(1, 14).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(20, 120), min_size=n, max_size=n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30),
    )
)


@given(st.text(alphabet="ab_1 \t\n'\"#()[]{}<>&=+*é层\\:", max_size=80))
def test_highlighting_changes_no_character(source: str) -> None:
    lines = highlighted_lines(source, {"a"})
    assert [unescape(re.sub(r"<[^>]*>", "", line)) for line in lines] == source.split("\n")


def test_highlighting_marks_variables_and_survives_python_2() -> None:
    marked = highlighted_lines("print 'dW2', dW2", {"dW2"})[0]
    assert marked.count("data-s") == 1
    assert highlighted_lines(SOURCE)[0].startswith('<span class="tc">')


@given(graphs)
def test_nodes_of_a_layer_do_not_overlap_and_edges_lead_down(
    graph: tuple[list[float], list[tuple[int, int]]],
) -> None:
    widths, edges = dict(enumerate(graph[0])), graph[1]
    placed = layout(widths, edges)
    rows: dict[float, list[int]] = {}
    for node, (_, y) in placed.centres.items():
        rows.setdefault(y, []).append(node)
    for members in rows.values():
        members.sort(key=lambda node: placed.centres[node][0])
        for left, right in itertools.pairwise(members):
            gap = placed.centres[right][0] - placed.centres[left][0] - (widths[left] + widths[right]) / 2
            assert gap >= GAP_X - 0.2
    for start, end in placed.bends:
        assert placed.centres[start][1] < placed.centres[end][1]
    for node, (x, y) in placed.centres.items():
        assert widths[node] / 2 <= x <= placed.width - widths[node] / 2
        assert 0 < y < placed.height


@given(graphs)
def test_a_layout_depends_on_its_arguments_only(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    assert layout(dict(enumerate(graph[0])), graph[1]) == layout(dict(enumerate(graph[0])), graph[1])


def test_crossings_that_can_be_avoided_are() -> None:
    placed = layout(dict.fromkeys(range(4), 40.0), [(0, 3), (1, 2)])
    x = {node: centre[0] for node, centre in placed.centres.items()}
    assert (x[0] - x[1]) * (x[3] - x[2]) > 0


def test_a_large_graph_has_one_box_for_each_line() -> None:
    nodes = tuple(GraphNode(k, 1 + k // 4, f"n{k}", ()) for k in range(80))
    found = drawing(Graph(nodes, tuple((k, k + 1) for k in range(79))))
    assert found is not None
    assert found.collapsed
    assert len(found.boxes) == 20
    assert len(found.curves) == 19


def test_a_graph_without_nodes_is_not_drawn() -> None:
    assert drawing(Graph((), ())) is None


def part(sample: object, shape: tuple[int, ...]) -> Part:
    return dataclasses.replace(explanation().lines[-1].parts[0], sample=sample, shape=shape)


def test_the_largest_numbers_have_the_strongest_colours() -> None:
    found = heat_map(part(((-2.0, 0.0, 1.0, 2.0),), (1, 4)))
    assert found is not None
    assert [cell.shade for cell in found.rows[0]] == ["q0", "q5", "q8", "q10"]
    assert [cell.text for cell in found.rows[0]] == ["−2.00", "0", "1.00", "2.00"]
    assert not found.more_rows
    assert not found.more_columns


def test_small_numbers_share_a_power_of_ten() -> None:
    found = heat_map(part(((2e-5, -1e-5),), (300, 2)))
    assert found is not None
    assert found.unit == "× 10⁻⁵"
    assert [cell.text for cell in found.rows[0]] == ["2.00", "−1.00"]
    assert found.more_rows


@pytest.mark.parametrize(
    "sample,shape,rows",
    [((1.0, 2.0), (2,), 1), ((((1.0,), (2.0,)),), (1, 2, 1), 2), (((None, 1.0),), (1, 2), 1)],
)
def test_vectors_and_cubes_and_gaps_are_shown(sample: object, shape: tuple[int, ...], rows: int) -> None:
    found = heat_map(part(sample, shape))
    assert found is not None
    assert len(found.rows) == rows


@pytest.mark.parametrize("sample,shape", [(None, (2, 2)), (3.0, ()), ((), (0,)), (((),), (1, 0))])
def test_what_has_no_entries_has_no_map(sample: object, shape: tuple[int, ...]) -> None:
    assert heat_map(part(sample, shape)) is None


def test_a_file_is_written_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")
    target.chmod(0o640)
    write_atomically(target, "∂\n")
    assert target.read_bytes() == "∂\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_the_program_itself_is_never_replaced(tmp_path: Path) -> None:
    program = tmp_path / "net.py"
    program.write_text("x = 1")
    link = tmp_path / "link.html"
    link.symlink_to(program)
    hard = tmp_path / "hard.html"
    hard.hardlink_to(program)
    for path in (program, link, hard, tmp_path / ".." / tmp_path.name / "net.py"):
        with pytest.raises(CannotWrite, match="the program itself"):
            write_atomically(path, "lost", never_over=program)
    assert program.read_text() == "x = 1"


def test_a_folder_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="this is a folder"):
        write_atomically(tmp_path, "")
    with pytest.raises(CannotWrite, match="there is no folder"):
        write_atomically(tmp_path / "no" / "report.html", "")


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left"):
        write_atomically(target, "after")
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
