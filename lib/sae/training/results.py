"""What a training tells: events while it runs, and at the end the dictionary with its figures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.results import Result
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.training.settings import TrainingSettings


@dataclass(frozen=True)
class Event(Result):
    """One look at a training while it runs. Held-out figures are of the dictionary as it would be exported now."""

    step: int
    """Steps done."""
    steps: int
    """Steps after which it will be done."""
    samples: int
    """Training texts seen, each as often as it was seen."""
    seconds: float
    """Time spent training, those of earlier runs that it resumes included."""
    learning_rate: float
    """Of the last step."""
    loss: float
    """Mean squared error of the whole dictionary on the training texts since the last event, as a share of their
    variance: the counterpart of `fvu`, of weights that still moved."""
    objective: float
    """What the steps descend: the same with Matryoshka prefixes averaged over all nested dictionaries, which leaves
    more unexplained; `loss` itself without prefixes. Neither has the auxiliary and sparsity terms."""
    fvu: float
    """Fraction of variance unexplained on the held-out texts that are looked at while training, 0 is perfect."""
    mean_active: float
    """Features that fire on such a text, on average."""
    dead_share: float
    """Share of the features that fired on none of the last `dead_after` training texts."""
    gradient_norm: float
    """Length of the gradient of all weights at the last step, before it was cut."""


@dataclass(frozen=True, eq=False)
class Figures(Result):
    """What the finished dictionary does, by its own inference rule."""

    fvu: float
    """sum |x - x_hat|^2 / sum |x - m|^2 over the held-out texts, m being the mean of the held-out texts."""
    mean_active: float
    """Features that fire on a held-out text, on average."""
    held_out_texts: int
    """Held-out texts behind the two."""
    fvu_training: float
    """The same fraction on the training texts of the census, with their own mean; NaN without any."""
    dead_share: float
    """Share of the features that fire on none of the texts of the census."""
    census_texts: int
    """Texts of the census: all held-out ones, and training texts drawn at random."""
    frequencies: NDArray[np.float32]
    """Share of those texts on which each feature fires, shape (n,)."""
    density_edges: NDArray[np.float64]
    """Edges of the bins of log10(frequency), shape (bins + 1,)."""
    density: NDArray[np.int64]
    """Features in each bin, shape (bins,); features that never fire are in none."""


@dataclass(frozen=True, eq=False)
class Trained(Result):
    """A finished training."""

    sae: SparseAutoencoder
    """The dictionary; `sae.about` holds the settings and figures, and leaves encoder and corpus to the caller."""
    settings: TrainingSettings
    """Every setting as it took effect."""
    history: tuple[Event, ...]
    """One event an evaluation, from the first step on, also where the training was resumed."""
    figures: Figures
    """Held-out figures and the census of features."""
    training_texts: int
    """Training texts."""
    samples: int
    """Training texts seen, each as often as it was seen."""
    seconds: float
    """Time spent in steps and evaluations, earlier runs included."""
    stopped_early: bool
    """Whether held-out FVU stopped improving, so that the learning rate fell sooner and fewer steps were taken than
    `settings.steps`."""
    resumed_at: int | None
    """The step at which this run went on from a checkpoint; None where it began anew."""
    device: str
    """Where it ran: cpu or cuda."""
    precision: str
    """Of the dense product behind the kept activations while training: float32 or bfloat16. Figures are float32's."""
