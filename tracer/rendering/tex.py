"""Any text, and any formula, in characters that both pdflatex and xelatex can set.

In comes text of the user's program, out goes LaTeX.  Invariant: the result is ASCII, balanced, and does the
same thing whatever the text was: print it.
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
    '"': r"{\char34}",  # \textquotedbl is not in every encoding
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",  # no ligatures: two minus signs are two minus signs
}

_SYMBOLS = {
    "∂": r"\partial", "∑": r"\sum", "Σ": r"\Sigma", "∏": r"\prod", "√": r"\surd", "∞": r"\infty",
    "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "×": r"\times", "·": r"\cdot", "−": "-",
    "±": r"\pm", "←": r"\leftarrow", "→": r"\rightarrow", "⇒": r"\Rightarrow", "∈": r"\in",
    "⊙": r"\odot", "⊤": r"\top", "∇": r"\nabla", "δ": r"\delta", "α": r"\alpha", "β": r"\beta",
    "γ": r"\gamma", "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "κ": r"\kappa",
    "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma",
    "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Π": r"\Pi", "Φ": r"\Phi", "Ψ": r"\Psi",
    "Ω": r"\Omega", "ᵀ": r"^{\top}", "✓": r"\checkmark", "′": "'", "²": "^2", "³": "^3", "¹": "^1",
    "⁻": "^{-}", "…": r"\ldots", "⟨": r"\langle", "⟩": r"\rangle",
}  # fmt: skip

#: Subscripts that reasons are written with; the code points after ₉ are letters.
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789aehijklmnoprstuvx"))

_OPENING, _CLOSING = ("{", r"\left", r"\begin"), ("}", r"\right", r"\end")
_BREAK_AFTER = set("(),=+*/.[]:;_@")
_MATH_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}]|[^\\{}]", re.DOTALL)


def escape(text: str, *, breakable: bool = False) -> str:
    """``text`` as LaTeX that prints it; ``breakable`` lets a line of code be broken after punctuation."""
    pieces: list[str] = []
    for char in text:
        if char in _SPECIAL:
            pieces.append(_SPECIAL[char])
        elif char == "\t":
            pieces.append("    ")
        elif char in "\n\r":
            pieces.append(" ")
        elif char.isascii():
            pieces.append(char if char.isprintable() else _code_point(char))
        else:
            pieces.append(_beyond_ascii(char))
        if breakable and char in _BREAK_AFTER:
            pieces.append(r"\allowbreak{}")
    return "".join(pieces)


def code(text: str) -> str:
    """One line of code: its indentation is kept, and it may be broken after punctuation."""
    body = text.expandtabs(4).lstrip(" ")
    indent = len(text.expandtabs(4)) - len(body)
    # Runs of spaces inside a line are kept too; a single one may stretch and break.
    parts = [escape(part, breakable=True) for part in re.split(r"(?<= )(?= )", body)]
    return (rf"\hspace*{{{indent * 0.5:g}em}}" if indent else "") + r"\ ".join(part for part in parts)


def formula(latex: str) -> str:
    """A formula whose letters are ASCII, with places to break it before the factors of a long product."""
    pieces: list[str] = []
    depth = 0
    previous = ""
    for token in _MATH_TOKEN.findall(latex):
        if token in _OPENING:
            depth += 1
        elif token in _CLOSING:
            depth -= 1
        elif token in ("\\frac", "\\sum") and depth == 0 and previous not in ("", "^", "_"):
            pieces.append(r"\penalty900{}")
        pieces.append(token if token.isascii() else rf"\text{{{_beyond_ascii(token)}}}")
        if not token.isspace():
            previous = token
    return "".join(pieces)


def breakable(latex: str) -> bool:
    """Whether TeX finds a place to break the formula: a relation or an operator outside all braces."""
    depth = 0
    for token in _MATH_TOKEN.findall(latex):
        if token in _OPENING:
            depth += 1
        elif token in _CLOSING:
            depth -= 1
        elif depth == 0 and token in ("=", "+", "-", "\\leftarrow", "\\odot", "\\cdot"):
            return True
    return False


def _beyond_ascii(char: str) -> str:
    if char in _SYMBOLS:
        return rf"\ensuremath{{{_SYMBOLS[char]}}}"
    if char in _SUBSCRIPTS:
        return rf"\ensuremath{{_{{{_SUBSCRIPTS[char]}}}}}"
    if "\uac00" <= char <= "\ud7a3":
        return rf"\tracerkorean{{{_utf8(char)}}}"
    if _is_cjk(char):
        for encoding, macro in (("gb2312", "tracerchinese"), ("big5", "tracertraditional")):
            if _encodes(char, encoding):
                return rf"\{macro}{{{_utf8(char)}}}"
        return _code_point(char)
    base = unicodedata.normalize("NFD", char)
    accents = {
        "\u0300": "`",
        "\u0301": "'",
        "\u0302": "^",
        "\u0303": "~",
        "\u0308": '"',
        "\u030c": "v",
        "\u0327": "c",
    }
    if len(base) == 2 and base[0].isascii() and base[0].isalpha() and base[1] in accents:
        letter = {"i": r"\i", "j": r"\j"}.get(base[0], base[0])
        return rf"{{\{accents[base[1]]}{{{letter}}}}}"
    plain = {
        "ß": r"{\ss}",
        "ø": r"{\o}",
        "Ø": r"{\O}",
        "æ": r"{\ae}",
        "Æ": r"{\AE}",
        "å": r"{\aa}",
        "Å": r"{\AA}",
    }
    punctuation = {
        "–": "--",
        "—": "---",
        "“": "``",
        "”": "''",
        "‘": "`",
        "’": "'",
        "\u00a0": "~",
        "°": r"\textdegree{}",
    }
    return plain.get(char) or punctuation.get(char) or _code_point(char)


def _is_cjk(char: str) -> bool:
    return any(
        low <= char <= high
        for low, high in (("\u3000", "\u30ff"), ("\u4e00", "\u9fff"), ("\uff01", "\uff5e"))
    )


def _encodes(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _utf8(char: str) -> str:
    """The one place where a character stays as it is: the macros around it choose a font that has it."""
    return char


def _code_point(char: str) -> str:
    return rf"{{\scriptsize U+{ord(char):04X}}}"
