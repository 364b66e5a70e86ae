"""Arguments: what tools take, with bounds and a sentence each that agents read."""

from typing import Annotated

from pydantic import Field

from lib.agents.answers import MOST_ROWS
from lib.corpora import QUERY_SET_NAMES, SAMPLE_NAMES
from lib.encoders import PACKAGED
from lib.sae.sources import PACKAGED_SAE

MOST_TEXTS = 2_000
"""Texts that may be given in one call."""
_ONE_TEXT = 20_000

Text = Annotated[str, Field(min_length=1, max_length=_ONE_TEXT, description="A text.")]
"""A text that is typed."""
Texts = Annotated[list[Text], Field(min_length=1, max_length=MOST_TEXTS)]
"""Several."""
EncoderName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=300,
        description=f"The encoder: a name that list_encoders tells (default {PACKAGED!r}), a folder below the server's "
        "roots, a hub id (owner/name) where the server's owner allows it, or run:ID of a finished fine-tune.",
    ),
]
"""Which encoder."""
CorpusName = Annotated[
    str | Texts,
    Field(
        description="The texts: a list of them, a sample ("
        + ", ".join(f"sample:{name}" for name in SAMPLE_NAMES)
        + "), or a .txt, .csv, .tsv, .jsonl or .parquet file below the server's roots (columns are guessed).",
    ),
]
"""Which corpus."""
QuerySetName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1_000,
        description="Queries with judged documents: a sample ("
        + ", ".join(f"sample:{name}" for name in QUERY_SET_NAMES)
        + "), or the path of a file of pairs or of a BEIR folder below the server's roots.",
    ),
]
"""Which query set."""
SaeName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=300,
        description=f"The sparse autoencoder: {PACKAGED_SAE!r} (for the packaged encoder), 'packaged-static', a folder "
        "below the server's roots, a hub id where allowed, or run:NAME of a finished training.",
    ),
]
"""Which dictionary."""
Feature = Annotated[int, Field(ge=0, le=10_000_000, description="Number of a feature in its dictionary.")]
"""One feature."""
Seed = Annotated[int, Field(ge=0, lt=2**32, description="Seed of everything that is drawn.")]
"""A seed."""
Offset = Annotated[int, Field(ge=0, le=10_000_000, description="Rows to skip: how to ask for what was cut.")]
"""Where a list begins."""
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description=f"Rows at most, up to {MOST_ROWS}.")]
"""How long a list is."""
Picture = Annotated[bool, Field(description="Whether a PNG picture comes with the answer.")]
"""Whether to draw."""
