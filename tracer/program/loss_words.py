"""What a loss is called in other languages than English, as a part of regular expressions for names."""

#: German, Dutch, French, Spanish, Portuguese, Italian, Polish, Turkish, Indonesian, Russian, Chinese, Japanese, Korean.
OTHER_LANGUAGES = (
    r"verlust|kosten|verlies|perte|(^|_)co[uû]t(_|$)|p[eé]rdida|perda|custo|perdita|strata|koszt|kay[ıi]p|maliyet|kerugian"
    r"|потер|poter[iy]|损失|代价|損失|손실|비용"
)
