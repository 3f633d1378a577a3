"""What a loss is called, as parts of regular expressions for names.

A name in the text of a program says less than the name of a recorded number: ``e`` may be anything there.
"""

#: German, Dutch, French, Spanish, Portuguese, Italian, Polish, Turkish, Indonesian, Russian, Chinese, Japanese, Korean.
OTHER_LANGUAGES = (
    r"verlust|kosten|verlies|perte|(^|_)co[uû]t(_|$)|p[eé]rdida|perda|custo|perdita|strata|koszt|kay[ıi]p|maliyet|kerugian"
    r"|потер|poter[iy]|损失|代价|損失|손실|비용"
)

#: Words that say a loss wherever they stand in a name.
ANYWHERE = rf"loss|cost|entropy|objective|likelihood|deviance|elbo|huber|hinge|{OTHER_LANGUAGES}"
#: Abbreviations that say one where they are a word of the name.
AS_A_WORD = r"nll|mse|sse|rss|bce|c?xent|ce|ll|log_?lik|kld?"
#: What the name of a slope has after that of the loss, or around it: ``cost_derivative``, ``loss_prime``, ``dLoss_dw``.
SLOPES = r"(deriv\w*|grad(ient)?s?|prime|slopes?)$|^deriv|^d(loss|cost|error|err|mse)_?d|^d_(loss|cost|error|err|mse)_d_"
