"""Checked programs as lines, as a table, as JSON and as SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.checking.fixture import PROGRAMS, WRONG
from tests.conftest import missing
from tracer.checking.storage import from_data
from tracer.rendering.checked import program_lines, summary, table, to_json
from tracer.rendering.sarif import to_sarif


def test_one_line_a_gradient_begins_with_its_place() -> None:
    right, wrong, unknown, nothing, broken, slow = (program_lines(checked) for checked in PROGRAMS)
    assert right == [
        "a b/right.py:33:4: proved: dW2: ∂loss/∂W2",
        "a b/right.py:34:4: checked: db2: ∂loss/∂b2",
    ]
    assert wrong[1:3] == [
        "wrong.py:41:8: wrong: dW1: Meant as ∂loss/∂W1, and is not. Missing mask: The mask of relu is missing. "
        "Corrected: dW1 = X.T @ (dh * (h > 0))",
        "wrong.py:43:8: wrong: db1: Meant as ∂loss/∂b1, and is not. The same cause as in line 41.",
    ]
    assert unknown == ["/home/层/unknown.py:44:8: not known: dQ: Not recognised"]
    assert nothing == ["nothing.py: no gradient was found; nothing is claimed."]
    assert broken == ["broken.py:7:2: not checked: The program failed: KeyError: 'x\ufffd' Mend it."]
    assert slow == ["slow.py: not checked: It took too long."]


def test_the_table_has_every_program_and_the_summary_all_of_them() -> None:
    lines = table(PROGRAMS).split("\n")
    assert [line.split("  ")[0] for line in lines[1:]] == [checked.path for checked in PROGRAMS]
    assert lines[2].split() == ["wrong.py", "1", "0", "3", "0", "✗", "wrong"]
    assert lines[5].endswith("! not checked")
    assert (
        summary(PROGRAMS)
        == "6 programs, 7 gradients: 2 proved, 1 checked, 3 wrong, 1 not known; 2 programs not checked"
    )


def test_json_has_the_counts_and_can_be_read_back() -> None:
    data = json.loads(to_json(PROGRAMS))
    assert data["schema"] == 1
    assert data["summary"] == {
        "programs": 6,
        "outcomes": {"right": 1, "nothing found": 1, "not known": 1, "wrong": 1, "failed": 2},
        "gradients": {"proved": 2, "checked": 1, "wrong": 3, "unexplained": 1},
    }
    assert tuple(from_data(one) for one in data["programs"]) == PROGRAMS
    assert data["programs"][1]["counts"] == {"proved": 1, "checked": 0, "wrong": 3, "unexplained": 0}


def test_the_readme_of_the_room_names_every_key(root: Path) -> None:
    text = (root / "tracer" / "checking" / "README.md").read_text("utf-8")
    data = json.loads(to_json(PROGRAMS))
    failed = next(one for one in data["programs"] if one["failure"])
    for key in [*data, *data["summary"], *failed, *failed["failure"], *data["programs"][1]["gradients"][1]]:
        assert f"`{key}`" in text
    for outcome in data["summary"]["outcomes"]:
        assert f"`{outcome}`" in text


def sarif_model() -> Any:
    """The schema of SARIF 2.1.0 as the models that pydantic-sarif was generated with from it."""
    try:
        from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema
    except ImportError:
        missing("pydantic-sarif")
        raise
    return StaticAnalysisResultsFormatSarifVersion210JsonSchema


@pytest.mark.parametrize("programs", [PROGRAMS, PROGRAMS[:1], ()])
def test_sarif_validates_against_its_schema(programs: Any) -> None:
    sarif_model().model_validate_json(to_sarif(programs, "1.0"))


@pytest.mark.parametrize(
    "path,value",
    [
        (("version",), "2.0.0"),
        (("runs", 0, "results", 0, "level"), "fatal"),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startColumn"), 0),
        (("runs", 0, "results", 0, "message"), "text"),
        (("runs", 0, "results", 0, "unheard"), 1),
        (("runs", 0, "tool", "driver", "name"), None),
        (("runs", 0, "invocations", 0, "executionSuccessful"), "perhaps"),
    ],
)
def test_the_schema_would_notice_a_mistake(path: tuple[str | int, ...], value: Any) -> None:
    from pydantic import ValidationError

    data = json.loads(to_sarif(PROGRAMS))
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ValidationError):
        sarif_model().model_validate_json(json.dumps(data))


def test_sarif_holds_what_somebody_should_look_at() -> None:
    (run,) = json.loads(to_sarif(PROGRAMS))["runs"]
    results = run["results"]
    assert [r["level"] for r in results] == ["error", "error", "error", "note"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["gradient-not-recognised", "wrong-gradient/missing-mask", "wrong-gradient/unknown"]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in results)
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "wrong.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 41, "startColumn": 9, "endLine": 42, "endColumn": 4}
    assert run["columnKind"] == "unicodeCodePoints"
    uris = [artifact["location"]["uri"] for artifact in run["artifacts"]]
    assert uris[0] == "a%20b/right.py"
    assert uris[2] == "file:///home/%E5%B1%82/unknown.py"
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [n["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for n in notes] == [
        "broken.py",
        "slow.py",
    ]
    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_fix_replaces_whole_lines_and_a_deletion_their_ends_too() -> None:
    (run,) = json.loads(to_sarif(PROGRAMS))["runs"]
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 41, "startColumn": 1, "endLine": 42},
            "insertedContent": {"text": WRONG.edits[0].new},
        }
    ]
    (deletion,) = run["results"][2]["fixes"][0]["artifactChanges"][0]["replacements"]
    assert deletion["deletedRegion"] == {"startLine": 50, "startColumn": 1, "endLine": 51, "endColumn": 1}
    assert "fixes" not in run["results"][1]


def test_a_fingerprint_stays_when_lines_are_added_above() -> None:
    import dataclasses

    def fingerprints(shift: int) -> list[str]:
        moved = [
            dataclasses.replace(
                c,
                gradients=tuple(
                    dataclasses.replace(g, line=g.line + shift, end_line=g.end_line + shift)
                    for g in c.gradients
                ),
            )
            for c in PROGRAMS
        ]
        (run,) = json.loads(to_sarif(moved))["runs"]
        return [r["partialFingerprints"]["gradient/v1"] for r in run["results"]]

    assert fingerprints(0) == fingerprints(7)
    assert len(set(fingerprints(0))) == 4
