"""What is chosen in the sidebar."""

from dataclasses import dataclass

from lib.ui.corpus_choice import CorpusChoice
from lib.ui.encoder_choice import EncoderChoice
from lib.ui.query_choice import QueryChoice


@dataclass(frozen=True)
class Chosen:
    """The sidebar's choices; None where the page at hand does not ask for one."""

    encoder: EncoderChoice
    """The encoder, or why it cannot be opened."""
    corpus: CorpusChoice | None
    """The texts, or what is missing."""
    queries: QueryChoice | None
    """The query set, or what is missing."""
