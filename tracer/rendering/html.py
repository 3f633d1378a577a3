"""An explanation as one self-contained HTML page.

In comes an `Explanation`, out goes the text of a page that needs no network and no JavaScript.  Invariant:
everything that comes from the user's program is escaped; only the MathML that ``tracer.formula`` made is put
in as it is.  A content security policy forbids whatever the page does not bring along itself.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import PurePath

from markupsafe import Markup
from msgspec import Struct

from tracer.explanation.model import Explanation, Formula, Line, Part, Step
from tracer.explanation.stages import LONG, Stage, told_once
from tracer.explanation.summary import Row, findings, is_plain_number, own_parts, rows
from tracer.explanation.words.report import (
    VERDICTS,
    evidence_sentences,
    in_words,
    number,
    places,
    reference,
    row_title,
    shape_text,
    sizes_text,
    summary,
    title,
    verdict_sentence,
)
from tracer.rendering.diff import diff, source_lines
from tracer.rendering.graph import drawing
from tracer.rendering.heat import heat_map
from tracer.rendering.highlight import highlighted, highlighted_lines
from tracer.rendering.mathml import clauses, lean, left_alone, sides
from tracer.rendering.templates import bytes_of, html_environment, text_of
from tracer.rendering.worked import worked

#: So many hues tell the variables apart; more variables share them.
HUES = 8


class CodeLine(Struct, frozen=True):
    """One line of the file and what is known about it; ``card`` is the line its explanation stands under."""

    number: int
    html: Markup
    card: int | None
    first: bool
    label: str
    shape: str
    verdict: str


def prepare() -> None:
    """Load what a page is made with, before it is needed."""
    for template in ("report.html", "report.css"):
        html_environment().get_template(template)
    highlighted("pass")


def to_html(explanation: Explanation) -> str:
    """The page as text; write it as UTF-8."""
    hues = _hues(explanation)
    font = base64.b64encode(bytes_of("report-math.woff2")).decode("ascii")
    style = html_environment().get_template("report.css").render(font=font, hues=_hue_rules(hues), count=HUES)
    script = text_of("report.js")
    table = rows(explanation)
    cards = [line for line in explanation.lines if not is_plain_number(line)]
    told = told_once(part for line in cards for part in (*own_parts(line), *_pieces(line)))
    page = html_environment().get_template("report.html")
    text = page.render(
        explanation=explanation,
        name=PurePath(explanation.program.path).name or explanation.program.path,
        summary=summary(explanation),
        groups=_groups(table),
        code=_code(explanation, hues),
        drawing=drawing(explanation.graph),
        cards=cards,
        explained={line.line for line in cards},
        findings=findings(explanation),
        places=places,
        stages=lambda part: told.get(id(part), ()),
        steps_in=lambda stage: _steps(stage, hues),
        long=LONG,
        reference=reference,
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        verdicts=VERDICTS,
        own_parts=own_parts,
        pieces=_pieces,
        title=title,
        row_title=row_title,
        in_words=in_words,
        verdict_sentence=verdict_sentence,
        evidence=evidence_sentences,
        shape_text=shape_text,
        sizes_text=sizes_text,
        number=number,
        worked=worked,
        heat_map=heat_map,
        diff=lambda edits: diff(explanation, edits),
        python=lambda source: highlighted(source, hues),
        formula=_formula,
        lean=lambda formula: _lean(formula, hues),
        clauses=lambda formula, copied: _clauses(formula, copied, hues),
        left_alone=lambda step: Markup(lean(left_alone(step.mathml), hues)),
    )
    return text.lstrip() + "\n"


def _groups(table: tuple[Row, ...]) -> list[tuple[str, list[Row]]]:
    names = {"backward": "Backward pass", "update": "Updates", "forward": "Forward pass", "set-up": "Set-up"}
    found = [(name, [row for row in table if row.group == group]) for group, name in names.items()]
    return [(name, members) for name, members in found if members]


def _pieces(line: Line) -> tuple[Part, ...]:
    """The parts of a line inside its statement, in the order of the text."""
    own = own_parts(line)
    return tuple(sorted((part for part in line.parts if part not in own), key=lambda part: part.span))


def _code(explanation: Explanation, hues: dict[str, int]) -> list[CodeLine]:
    source = source_lines(explanation)
    marked = highlighted_lines("\n".join(source), hues)
    if not (source and source[-1]):
        marked = marked[:-1]  # what follows the last line break is no line
    owner: dict[int, Line] = {}
    for line in sorted(explanation.lines, key=lambda line: line.line - line.end_line):
        owner.update(dict.fromkeys(range(line.line, line.end_line + 1), line))
    return [_code_line(count, html, owner.get(count)) for count, html in enumerate(marked, 1)]


def _code_line(count: int, html: Markup, line: Line | None) -> CodeLine:
    if line is None:
        return CodeLine(count, html, None, False, "", "", "")
    first = line.line == count
    parts = own_parts(line)
    if is_plain_number(line):
        return CodeLine(count, html, None, False, "", "scalar" if first else "", "")
    shapes = [sizes_text(part).replace(" ", "") for part in parts[:1]]
    return CodeLine(
        count,
        html,
        line.line,
        first,
        title(parts[0]) if parts else "",
        shapes[0] if first and shapes else "",
        _worst(line) if first else "",
    )


def _worst(line: Line) -> str:
    """The verdict that a reader must see at the line: the worst one of its own parts, else of its pieces."""
    for parts in (own_parts(line), line.parts):
        found = {part.verdict for part in parts}
        for verdict in ("wrong", "unexplained", "checked", "proved"):
            if verdict in found:
                return verdict
    return ""


def _hues(explanation: Explanation) -> dict[str, int]:
    """Variable → hue.  A variable and its gradient share one; names come in the order of the program."""
    partner: dict[str, str] = {}
    names: dict[str, None] = {}
    for line in explanation.lines:
        for part in line.parts:
            if part.target and part.wrt and part.role == "gradient" and part.target != part.wrt:
                partner[part.target] = part.wrt
            for name in (part.target, part.wrt):
                if name:
                    names.setdefault(name)
    names.update({node.name: None for node in explanation.graph.nodes})
    owners = [name for name in names if name not in partner]
    hue = {name: k % HUES for k, name in enumerate(owners)}
    return {name: hue.get(partner.get(name, name), 0) for name in names}


def _hue_rules(hues: dict[str, int]) -> Markup:
    """A style rule for each hue that selects its variables by their ``data-s``."""
    rules = []
    for hue in range(HUES):
        selectors = [f'[data-s="{_css_string(name)}"]' for name, own in hues.items() if own == hue]
        if selectors:
            rules.append(f"{','.join(selectors)}{{--c:var(--hue{hue})}}")
    return Markup("\n".join(rules))


def _css_string(text: str) -> str:
    """Text inside a quoted CSS string in a style element: whatever is no letter or digit is a code point."""
    return "".join(
        char if (char.isascii() and char.isalnum()) or char == "_" else f"\\{ord(char):x} " for char in text
    )


def _formula(formula: Formula | None) -> Markup:
    """MathML as ``tracer.formula`` made it; the plain text where there is none."""
    if formula is None:
        return Markup("")
    if formula.mathml:
        return Markup(formula.mathml)
    return Markup("<code>{}</code>").format(formula.text or formula.latex)


def _lean(formula: Formula | Step | None, hues: dict[str, int]) -> Markup:
    """The same without what only the first formula of an article carries: its LaTeX and its spoken text."""
    if formula is None or formula.mathml:
        return Markup("" if formula is None else lean(formula.mathml, hues))
    return Markup("<code>{}</code>").format(formula.text or formula.latex)


def _clauses(formula: Formula, copied: bool, hues: dict[str, int]) -> list[Markup]:
    """The formula and its ``where t = …``, each of which may stand on a line of its own."""
    if not formula.mathml:
        return [_formula(formula)]
    pieces = clauses(formula.mathml)
    return [Markup(piece if copied else lean(piece, hues)) for piece in pieces]


class ShownStep(Struct, frozen=True):
    """A step as the page shows it: what the step before has said already is left out of formula and code."""

    number: int
    step: Step
    formula: Markup
    code: str


def _steps(stage: Stage, hues: dict[str, int]) -> list[ShownStep]:
    found: list[ShownStep] = []
    before = ("", "")
    full, full_lines = 0, [""]  # the last step whose code is shown from its first line
    for count, step in enumerate(stage.steps, stage.first):
        left, rest = sides(step.mathml)
        if left and (left, rest) == before:
            shown = Markup("")
        else:
            shown = Markup(lean(rest, hues)) if left and left == before[0] else _lean(step, hues)
        before = (left, rest)
        lines = step.code.split("\n")
        shared = _shared(lines, full_lines)
        if shared < 2:
            full, full_lines, shared = count, lines, 0
        note = f"# lines 1 to {shared} as in step {full}\n" if shared else ""
        found.append(ShownStep(count, step, shown, note + "\n".join(lines[shared:])))
    return found


def _shared(lines: list[str], others: list[str]) -> int:
    """How many lines two pieces of code begin with in common; the last line of the first is its own."""
    count = 0
    while count < min(len(lines) - 1, len(others)) and lines[count] == others[count]:
        count += 1
    return count


def _policy(style: str, script: str) -> str:
    def hashed(text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
        return f"'sha256-{digest}'"

    return (
        f"default-src 'none'; style-src {hashed(style)}; script-src {hashed(script)}; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
