"""Training a sparse autoencoder on embeddings: `train(vectors, TrainingSettings(...))` gives a `Trained`."""

from lib.sae.training.results import Event, Figures, Trained
from lib.sae.training.settings import TrainingSettings
from lib.sae.training.trainer import train

__all__ = ["Event", "Figures", "Trained", "TrainingSettings", "train"]
