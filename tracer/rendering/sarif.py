"""Checked programs as SARIF 2.1.0, the format from which code hosts annotate lines.

Comes in: `Checked` programs.  Goes out: one SARIF log with one run.  Only what somebody should look at is a result:
wrong gradients are errors, gradients that were not recognised are notes.  A program that could not be checked is
a notification of the run.  Columns count from 1 here, and in code points.

Source of the format: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, 2020.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from tracer.checking.model import Checked, Failure, Judged

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_UNKNOWN = "gradient-not-recognised"


def to_sarif(programs: Iterable[Checked], version: str = "") -> str:
    """The log as text."""
    found = list(programs)
    rules = _rules(found)
    index = {rule["id"]: k for k, rule in enumerate(rules)}
    driver: dict[str, Any] = {"name": "tracer", "rules": rules}
    if version:
        driver["version"] = version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(found)],
        "artifacts": [{"location": _artifact(checked.path)} for checked in found],
        "results": [
            _result(checked, gradient, index)
            for checked in found
            for gradient in checked.gradients
            if gradient.verdict in ("wrong", "unexplained")
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _rule_id(gradient: Judged) -> str:
    if gradient.verdict == "unexplained":
        return _UNKNOWN
    return f"wrong-gradient/{(gradient.kind or 'unknown').replace(' ', '-')}"


def _rules(programs: Sequence[Checked]) -> list[dict[str, Any]]:
    """The rules that some result refers to."""
    used = {_rule_id(g) for c in programs for g in c.gradients if g.verdict in ("wrong", "unexplained")}
    return [_rule(name) for name in sorted(used)]


def _rule(name: str) -> dict[str, Any]:
    if name == _UNKNOWN:
        short = "No gradient of a loss was recognised in this line."
        full = f"{short} Nothing is claimed about it: look whether it is what it is meant to be."
        return _described(name, "GradientNotRecognised", short, full, "note")
    kind = name.partition("/")[2].replace("-", " ")
    title = "".join(word.capitalize() for word in f"wrong gradient {kind}".split())
    short = "Wrong gradient." if kind == "unknown" else f"Wrong gradient: {kind}."
    full = f"{short} The line is used as a gradient of the loss, and is not that gradient."
    return _described(name, title, short, full, "error")


def _described(identity: str, name: str, short: str, full: str, level: str) -> dict[str, Any]:
    return {
        "id": identity,
        "name": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "defaultConfiguration": {"level": level},
    }


def _result(checked: Checked, gradient: Judged, index: dict[str, int]) -> dict[str, Any]:
    rule = _rule_id(gradient)
    text = f"{gradient.code}: {gradient.what}."
    if gradient.says:
        text = f"{text} {gradient.says}"
    elif gradient.remark:
        text = f"{text} {gradient.remark}"
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": "error" if gradient.verdict == "wrong" else "note",
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(gradient.module or checked.path),
                    "region": {
                        "startLine": gradient.line,
                        "startColumn": gradient.column + 1,
                        "endLine": gradient.end_line,
                        "endColumn": gradient.end_column + 1,
                    },
                }
            }
        ],
        "partialFingerprints": {"gradient/v1": _fingerprint(checked, gradient, rule)},
    }
    if gradient.edits:
        result["fixes"] = [_fix(gradient.module or checked.path, gradient)]
    return result


def _fix(path: str, gradient: Judged) -> dict[str, Any]:
    """The correction: the text of whole lines; where nothing takes their place, their ends go too."""
    replacements = []
    for edit in gradient.edits:
        region = {"startLine": edit.line, "startColumn": 1, "endLine": edit.end_line}
        if not edit.new:
            region |= {"endLine": edit.end_line + 1, "endColumn": 1}
        text = edit.new.removesuffix("\n")
        replacements.append({"deletedRegion": region, "insertedContent": {"text": text}})
    fix = (gradient.fix or "").strip()
    description = (
        f"Correct it: {fix}" if fix and "\n" not in fix else "The correction that was found, and run."
    )
    return {
        "description": {"text": description},
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": replacements}],
    }


def _fingerprint(checked: Checked, gradient: Judged, rule: str) -> str:
    """What stays the same when lines are added above."""
    told = "\0".join((PurePath(checked.path).as_posix(), rule, gradient.code, gradient.what))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _artifact(path: str) -> dict[str, str]:
    """A path as a URI; a relative one is relative to the root of the sources."""
    if PurePath(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(PurePath(path).as_posix()), "uriBaseId": "%SRCROOT%"}


def _invocation(programs: Sequence[Checked]) -> dict[str, Any]:
    notifications = [_notification(c.path, c.failure) for c in programs if c.failure is not None]
    ours = any(c.failure is not None and c.failure.kind == "tracer" for c in programs)
    return {"executionSuccessful": not ours, "toolExecutionNotifications": notifications}


def _notification(path: str, failure: Failure) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": _artifact(path)}
    if failure.line:
        location["region"] = {"startLine": failure.line, "startColumn": failure.column + 1}
    hint = f" {failure.hint}" if failure.hint else ""
    return {
        "level": "error",
        "message": {"text": f"Not checked: {failure.message}{hint}"},
        "locations": [{"physicalLocation": location}],
    }
