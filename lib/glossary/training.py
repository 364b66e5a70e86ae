"""Terms of training a dictionary."""

from lib.glossary.term import Term

TERMS = (
    Term(
        "dead-features", "Dead features", "Features that never fired on the texts of the training. Those that fire on "
        "none of the corpus at hand are only silent here: another corpus may wake them.",
        "sae_features", "Train", range="0 to 100 %; 0 is best.",
        beware="Silent features of a small corpus, most of which are sound.",
        labels=("Dead", "Silent here", "Dead in training"),
    ),
    Term(
        "ndcg-kept", "NDCG@10 kept", "Search quality with queries and documents put together again from their "
        "features, as a share of that with the embeddings.",
        "sae_features", "Train", range="0 and up; 100 % loses nothing.", labels=("NDCG@10 kept, *",),
        beware="Kept shares on other query sets.",
    ),
    Term(
        "training-speed", "Texts a second", "How fast training goes on this machine, and how many texts it has seen, "
        "each as often as it was.",
        "sae_features", "Train", labels=("Texts seen",), beware="Other machines.",
    ),
)  # fmt: skip
