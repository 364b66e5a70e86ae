"""A corpus's vectors beside the sparse autoencoder that takes them apart."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.database import FeatureDatabase

if TYPE_CHECKING:
    from lib.ui.query_space import QuerySpace
    from lib.ui.workspace import Space


@dataclass(frozen=True)
class SaeSpace:
    """What a page about features looks at."""

    space: "Space"
    """The corpus in its encoder's space."""
    sae: SparseAutoencoder
    """The dictionary, which belongs to that encoder."""
    database: FeatureDatabase | None
    """What is known of its features: what ships with it or was chosen instead, edited; None where nothing is."""
    source: str
    """What the sidebar calls the dictionary."""
    shipped: FeatureDatabase | None = None
    """What lies beside the dictionary, whatever the session imported, made or edited since."""

    @property
    def key(self) -> str:
        """Content hash of vectors, corpus and dictionary."""
        return f"{self.space.key}/{self.sae.key}"

    @property
    def codes_key(self) -> str:
        """Content hash of vectors and dictionary: equal for the same texts under other labels."""
        return f"{self.space.vectors_key}/{self.sae.key}"


@dataclass(frozen=True)
class SaeQuerySpace:
    """A query set's vectors beside the sparse autoencoder that takes them apart."""

    space: "QuerySpace"
    """The query set in its encoder's space."""
    sae: SparseAutoencoder
    """The dictionary, which belongs to that encoder."""
    database: FeatureDatabase | None
    """What is known of its features; None where nothing is."""
    source: str
    """What the choice calls the dictionary."""

    @property
    def key(self) -> str:
        """Content hash of vectors, texts, judgements and dictionary."""
        return f"{self.space.key}/{self.sae.key}"
