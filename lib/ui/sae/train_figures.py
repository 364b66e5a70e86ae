"""What a finished training came to: held-out figures, what is kept of retrieval, how often features fire."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from lib.charts import sae_train as charts
from lib.sae import SparseAutoencoder
from lib.ui import downloads
from lib.ui.layout import number
from lib.ui.messages import count, counted, plain, share

_BY_HEART = 0.05  # FVU, between held-out texts and training texts
_MANY_DEAD = 0.05


def numbers(sae: SparseAutoencoder) -> None:
    """The figures of the end, and how to read them."""
    figures, kept = sae.about.figures, sae.about.figures.get("ndcg") or []
    with st.container(horizontal=True, gap="small"):
        number("Held-out FVU", f"{figures['fvu']:.3f}", "Share of the variance of texts that it never saw that it does "
               "not explain; 0 is perfect.")  # fmt: skip
        number("FVU, training", _three(figures["fvu_training"]), "The same on texts that it was trained on.")
        number("Active a text", f"{figures['mean_active']:.1f}", "Features that fire on a held-out text, on average.")
        number("Dead", share(figures["dead_share"]), f"Share of the features that fire on none of {_census(sae)}.")
        for one in kept:
            number(
                f"NDCG@10 kept, {one['name']}" if len(kept) > 1 else "NDCG@10 kept",
                _share(one["both"]["share"]),
                "Search quality with queries and documents put together again from their features, as a share of that "
                "with the embeddings; 100 % loses nothing.",
            )
    st.caption(_reading(sae))
    for one in kept:
        st.caption(_retrieval(one))


def density(sae: SparseAutoencoder) -> None:
    """How many features fire how often, and how to read it."""
    figures = sae.about.figures
    if not figures.get("density"):
        return
    st.markdown("**How often do its features fire?**")
    counts, edges = np.array(figures["density"], dtype=np.int64), np.array(figures["density_edges"], dtype=np.float64)
    silent = sae.features - int(counts.sum())
    downloads.picture(
        charts.density(counts, edges, silent=silent),
        key="train_density",
        about="How many features fire on how large a share of the texts, at the end of training.",
    )
    st.caption(
        f"Counted on {_census(sae)}. On the left, features for rare things, some of which only a single text has "
        "taught; on the right, those that fire for many texts and say little about any. The hatched bar: features that "
        "fire on none of them, which other texts may still wake. Where most features stand is a matter of k and of how "
        "many there are, not of how good they are."
    )


def _census(sae: SparseAutoencoder) -> str:
    """The texts on which it was counted how often features fire."""
    held, texts = int(sae.about.figures["held_out_texts"]), int(sae.about.figures["census_texts"])
    some = texts - held < int(sae.about.trained_on.get("training", 0))
    training = counted(max(texts - held, 0), "training text")
    return f"{counted(held, 'held-out text')} and {training}{' drawn at random' if some else ''}"


def _reading(sae: SparseAutoencoder) -> str:
    """The figures in words."""
    figures, explained = sae.about.figures, 1 - sae.about.figures["fvu"]
    parts = [
        f"It explains {100 * explained:.0f} % of what differs among {counted(figures['held_out_texts'], 'text')} that "
        f"it never saw, with {figures['mean_active']:.3g} of {count(sae.features)} features a text."
    ]
    gap = figures["fvu"] - (figures["fvu_training"] if figures["fvu_training"] is not None else figures["fvu"])
    if gap > _BY_HEART:
        parts.append(
            f"On its training texts it leaves {100 * gap:.0f} points less: it has learnt part of them by heart, so "
            "believe the held-out figure, and take fewer features or more texts."
        )
    if figures["dead_share"] > _MANY_DEAD:
        parts.append(f"Many features are dead on {_census(sae)}: fewer would do, or more texts.")
    if sae.about.settings.get("stopped_early"):
        parts.append("Held-out texts gained nothing more, so its learning rate fell sooner than planned and it ended.")
    parts.append("None of this says that the features can be read: look at them in the Browser, and at Diagnostics.")
    return " ".join(parts)


def _retrieval(one: Mapping[str, Any]) -> str:
    """NDCG@10 with embeddings and with reconstructions, with their intervals."""
    both, alone = one["both"], one["documents"]
    return (
        f"Search on {plain(one['name'])} ({counted(one['queries'], 'querie').replace('1 querie', '1 query')}, "
        f"{counted(one['items'], 'document')}): NDCG@10 is {_three(one['raw'])}"
        f"{_between(one['raw_low'], one['raw_high'], _three)} with the embeddings and {_three(both['ndcg'])} with "
        f"reconstructions: {_share(both['share'])} is kept{_between(both['share_low'], both['share_high'], _share)}; "
        f"with documents alone reconstructed {_share(alone['share'])}"
        f"{_between(alone['share_low'], alone['share_high'], _share)}. In brackets: 95 % intervals over queries. Other "
        "texts than yours: a dictionary for a narrow subject may keep less here and serve its subject well."
    )


def _between(low: float | None, high: float | None, tell: Any) -> str:
    return "" if low is None or high is None or low != low else f" ({tell(low)} to {tell(high)})"


def _three(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None or value != value else share(value)
