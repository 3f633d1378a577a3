"""An Explanation written by hand, with one of everything that a document has to show.

Proved, checked, wrong (with a diagnosis and its edits), unexplained, local derivative, update, forward and
loss lines; an inferred loss; notices; names and comments that try to break out of the page.
"""

from __future__ import annotations

import math

from tracer.explanation.model import (
    Derivation,
    Diagnosis,
    Edit,
    Entry,
    Evidence,
    Explanation,
    Formula,
    Formulas,
    Graph,
    GraphNode,
    Input,
    Line,
    Loss,
    Note,
    Part,
    ProgramInfo,
    Step,
)

SOURCE = """\
# 双层网络 <script>alert("이름")</script> & ]]> \\end{document} 100% _x_ $y$ ^ ~ #
import numpy as np

np.random.seed(0)
N, D, h, K = 300, 2, 100, 3
X = np.random.randn(N, D)
y = np.random.randint(K, size=N)
W1 = 0.01 * np.random.randn(D, h)
b1 = np.zeros((1, h))
W2 = 0.01 * np.random.randn(h, K)
b2 = np.zeros((1, K))
reg = 1e-3
rate = 1.0
for step in range(200):
    hidden = np.maximum(0, np.dot(X, W1) + b1)  # 前向传播 "<b>"
    scores = np.dot(hidden, W2) + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores,
                                axis=1, keepdims=True)
    loss = np.mean(-np.log(probs[range(N), y]))

    # 反向传播 역전파
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = np.dot(hidden.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)
    W2 += -rate * dW2
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden <= 0] = 0
    dW1 = np.dot(X.T, dhidden); 名 = {"<img src=x onerror=alert(1)>": dW1, 'a_very_long_key_that_does_not_end_for_a_long_time': 0}
    db1 = np.sum(dhidden, axis=0, keepdims=True)
    dreg = np.tanh(W1) * 3.0
    W1 += -rate * dW1
    b1 += -rate * db1
    b2 += -rate * db2
"""

LINES = SOURCE.splitlines()


def wrap(mathml: str, latex: str, text: str) -> Formula:
    """A formula whose MathML has the frame that ``tracer.formula`` gives it."""
    spoken = text.replace('"', "&quot;").replace("<", "&lt;")
    tex = latex.replace("&", "&amp;").replace("<", "&lt;")
    return Formula(
        latex,
        text,
        f'<math display="block" aria-label="{spoken}"><semantics><mrow>{mathml}</mrow>'
        f'<annotation encoding="application/x-tex">{tex}</annotation></semantics></math>',
    )


def sym(name: str, base: str, sub: str = "", transposed: bool = False) -> tuple[str, str, str]:
    """A variable as (MathML, LaTeX, text)."""
    top = '<mo lspace="0" rspace="0">⊤</mo>'
    if sub and transposed:
        inner = f"<msubsup><mi>{base}</mi><mn>{sub}</mn>{top}</msubsup>"
    elif sub:
        inner = f"<msub><mi>{base}</mi><mn>{sub}</mn></msub>"
    elif transposed:
        inner = f"<msup><mi>{base}</mi>{top}</msup>"
    else:
        inner = f"<mi>{base}</mi>"
    latex = base if len(base) == 1 else rf"\mathrm{{{base}}}"
    latex += (f"_{{{sub}}}" if sub else "") + (r"^{\top}" if transposed else "")
    text = base + "".join("₀₁₂₃₄₅₆₇₈₉"[int(c)] for c in sub) + ("ᵀ" if transposed else "")
    return f'<mrow class="s" data-s="{name}">{inner}</mrow>', latex, text


def partial(name: str, base: str, sub: str = "") -> tuple[str, str, str]:
    mathml, latex, text = sym(name, base, sub)
    bar = '<mo lspace="0" rspace="0">∂</mo>'
    return (
        f'<mrow class="s" data-s="{name}"><mfrac><mrow>{bar}<mi>L</mi></mrow><mrow>{bar}{mathml}</mrow></mfrac></mrow>',
        rf"\frac{{\partial L}}{{\partial {latex}}}",
        f"∂L/∂{text}",
    )


