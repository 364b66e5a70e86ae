"""A table as it was read: raw columns, and the line of the file that each row came from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.corpora.limits import Limits
from lib.corpora.messages import fault

MAX_COLUMNS = 1_000


@dataclass(frozen=True, eq=False)
class Table:
    """Rows before anything is chosen, dropped or converted."""

    name: str
    """What messages call it: the file's name."""
    frame: pd.DataFrame
    """n rows; every column holds Python values (text, numbers, None, lists) as they were read."""
    lines: NDArray[np.int64]
    """Where each row starts, shape (n,), counted from 1; in a Parquet file the row's number."""
    notices: tuple[str, ...] = ()
    """Sentences that its reader should see."""
    place: str = "line"
    """What `lines` counts: `line` or `row`."""

    def __len__(self) -> int:
        return len(self.frame)


def make_table(
    name: str,
    columns: dict[str, list],
    lines: list[int],
    notices: tuple[str, ...] = (),
    *,
    place: str = "line",
) -> Table:
    """Put lists of cells (all as long as `lines`) side by side, the values untouched."""
    series = {column: pd.Series(cells, dtype=object) for column, cells in columns.items()}
    frame = pd.DataFrame(series, index=pd.RangeIndex(len(lines)), columns=pd.Index(list(columns), dtype=object))
    return Table(name=name, frame=frame, lines=np.asarray(lines, dtype=np.int64), notices=notices, place=place)


def check_shape(name: str, rows: int, columns: int, limits: Limits) -> None:
    """Refuse more rows or cells than the server holds.

    Raises:
        InputError: too many rows, columns or cells.
    """
    if rows > limits.max_rows:
        raise fault(
            name,
            f"more than {limits.max_rows:,} rows, the most that this server reads: split it or take a sample of it "
            "(the server's owner can raise EMBEDSCOPE_MAX_ROWS).",
        )
    if columns > MAX_COLUMNS or rows * columns > limits.max_cells:
        raise fault(
            name,
            f"{rows:,} rows with {columns:,} different columns are more than is read ({MAX_COLUMNS:,} columns, "
            f"{limits.max_cells:,} cells): keep the columns that you need.",
        )
