"""Terms of the Circuits page."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "lens", "Lens", "How the state after a layer is read as if it were the encoder's output: raw, as it is; or "
        "tuned, through a linear map for each depth that guesses the output.",
        "circuits", range="Its R²: 1 = the depth tells the output, 0 = it tells nothing.",
        source="Belrose et al. 2023, arXiv:2303.08112.",
        beware="The raw lens: early states lie off what the dictionary knows.",
    ),
    Term(
        "peak", "Peak", "The depth at which a feature fires most on this text, and how strongly.",
        "circuits", "Trace", range="A depth, from embedding to the output.",
    ),
    Term(
        "growth", "Growth", "Steps from one depth to the next that raise the activation by 5 % of its peak or more, "
        "and what they gain together.",
        "circuits", "Trace", formula=r"a_{\ell} - a_{\ell - 1} \ge .05 \max_m a_m",
        labels=("Total gain", "Growth steps"),
    ),
    Term(
        "circuit-verdict", "Verdict on a curve", "Structural: built up over layers. From the start: the words alone "
        "give it. Late-binding: there only in the last quarter of the layers. Transient: it peaks and fades. Mixed: "
        "none of these. Silent: it fires nowhere. The rule stands beside it.",
        "circuits", "Trace", source="A rule of this app, in shares of the curve itself.",
        labels=("Verdict", "Structural", "From the start", "Late-binding", "Transient", "Mixed", "Silent"),
    ),
    Term(
        "birth", "Birth", "First depth from which on a feature fires on at least half of its own texts: those on which "
        "it fires at the output.",
        "circuits", "Births", range="A depth, from embedding to the output.",
        beware="Where it is made: born late means that it cannot be read off before.",
        labels=("Median birth", "Features judged"),
    ),
    Term(
        "pre-activation", "Pre-activation", "What a feature's encoder direction reads from the vector before the "
        "dictionary's rule keeps it or not.",
        "circuits", "Writers", formula=r"(x - b_{dec}) \cdot w + b_{enc}",
    ),
    Term(
        "direct-contribution", "Writes most (direct contribution)", "What a part's own output adds to the "
        "pre-activation, everything after it held as it is. Parts and a constant add up to it exactly.",
        "circuits", "Writers", baseline="The same terms of other texts of the corpus.",
        labels=("Writes most, layer", "Constant", "Half of it from"),
    ),
    Term(
        "leaving-out", "Missed most (leaving out)", "How much lower the pre-activation is when a part puts out nothing "
        "(or its mean) and the rest of the encoder runs anew.",
        "circuits", "Writers", baseline="What other features lose by the same.",
        beware="The direct contribution: later parts carry on with it, or make up for it.",
        labels=("Missed most, layer", "The two ways"),
    ),
)  # fmt: skip
