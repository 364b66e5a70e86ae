"""The sidebar's first choice: which encoder, with which prompts, at which precision."""

from dataclasses import dataclass
from typing import cast

import streamlit as st

from lib.encoders import (
    FAMILIES,
    PACKAGED,
    PACKAGED_HARMFUL,
    PACKAGED_STATIC,
    PACKAGED_TUNED,
    Checkpoint,
    Precision,
    precisions_available,
)
from lib.errors import InputError
from lib.settings import allows_hub_id
from lib.ui import resources
from lib.ui.controls import one_of
from lib.ui.messages import count, plain

_KNOWN = {name: name for name in (PACKAGED, PACKAGED_STATIC, PACKAGED_TUNED, PACKAGED_HARMFUL)} | {
    variant.hub_id: f"{family.name} · {variant.name}" for family in FAMILIES for variant in family.variants
}
_POOLING = {
    "cls": "CLS pooling",
    "mean": "mean pooling",
    "max": "max pooling",
    "weightedmean": "weighted-mean pooling",
    "mean_sqrt_len_tokens": "mean-sqrt-length pooling",
    "lasttoken": "last-token pooling",
}


@dataclass(frozen=True)
class EncoderChoice:
    """What the user chose, or why it cannot be had."""

    checkpoint: Checkpoint | None
    precision: Precision
    fault: str | None


def choose_encoder() -> EncoderChoice:
    """Draw the choice in the sidebar and return it."""
    source = st.selectbox(
        "Encoder",
        _offered(),
        format_func=lambda key: _KNOWN.get(key, key),
        accept_new_options=True,
        key="encoder",
        bind="query-params",
        help="Choose a known family, or type any hub id (owner/name) or a folder that the server's owner allows.",
    )
    found = resources.checkpoint(str(source))
    if isinstance(found, InputError):
        st.caption(":material/block: This encoder could not be opened.")
        return EncoderChoice(None, "float32", str(found))
    _describe(found)
    with st.expander("Prompts and precision"):
        found = _edit_prompts(found)
        precision = _precision()
    return EncoderChoice(found, precision, None)


def _offered() -> list[str]:
    """Known encoders, without those that the server's owner does not allow."""
    return [name for name in _KNOWN if "/" not in name or allows_hub_id(name, resources.policy().hub_ids)]


def _describe(found: Checkpoint) -> None:
    facts = [
        _POOLING.get(found.pooling, found.pooling) + (" (guessed)" if found.pooling_guessed else ""),
        f"{count(found.dimensions)} dimensions",
        f"{count(found.max_tokens)} tokens" if found.max_tokens else "any length",
        f"{found.layers} layers" if found.layers else "no layers",
    ]
    if found.licence:
        facts.append(found.licence)
    st.caption(plain(" · ".join(facts)))
    for notice in found.notices:
        st.caption(f":material/warning: {plain(notice)}")


def _edit_prompts(found: Checkpoint) -> Checkpoint:
    origin = {
        "checkpoint": "as the checkpoint's own files say",
        "family": "as the model card of its family says; its files hold none",
        "none": "none is known for it",
        "edited": "edited",
    }[found.prompts.source]
    st.caption(f"Put before every text by itself: {origin}.")
    base = found.fingerprint[:12]  # another encoder begins with its own prompts
    query = st.text_input(
        "Before a query",
        found.prompts.query,
        key=f"query_prompt_{base}",
        bind="query-params",
        help="Put before each query that is encoded; the checkpoint's own at the start.",
    )
    document = st.text_input(
        "Before a document",
        found.prompts.document,
        key=f"document_prompt_{base}",
        bind="query-params",
        help="Put before each text or document that is encoded; the checkpoint's own at the start.",
    )
    try:
        return found.with_prompts(query=query, document=document)
    except InputError as fault:
        st.error(plain(fault))
        return found


def _precision() -> Precision:
    return cast(
        Precision,
        one_of(
            "Precision",
            list(precisions_available()),
            key="precision",
            help="float32 can be reproduced anywhere. bfloat16 encodes faster where the processor has it, "
            "at a cosine error of about 0.0001"
            + (", and openvino about a fifth faster still." if "openvino" in precisions_available() else "."),
        ),
    )