def op(sign: str, latex: str | None = None) -> tuple[str, str, str]:
    return f"<mo>{sign}</mo>", latex or sign, f" {sign} "


def row(*items: tuple[str, str, str]) -> Formula:
    return wrap(
        *("".join(item[k] for item in items) if k != 1 else " ".join(i[1] for i in items) for k in range(3))
    )


def under(item: tuple[str, str, str], shape: str) -> tuple[str, str, str]:
    mathml = f'<munder>{item[0]}<mtext class="shp">{shape}</mtext></munder>'
    return mathml, rf"\underset{{\scriptscriptstyle {shape}}}{{{item[1]}}}", item[2]


H, S, P, X = sym("hidden", "H"), sym("scores", "S"), sym("probs", "P"), sym("X", "X")
W1, W2, B1 = sym("W1", "W", "1"), sym("W2", "W", "2"), sym("b1", "b", "1")
EQ, TIMES = op("="), op("·", r"\cdot ")
SUM_K = (
    "<munderover><mo>∑</mo><mrow><mi>k</mi><mo>=</mo><mn>1</mn></mrow><mi>K</mi></munderover>",
    r"\sum_{k=1}^{K}",
    "Σₖ ",
)


def entry_of(item: tuple[str, str, str], *indices: str) -> tuple[str, str, str]:
    inner = "<mo>⁢</mo>".join(f"<mi>{i}</mi>" for i in indices)
    return (
        f"<msub>{item[0]}<mrow>{inner}</mrow></msub>",
        f"{{{item[1]}}}_{{{' '.join(indices)}}}",
        f"{item[2]}[{','.join(indices)}]",
    )


def steps(count: int) -> tuple[Step, ...]:
    formula = row(
        entry_of(partial("hidden", "H"), "i", "a"),
        EQ,
        SUM_K,
        entry_of(partial("scores", "S"), "i", "k"),
        entry_of(W2, "a", "k"),
    )
    reasons = [
        ("chain rule", "hidden reaches the loss only through scores, so sum over every entry of scores."),
        ("local derivative", "Line 16: scores[i,k] = Σₐ hidden[i,a] W2[a,k] + b2[0,k]; only a = a remains."),
        ("contraction", "The Kronecker delta keeps one term of the sum: put j = i."),
        (
            "matrix form",
            "The summed index stands last in both, so the second factor is transposed: dscores @ W2.T.",
        ),
    ]
    return tuple(
        Step(
            rule,
            why,
            "dL/dhidden[i,a]",
            formula.latex,
            formula.text,
            formula.mathml,
            "result = np.einsum('ik,ak->ia', dscores, W2)",
        )
        for rule, why in (reasons * 3)[:count]
    )


INPUTS = {
    "dscores": Input("dscores", ("N", "K"), "real"),
    "W2": Input("W2", ("h", "K"), "real"),
    "y": Input("y", ("N",), "integer", "K"),
}
PROVED = Evidence((row(H), row(S)), 3, 1.2e-16, 3.4e-10, ("rows of T sum to 1",))
CHECKED = Evidence(None, 3, 2.2e-15, 8.0e-9)
LOOPS = """\
for i in range(N):
    for a in range(h):
        total = 0.0
        for k in range(K):
            total += dscores[i, k] * W2[a, k]
        dhidden[i, a] = total
"""
SAMPLE = (
    (0.17, 0.08, -0.28, 0.06),
    (0.1, 0.06, -0.26, 0.0),
    (0.08, 0.07, -0.33, math.nan),
    (0.14, 0.08, -0.29, 0.03),
)


def part(line: int, target: str | None, **fields: object) -> Part:
    """The whole statement of a line."""
    text = LINES[line - 1].split("  #")[0].split(";")[0].strip()
    start = LINES[line - 1].index(text)
    values: dict[str, object] = {
        "span": (line, start, line, start + len(text)),
        "source": text,
        "target": target,
        "whole": True,
        **fields,
    }
    return Part(**values)  # type: ignore[arg-type]


