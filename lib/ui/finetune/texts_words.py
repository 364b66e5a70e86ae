"""What the Texts tab says of its numbers and pictures."""

from typing import Any

import streamlit as st

from lib.finetune.diff.neighbours import NeighboursKept, TextNeighbours
from lib.finetune.diff.space import SpaceDiff
from lib.ui.messages import count, counted, share

_CHARACTERS = 600


def numbers(found: SpaceDiff) -> list[tuple[str, str, str]]:
    """Label, value and meaning of each number of the view."""
    kept = found.neighbours
    lost, whole = int((kept.kept == 0).sum()), int((kept.kept == 1).sum())
    told = [
        (
            "Neighbours kept",
            share(kept.mean),
            f"Mean over texts of the share of their {kept.k} nearest that stayed. 95 % interval "
            f"{share(kept.interval[0])} to {share(kept.interval[1])}; random neighbours would give "
            f"{share(kept.chance)}.",
        ),
        (
            "Kept them all",
            f"{count(whole)} of {count(len(kept.rows))}",
            "Texts whose neighbours are the same as before.",
        ),
        ("Lost them all", f"{count(lost)} of {count(len(kept.rows))}", "Texts with none of their old neighbours left."),
    ]
    if found.movement is not None:
        one = found.movement
        told.append(
            (
                "Cosine with itself",
                f"{one.mean:.3f}",
                f"Mean cosine of a text's vector before with that after; 1 = it did not move. 95 % interval "
                f"{one.interval[0]:.3f} to {one.interval[1]:.3f}.",
            )
        )
    return told


def of_histogram(kept: NeighboursKept) -> str:
    """How to read the histogram."""
    asked = (
        "every text" if kept.every_row else f"{count(len(kept.rows))} texts drawn at random, each against the corpus"
    )
    return (
        f"Right: texts that are still among the same others; left: texts that a search now finds in other company. Of "
        f"{asked}. New neighbours are neither good nor bad: a fine-tune that helps must change some. A rotation of the "
        "whole space changes none."
    )


def notices(found: SpaceDiff) -> list[str]:
    """What should be known of the list."""
    if found.movement is None:
        return ["How far a text moved needs one space for both checkpoints; its neighbours do not."]
    return []


def of_text(found: SpaceDiff, near: TextNeighbours) -> str:
    """What became of one text."""
    kept = near.k - int(near.lost.sum())
    told = f"{count(kept)} of {counted(near.k, 'neighbour')} kept, {count(int(near.lost.sum()))} lost."
    if found.movement is not None:
        told += f" Cosine of its vector with itself {found.movement.cosine[near.row]:.3f}."
    return (
        f"{told} An arrow tells where a neighbour stood and stands; numbers are cosines, each within its own "
        "checkpoint: those of one column are not to be held against those of the other."
    )


def columns(found: SpaceDiff) -> dict[str, Any]:
    """How the columns of the table are shown."""
    k = found.neighbours.k
    return {
        "kept": st.column_config.ProgressColumn(
            f"kept of {k}", min_value=0, max_value=k, format="%d", help="Neighbours that stayed."
        ),
        "cosine with itself": st.column_config.NumberColumn(format="%.3f", help="1 = it did not move."),
        "text": st.column_config.TextColumn(width="large"),
    }


def cut(text: str, characters: int = _CHARACTERS) -> str:
    """A text on one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
