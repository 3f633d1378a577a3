"""Checked programs as plain data, and a file of them that grows while programs are checked.

Comes in: `Checked`.  Goes out: dictionaries and lines of JSON, and back.  Invariant: ``from_data(to_data(c)) == c``;
a line that was cut off when a run was broken is left out, and nothing else is lost.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from tracer.checking.model import VERDICTS, Checked, Failure, Judged
from tracer.explanation.model import Edit, Note

#: The number that stands in the documents; it changes when a field changes its meaning or goes.
SCHEMA_VERSION = 1


def to_data(checked: Checked) -> dict[str, Any]:
    """A checked program as plain data, with its outcome and how many gradients have each verdict."""
    data = dataclasses.asdict(checked)
    counted = {verdict: checked.count(verdict) for verdict in VERDICTS}
    return {
        "path": data["path"],
        "outcome": checked.outcome,
        "counts": counted,
        "seconds": data["seconds"],
        "failure": data["failure"],
        "gradients": [{**g, "edits": list(g["edits"])} for g in data["gradients"]],
        "notices": list(data["notices"]),
        "key": data["key"],
    }


def from_data(data: dict[str, Any]) -> Checked:
    """What `to_data` was made from.

    Raises:
        KeyError, TypeError: the data is something else.
    """
    failure = data["failure"]
    return Checked(
        data["path"],
        data["key"],
        data["seconds"],
        tuple(Judged(**{**g, "edits": tuple(Edit(**e) for e in g["edits"])}) for g in data["gradients"]),
        tuple(Note(**n) for n in data["notices"]),
        None if failure is None else Failure(**failure),
    )


def read_results(file: Path) -> dict[str, Checked]:
    """The programs of a file of results, by key; none if there is no such file."""
    if not file.exists():
        return {}
    found: dict[str, Checked] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            checked = from_data(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
        found[checked.key] = checked
    return found


def append_result(file: Path, checked: Checked) -> None:
    """Add one program to a file of results; a line that was cut off before is ended first."""
    text = json.dumps(to_data(checked), ensure_ascii=False, allow_nan=False) + "\n"
    with file.open("ab+") as stream:
        if stream.tell():
            stream.seek(-1, 2)
            if stream.read(1) != b"\n":
                text = "\n" + text
        stream.write(text.encode())