def gradient(line: int, target: str, wrt: str, matrix: Formula | None, **fields: object) -> Part:
    values: dict[str, object] = {
        "role": "gradient",
        "of": "loss",
        "of_line": 20,
        "wrt": wrt,
        "verdict": "proved",
        "evidence": PROVED,
        "shape": (300, 100),
        "axes": ("N", "h"),
        "sample": SAMPLE,
        "formula": Formulas(matrix, steps_formula(), LOOPS) if matrix else None,
        "numpy": "dscores @ W2.T",
        "derivation": Derivation(INPUTS, steps(4)),
        "entry": Entry(
            (0, 3),
            0.06,
            ((0.1, -0.89), (-0.14, -0.29), (0.14, 0.88)),
            0.0600001,
            ("dscores[0, k]", "W2[3, k]"),
        ),
    }
    return part(line, target, **{**values, **fields})


def steps_formula() -> Formula:
    step = steps(1)[0]
    return Formula(step.latex, step.text, step.mathml)


def forward(line: int, target: str, matrix: Formula, shape: tuple[int, ...], axes: tuple[str, ...]) -> Part:
    return part(line, target, role="forward", formula=Formulas(matrix, None, None), shape=shape, axes=axes)


DIAGNOSIS = Diagnosis(
    "stale operand",
    "Line 28 changes W2 before line 29 uses it. The gradient needs the W2 that the loss was computed with (line 16).",
    row(partial("hidden", "H"), EQ, partial("scores", "S"), sym("W2", "W", "2", True)),
    "dhidden = np.dot(dscores, W2.T)",
    (Edit(28, 29, "    dhidden = np.dot(dscores, W2.T)\n    W2 += -rate * dW2"),),
    "∂loss/∂hidden",
)


