"""Chance: what would the features do if texts moved as far, but not together?

Every text is given another text's move, with a tossed sign: moves of the same lengths, along the same directions, that
belong to no text and have no direction in common. A dictionary answers even to these: vectors that leave its ground
fire other features, and strong ones less. What a fine-tune did to a concept is what goes beyond that.
"""

import numpy as np
from numpy.typing import NDArray

SHUFFLES = 5
"""Draws of moves that belong to no text."""
MOST_TEXTS = 5_000
"""Texts on which chance is drawn; with more, a random sample."""


def shuffled_moves(
    base: NDArray[np.floating], tuned: NDArray[np.floating], generator: np.random.Generator
) -> NDArray[np.float32]:
    """`base` (m, d) after moves of other texts with tossed signs, as long as the rows of `tuned`, shape (m, d)."""
    before, after = np.asarray(base, dtype=np.float32), np.asarray(tuned, dtype=np.float32)
    signs = generator.choice(np.array([-1, 1], dtype=np.float32), size=(len(before), 1))
    order = generator.permutation(len(before))
    made = before + signs * (after - before)[order]
    wanted = np.linalg.norm(after, axis=1, keepdims=True)
    length = np.linalg.norm(made, axis=1, keepdims=True)
    found: NDArray[np.float32] = made * np.divide(wanted, length, out=np.ones_like(length), where=length > 0)
    return found


def sampled_rows(texts: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Rows of the texts on which chance is drawn: all, or MOST_TEXTS of them, ascending."""
    if texts <= MOST_TEXTS:
        return np.arange(texts)
    return np.sort(generator.choice(texts, MOST_TEXTS, replace=False))
