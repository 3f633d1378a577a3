"""Text of any kind for LaTeX: nothing that stands in a user's program can break or change a document.

In: any text.  Out: LaTeX that typesets it, in text mode, under pdflatex as well as xelatex.  Han and
Kana characters can be put into ``\\cjk{…}`` and Hangul into ``\\hangul{…}``, which a document defines;
characters that no common font has are replaced by their number, as ``[U+1F600]``.
"""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"-{}",
    ",": r",{}",
    "\t": "    ",
    "\u00a0": "~",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2018": r"\textquoteleft{}",
    "\u2019": r"\textquoteright{}",
    "\u201c": r"\textquotedblleft{}",
    "\u201d": r"\textquotedblright{}",
    "\u2026": r"\dots{}",
    "\u2022": r"\textbullet{}",
    "\u20ac": r"\texteuro{}",
}
#: Greek letters and signs of mathematics, by their command in mathematical mode.
MATHEMATICAL = {
    "α": r"\alpha",
    "β": r"\beta",
    "γ": r"\gamma",
    "δ": r"\delta",
    "ε": r"\varepsilon",
    "ζ": r"\zeta",
    "η": r"\eta",
    "θ": r"\theta",
    "ι": r"\iota",
    "κ": r"\kappa",
    "λ": r"\lambda",
    "μ": r"\mu",
    "µ": r"\mu",
    "ν": r"\nu",
    "ξ": r"\xi",
    "π": r"\pi",
    "ρ": r"\rho",
    "σ": r"\sigma",
    "ς": r"\varsigma",
    "τ": r"\tau",
    "υ": r"\upsilon",
    "φ": r"\varphi",
    "ϕ": r"\phi",
    "χ": r"\chi",
    "ψ": r"\psi",
    "ω": r"\omega",
    "Γ": r"\Gamma",
    "Δ": r"\Delta",
    "Θ": r"\Theta",
    "Λ": r"\Lambda",
    "Ξ": r"\Xi",
    "Π": r"\Pi",
    "Σ": r"\Sigma",
    "Φ": r"\Phi",
    "Ψ": r"\Psi",
    "Ω": r"\Omega",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∑": r"\sum",
    "∏": r"\prod",
    "∫": r"\int",
    "∞": r"\infty",
    "√": r"\surd",
    "±": r"\pm",
    "×": r"\times",
    "÷": r"\div",
    "·": r"\cdot",
    "⋅": r"\cdot",
    "⊙": r"\odot",
    "⊤": r"\top",
    "−": "-",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "≡": r"\equiv",
    "∈": r"\in",
    "→": r"\to",
    "←": r"\leftarrow",
    "⇒": r"\Rightarrow",
    "↦": r"\mapsto",
    "⟨": r"\langle",
    "⟩": r"\rangle",
    "ᵀ": r"^{\top}",
    "𝟏": r"\mathbf{1}",
    "°": r"^{\circ}",
    "²": r"^{2}",
    "³": r"^{3}",
}
#: In a name within a formula only what LaTeX itself would take as a command is replaced.
_IN_NAMES = frozenset("\\{}$&#%_^~<>")
_HAN_KANA = "\u2e80-\u2fdf\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff9f"
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"
_RUNS = re.compile(f"([{_HAN_KANA}]+)|([{_HANGUL}]+)")


def escape(text: str, *, cjk: bool = True) -> str:
    """Text for LaTeX's text mode.

    Args:
        text: anything; line ends and other control characters become spaces.
        cjk: whether runs of Han, Kana and Hangul are put into ``\\cjk{…}`` and ``\\hangul{…}``.
    """
    escaped = "".join(_character(character) for character in unicodedata.normalize("NFC", text))
    return with_cjk(escaped) if cjk else escaped


def escape_name(text: str) -> str:
    """A name for ``\\text{…}`` within a formula, also for those who show formulas with MathJax."""
    return "".join(
        character if " " <= character <= "~" and character not in _IN_NAMES else _character(character)
        for character in unicodedata.normalize("NFC", text)
    )


def with_cjk(latex: str) -> str:
    """LaTeX whose runs of Han, Kana and Hangul are put into ``\\cjk{…}`` and ``\\hangul{…}``."""
    return _RUNS.sub(lambda run: rf"\cjk{{{run[1]}}}" if run[1] else rf"\hangul{{{run[2]}}}", latex)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if " " <= character <= "~" or _RUNS.match(character):
        return character
    if character in MATHEMATICAL:
        return rf"\ensuremath{{{MATHEMATICAL[character]}}}"
    if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if character.isalpha() and "\u00c0" <= character <= "\u017e":
        return character
    return f"[U+{ord(character):04X}]"
