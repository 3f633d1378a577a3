"""LaTeX, MathML, text and words of one tree."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.calculus.printing import Letters, NoForm
from tracer.calculus.terms import Function, Term
from tracer.formula import (
    Symbols,
    equation,
    index_form,
    matrix_formula,
    render,
    symbol,
    to_latex,
    to_mathml,
    to_spoken,
    to_text,
    with_cjk,
    with_shape,
)
from tracer.formula import building as build
from tracer.formula.latex_text import escape
from tracer.formula.symbols import letter
from tracer.formula.tree import (
    Absolute,
    Apply,
    Bracket,
    Cases,
    Conjugate,
    Delta,
    Number,
    Partial,
    Relation,
    Root,
    Row,
    Text,
    Tree,
)

LOSS = symbol("L")
SYMBOLS = Symbols(adjoints={"dscores": Partial(LOSS, symbol("scores"), key="dscores")})
HOSTILE = [
    "<script>alert(1)</script>",
    r"a}\input{/etc/passwd}",
    r"\end{document}",
    "$x$",
    "x%y",
    "a&b#c",
    "x^2_3~",
    "学习率",
    "기울기",
    "grads['W1']",
    'cache["z"]',
    "é_größe",
    "градиент",
    "😀",
    "a\x00b\nc",
    "]]>",
    "--,,''``",
    "σ",
    "lambda_2",
    "W_1_2",
    "_",
    "__x1",
]


def _trees(expressions: Any, names: Any) -> list[Tree]:
    trees = []
    for expr, free in expressions.values():
        trees.append(index_form(expr, free, Letters.of(free, expr), SYMBOLS, names))
        trees.append(matrix_formula(expr, free, names, SYMBOLS))
    trees += [build.entry(symbol(name), [letter("i")]) for name in HOSTILE]
    trees += [build.transposed(symbol(name)) for name in HOSTILE]
    trees += [
        equation(symbol(name), with_shape(build.times([symbol(name), Text(name)]), f"N × {name}"))
        for name in HOSTILE
    ]
    return trees


def test_the_gradient_of_a_hidden_layer(expressions: Any, names: Any) -> None:
    expr, free = expressions["back"]
    tree = equation(
        Partial(LOSS, symbol("hidden_layer"), (), (letter("i"), letter("j"))),
        index_form(expr, free, Letters.of(free, expr), SYMBOLS, names),
    )
    assert to_latex(tree) == (
        r"\frac{\partial L}{\partial \mathrm{hidden\_layer}_{i j}} = "
        r"\sum_{k} \frac{\partial L}{\partial \mathrm{scores}_{i k}}\,(W_{2})_{j k}"
    )
    assert to_text(tree) == "∂L/∂hidden_layer[i,j] = Σ_k ∂L/∂scores[i,k] · W₂[j,k]"
    assert to_spoken(tree) == (
        "the derivative of L with respect to hidden layer sub i j equals sum over k of "
        "the derivative of L with respect to scores sub i k times open parenthesis W 2 close parenthesis sub j k"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("back", "∂L/∂scores · W₂ᵀ"),
        ("masked", "(∂L/∂scores · W₂ᵀ) ⊙ [hidden_layer > 0]"),
        ("weights", "hidden_layerᵀ · ∂L/∂scores + reg W₂"),
        ("bias", "Σ_k ∂L/∂scores[k,j]"),
        ("forward", "hidden_layer W₂ + b₂"),
        ("softmax", "(probs − 1_y) / N"),
        ("jacobian", "probs ⊙ (∂L/∂scores − Σ_k probs[i,k] · ∂L/∂scores[i,k])"),
        ("loss", "−(1 / N) · Σ_i log(probs[i,y[i]])"),
        ("rows", "E[y]"),
        ("scatter", "1_yᵀ X"),
        ("nothing", "0"),
    ],
)
def test_the_matrix_form_is_the_one_of_textbooks(name: str, text: str, expressions: Any, names: Any) -> None:
    expr, free = expressions[name]
    letters = Letters.of(free, expr)
    shown = to_text(matrix_formula(expr, free, names, SYMBOLS, letters))
    assert shown == text.replace("Σ_k ∂L/∂scores[k,j]", "Σ_j ∂L/∂scores[j,i]")


def test_every_latex_text_balances(expressions: Any, names: Any, latex_balances: Any) -> None:
    for tree in _trees(expressions, names):
        latex_balances(to_latex(tree))


def test_an_unbalanced_text_is_noticed(latex_balances: Any) -> None:
    for wrong in (r"\frac{a}{b", "a}", r"\left( a", r"\begin{cases} a", "50%"):
        with pytest.raises(AssertionError):
            latex_balances(wrong)


def test_every_mathml_text_is_core_mathml(expressions: Any, names: Any, read_mathml: Any) -> None:
    for tree in _trees(expressions, names):
        root, shown = read_mathml(to_mathml(tree))
        assert shown
        assert root.get("aria-label") == to_spoken(tree).replace("\x00", "\ufffd").replace(
            "\n", " "
        ) or "\x00" in to_spoken(tree)


def test_each_symbol_knows_its_variable(expressions: Any, names: Any, read_mathml: Any) -> None:
    expr, free = expressions["back"]
    root, shown = read_mathml(to_mathml(matrix_formula(expr, free, names, SYMBOLS)))
    assert [element.get("data-s") for element in root.iter() if element.get("data-s")] == [
        "dscores",
        "L",
        "scores",
        "W2",
    ]
    assert shown == "∂L∂scoresW2⊤"


def test_mathml_carries_the_latex_and_the_words() -> None:
    tree = build.transposed(symbol("W2"))
    latex, text, mathml = render(tree, display="inline")
    assert (latex, text) == (r"W_{2}^{\top}", "W₂ᵀ")
    assert 'display="inline"' in mathml
    assert r'<annotation encoding="application/x-tex">W_{2}^{\top}</annotation>' in mathml
    assert 'aria-label="W 2 transposed"' in mathml


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_can_inject_markup(name: str, read_mathml: Any, latex_balances: Any) -> None:
    tree = build.entry(symbol(name), [letter("i")])
    mathml = to_mathml(tree)
    assert "<script" not in mathml
    read_mathml(mathml)
    latex = to_latex(tree)
    latex_balances(latex)
    assert r"\input" not in latex
    assert r"\end{doc" not in latex
    assert "<script" not in latex


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("W2", "W_{2}"),
        ("b1", "b_{1}"),
        ("x", "x"),
        ("hidden_layer", r"\mathrm{hidden\_layer}"),
        ("h_1", "h_{1}"),
        ("alpha", r"\alpha"),
        ("lambda_", r"\mathrm{lambda\_}"),
        ("sigma2", r"\sigma_{2}"),
        ("dW1", r"\mathrm{dW}_{1}"),
        ("grads['W1']", r"\text{grads['W1']}"),
        ("学习率", r"\text{学习率}"),
    ],
)
def test_names_become_symbols(name: str, latex: str) -> None:
    assert to_latex(symbol(name)) == latex


def test_parentheses_stand_where_the_meaning_needs_them() -> None:
    a, b, c = symbol("a"), symbol("b"), symbol("c")
    total = build.plus([(1, a), (-1, b)])
    assert to_text(build.times([total, c])) == "(a − b) c"
    assert to_text(build.transposed(build.times([a, b]))) == "(a b)ᵀ"
    assert to_text(build.power(build.power(a, Number("2")), Number("3"))) == "(a²)³"
    assert to_text(build.fraction(total, build.times([b, c]))) == "(a − b) / (b c)"
    assert to_text(build.plus([(1, a), (-1, total)])) == "a − (a − b)"
    assert to_text(build.times([build.sum_over([letter("i")], a), b])) == "(Σ_i a) b"
    assert to_text(build.times([build.times([a, b], "⊙"), c])) == "(a ⊙ b) c"


def _nested(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(build.times, several, st.sampled_from(["", "⊙", "·"])),
        st.builds(
            lambda trees, signs: build.plus(list(zip(signs, trees, strict=False))),
            several,
            st.lists(st.sampled_from([1, -1]), min_size=3, max_size=3),
        ),
        st.builds(build.fraction, inner, inner),
        st.builds(build.power, inner, inner),
        st.builds(build.transposed, inner),
        st.builds(lambda body: build.sum_over([letter("k")], body), inner),
        st.builds(build.entry, inner, several),
        st.builds(Root, inner),
        st.builds(Absolute, inner),
        st.builds(Conjugate, inner),
        st.builds(lambda first, second: Delta((first, second)), inner, inner),
        st.builds(lambda first, second: Bracket(Relation(first, "≥", second)), inner, inner),
        st.builds(lambda trees: Apply("f", tuple(trees)), several),
        st.builds(lambda first, second: Cases(((first, second), (second, None))), inner, inner),
        st.builds(lambda first, second: Partial(first, second), inner, inner),
        st.builds(lambda trees: Row(tuple(trees)), several),
        st.builds(lambda body, shape: with_shape(body, shape), inner, st.text(max_size=5)),
    )


TREES = st.recursive(
    st.one_of(
        st.builds(symbol, st.text(min_size=1, max_size=6)),
        st.builds(Text, st.text(max_size=6)),
        st.builds(build.number, st.fractions(max_denominator=99)),
    ),
    _nested,
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(tree=TREES)
def test_any_tree_has_balanced_latex_and_well_formed_mathml(
    latex_balances: Any, read_mathml: Any, tree: Tree
) -> None:
    latex, text, mathml = render(tree)
    latex_balances(latex)
    read_mathml(mathml)
    assert isinstance(text, str)


PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage{lmodern}\usepackage{textcomp}
\usepackage{amsmath,amssymb}
\newcommand\cjk[1]{CJK}\newcommand\hangul[1]{Hangul}
\begin{document}
"""


@pytest.mark.latex
def test_every_formula_and_text_compiles(
    expressions: Any, names: Any, tmp_path: Path, latex_balances: Any, pdflatex: str
) -> None:
    lines = [PREAMBLE]
    for tree in _trees(expressions, names):
        lines.append(rf"\[{with_cjk(to_latex(tree))}\]")
    for text in HOSTILE + [
        "if x < 1: y = 'a' # 100% _x_ \\n {} ^ ~ & $ ∂L/∂W → α² — “quoted”…",
        "|<>|`\"-- ''",
    ]:
        latex_balances(escape(text))
        lines.append(rf"\noindent\texttt{{{escape(text)}}}\par")
    lines.append(r"\end{document}")
    (tmp_path / "all.tex").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [pdflatex, "-halt-on-error", "-interaction=nonstopmode", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode("latin-1")[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000


def test_a_form_that_does_not_exist_is_an_error(names: Any) -> None:
    odd = (Term(Fraction(1), (), ((Function("x0[1]", ()), Fraction(1)),)),)
    with pytest.raises(NoForm):
        index_form(odd, (), Letters(), SYMBOLS, names)
