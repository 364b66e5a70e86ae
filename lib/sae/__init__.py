"""The sparse autoencoder: a dictionary of features that takes embeddings apart, its training, and what it finds."""

from lib.sae.autoencoder import About, Rule, SparseAutoencoder
from lib.sae.codes import Codes
from lib.sae.fit import check_fit
from lib.sae.folder import load, save

__all__ = ["About", "Codes", "Rule", "SparseAutoencoder", "check_fit", "load", "save"]
