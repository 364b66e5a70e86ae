"""Small files made in memory: text, JSON Lines, Parquet, NumPy."""

import io
import json

import numpy as np
import pytest


@pytest.fixture(scope="session")
def jsonl():
    """Rows to the bytes of a JSON Lines file."""
    return lambda rows: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


@pytest.fixture(scope="session")
def parquet():
    """A dict of columns (or an Arrow table) to the bytes of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(columns, **options):
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        sink = io.BytesIO()
        pq.write_table(table, sink, **options)
        return sink.getvalue()

    return write


@pytest.fixture(scope="session")
def npy():
    """An array to the bytes of a .npy file."""

    def write(array, *, allow_pickle=False):
        sink = io.BytesIO()
        np.save(sink, array, allow_pickle=allow_pickle)
        return sink.getvalue()

    return write