def explanation() -> Explanation:
    loss = row(
        sym("loss", "L"),
        EQ,
        ("<mo>−</mo><mfrac><mn>1</mn><mi>N</mi></mfrac>", r"-\frac{1}{N}", "−1/N "),
        ("<mo>log</mo>", r"\log ", "log "),
        P,
    )
    ds = row(
        under(partial("scores", "S"), "N × K"),
        EQ,
        ("<mfrac><mn>1</mn><mi>N</mi></mfrac>", r"\frac{1}{N}", "1/N "),
        P,
    )
    dw2 = row(
        under(partial("W2", "W", "2"), "h × K"),
        EQ,
        under(sym("hidden", "H", "", True), "h × N"),
        under(partial("scores", "S"), "N × K"),
    )
    dh = row(
        under(partial("hidden", "H"), "N × h"),
        EQ,
        under(partial("scores", "S"), "N × K"),
        under(sym("W2", "W", "2", True), "K × h"),
    )
    dw1 = row(under(partial("W1", "W", "1"), "D × h"), EQ, sym("X", "X", "", True), partial("hidden", "H"))
    positive = row(("<mo>[</mo>", "[", "["), H, ("<mo>&gt;</mo><mn>0</mn><mo>]</mo>", ">0]", " > 0]"))
    mask = Part(
        (30, 12, 30, 23),
        "hidden <= 0",
        None,
        False,
        "local derivative",
        wrt="hidden",
        verdict="checked",
        evidence=CHECKED,
        formula=Formulas(positive, None, None),
    )
    inner = Part(
        (26, 17, 26, 25),
        "hidden.T",
        None,
        False,
        "forward",
        shape=(100, 300),
        axes=("h", "N"),
        formula=Formulas(row(sym("hidden", "H", "", True)), None, None),
    )
    update = row(
        W2, op("←", r"\leftarrow "), W2, op("−", "-"), ("<mi>η</mi>", r"\eta ", "η"), partial("W2", "W", "2")
    )
    terms = tuple((0.01 * k, -0.02 * k) for k in range(300))
    parts: dict[int, tuple[Part, ...]] = {
        6: (part(6, "X", role="data", shape=(300, 2), axes=("N", "D")),),
        8: (part(8, "W1", role="parameter", shape=(2, 100), axes=("D", "h")),),
        10: (part(10, "W2", role="parameter", shape=(100, 3), axes=("h", "K")),),
        15: (
            forward(
                15,
                "hidden",
                row(under(H, "N × h"), EQ, ("<mo>max</mo>", r"\max ", "max"), X, W1, op("+"), B1),
                (300, 100),
                ("N", "h"),
            ),
        ),
        16: (forward(16, "scores", row(S, EQ, H, W2), (300, 3), ("N", "K")),),
        18: (forward(18, "probs", row(P, EQ, S), (300, 3), ("N", "K")),),
        20: (part(20, "loss", role="loss", formula=Formulas(loss, None, None), shape=(), axes=()),),
        23: (
            gradient(
                23,
                "dscores",
                "scores",
                None,
                role="forward",
                verdict=None,
                evidence=None,
                derivation=None,
                entry=None,
                numpy=None,
            ),
        ),
        24: (gradient(24, "dscores", "scores", ds, scale="N", shape=(300, 3), axes=("N", "K")),),
        25: (
            gradient(
                25,
                "dscores",
                "scores",
                ds,
                shape=(300, 3),
                axes=("N", "K"),
                derivation=Derivation(INPUTS, steps(9)),
            ),
        ),
        26: (
            gradient(
                26,
                "dW2",
                "W2",
                dw2,
                shape=(100, 3),
                axes=("h", "K"),
                entry=Entry((0, 0), 0.5, terms, None, ("hidden[i, 0]", "dscores[i, 0]")),
            ),
            inner,
        ),
        27: (
            gradient(
                27,
                "db2",
                "b2",
                row(partial("b2", "b", "2"), EQ, partial("scores", "S")),
                shape=(1, 3),
                axes=("1", "K"),
                verdict="checked",
                evidence=CHECKED,
                sample=((0.1, -0.2, 0.1),),
            ),
        ),
        28: (
            part(
                28,
                "W2",
                role="update",
                wrt="W2",
                optimiser="gradient descent",
                formula=Formulas(update, None, None),
                shape=(100, 3),
                axes=("h", "K"),
            ),
        ),
        29: (
            gradient(
                29,
                "dhidden",
                "hidden",
                dh,
                verdict="wrong",
                diagnosis=DIAGNOSIS,
                evidence=Evidence(None, 3, 0.31, 0.31),
            ),
        ),
        30: (
            gradient(
                30,
                "dhidden",
                "np.dot(X, W1) + b1",
                dh,
                given=(29,),
                names=("z1",),
                remark="At exactly 0 the derivative of max is taken to be 0.",
            ),
            mask,
        ),
        31: (gradient(31, "dW1", "W1", dw1, given=(29,), shape=(2, 100), axes=("D", "h")),),
        32: (
            gradient(
                32,
                "db1",
                "b1",
                row(partial("b1", "b", "1"), EQ, partial("hidden", "H")),
                given=(29,),
                shape=(1, 100),
                axes=("1", "h"),
            ),
        ),
        33: (part(33, "dreg", role="gradient", verdict="unexplained", shape=(2, 100), axes=("D", "h")),),
        34: (
            part(
                34,
                "W1",
                role="update",
                wrt="W1",
                optimiser="gradient descent",
                formula=Formulas(update, None, None),
            ),
        ),
    }
    lines = tuple(
        Line(n, 19 if n == 18 else n, "\n".join(LINES[n - 1 : 19 if n == 18 else n]), found)
        for n, found in parts.items()
    )
    nodes = [
        (0, 6, "X", (300, 2)),
        (1, 8, "W1", (2, 100)),
        (2, 9, "b1", (1, 100)),
        (3, 15, "hidden", (300, 100)),
        (4, 10, "W2", (100, 3)),
        (5, 11, "b2", (1, 3)),
        (6, 16, "scores", (300, 3)),
        (7, 18, "probs", (300, 3)),
        (8, 7, "y<script>", (300,)),
        (9, 20, "loss", ()),
    ]
    edges = ((0, 3), (1, 3), (2, 3), (3, 6), (4, 6), (5, 6), (6, 7), (7, 9), (8, 9))
    return Explanation(
        program=ProgramInfo("two_<layer>_net.py", False, SOURCE),
        notices=(
            Note(20, 4, "Line 20 <b>took</b> the mean over N = 300 examples."),
            Note(0, 0, "matplotlib is missing and was replaced by a stub."),
        ),
        losses=(Loss("loss", 20, 1.0986122886681098, False, loss),),
        lines=lines,
        graph=Graph(tuple(GraphNode(*node) for node in nodes), edges),
    )
