"""Feature databases as files: Parquet (the dictionary's key in its metadata) or JSON. What is imported is not trusted.

A JSON file is one object: `format`, `sae_key`, `corpus`, `texts`, and `features`, a list with one object a feature.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.corpora import Limits, read_table
from lib.corpora.json_values import values_at_most
from lib.errors import InputError
from lib.results import to_json
from lib.sae.autoencoder import SparseAutoencoder
from lib.sae.feature_table import (
    COLUMNS,
    FILE,
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    FeatureDatabase,
    blank_database,
    check_label,
    check_name,
    make_database,
)

__all__ = [
    "COLUMNS",
    "FILE",
    "SUFFIXES",
    "FeatureDatabase",
    "blank_database",
    "check_label",
    "database_bytes",
    "find_database",
    "make_database",
    "read_database",
    "write_database",
]

FORMAT = "embedscope-features"
SUFFIXES = (".parquet", ".json")
MOST_BYTES = 64 * 2**20
_MOST_FEATURES = 1_000_000
_MOST_VALUES = 6_000_000  # in a file of JSON: each takes some sixty bytes of memory, however short it is
_MOST_EXAMPLES, _MOST_EXAMPLE_CHARACTERS = 20, 5_000
_KEY_LENGTH = 64


def write_database(database: FeatureDatabase, path: Path) -> None:
    """Write `database` as .parquet or .json, as `path` ends.

    Raises:
        InputError: another suffix, or a file that cannot be written.
    """
    made = database_bytes(database, path.suffix.lower())
    try:
        path.write_bytes(made)
    except OSError as fault:
        raise InputError(f"{path.name} cannot be written: {fault.strerror}.") from None


def database_bytes(database: FeatureDatabase, suffix: str) -> bytes:
    """The file that `write_database` would write.

    Raises:
        InputError: another suffix than those of `SUFFIXES`.
    """
    if suffix not in SUFFIXES:
        raise InputError(f"A feature database is written as {' or '.join(SUFFIXES)}, got {suffix or 'no suffix'!r}.")
    about = {
        "format": FORMAT,
        "sae_key": database.sae_key,
        "corpus": database.corpus,
        "texts": database.texts,
    }
    return _as_parquet(database.table, about) if suffix == ".parquet" else _as_json(database.table, about)


def read_database(source: Path | bytes, sae: SparseAutoencoder, *, name: str | None = None) -> FeatureDatabase:
    """The database in a file, or in its bytes with the `name` that says its suffix, held against `sae`.

    Raises:
        InputError: too large, broken, without a label or number that is known, of another width, or of another SAE.
    """
    name = name or (source.name if isinstance(source, Path) else FILE)
    data = _bytes_of(source, name)
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{name}: expected a feature database that ends in {' or '.join(SUFFIXES)}.")
    about, frame = _from_json(data, name) if suffix == ".json" else _from_parquet(data, name)
    key = about.get("sae_key")
    if about.get("format") != FORMAT or not isinstance(key, str) or len(key) != _KEY_LENGTH:
        raise InputError(f"{name} is no feature database: it does not say which sparse autoencoder it is about.")
    if key != sae.key:
        raise InputError(
            f"{name} is about another sparse autoencoder ({key[:12]}) than the chosen one ({sae.key[:12]}): feature "
            "numbers mean nothing across dictionaries, so choose the SAE that it was made with."
        )
    if len(frame) != sae.features:
        raise InputError(f"{name} has {len(frame):,} rows and this dictionary {sae.features:,} features; make it anew.")
    texts = about.get("texts")
    return FeatureDatabase(
        table=_checked(frame, name),
        sae_key=key,
        corpus=check_name(about.get("corpus")) or "a corpus without a name",
        texts=texts if isinstance(texts, int) and not isinstance(texts, bool) and texts >= 0 else 0,
    )


def find_database(folder: Path, sae: SparseAutoencoder) -> FeatureDatabase | None:
    """The database that lies beside the SAE in `folder`; None where there is none.

    Raises:
        InputError: there is one that is broken or about another SAE.
    """
    path = folder / FILE
    return read_database(path, sae) if path.is_file() else None


def _bytes_of(source: Path | bytes, name: str) -> bytes:
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > MOST_BYTES:
            raise InputError(f"{name} has {size:,} bytes; a feature database has at most {MOST_BYTES:,}.")
        return source if isinstance(source, bytes) else source.read_bytes()
    except OSError as fault:
        raise InputError(f"{name} cannot be read: {fault.strerror}.") from None


def _checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The known columns, each of its own type; others are left out."""
    columns: dict[str, Any] = {}
    for column in COLUMNS:
        if column not in frame.columns:
            continue
        values = frame[column].tolist()
        if column == "scored_on":
            columns[column] = pd.Series([_corpus(value, name) for value in values], dtype=object)
        elif column in TEXT_COLUMNS:
            columns[column] = pd.Series([_label(value, name) for value in values], dtype=object)
        elif column in NUMBER_COLUMNS:
            columns[column] = np.array([_number(value, column, name) for value in values], dtype=np.float64)
        else:
            columns[column] = pd.Series([_examples(value, name) for value in values], dtype=object)
    if not columns:
        raise InputError(f"{name} has none of the columns {', '.join(COLUMNS)}.")
    return pd.DataFrame(columns)


def _label(value: object, name: str) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if not isinstance(value, str):
        raise InputError(f"{name}: expected a text as a label, got {type(value).__name__}.")
    return check_label("".join(sign if sign.isprintable() else " " for sign in value))


def _corpus(value: object, name: str) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if not isinstance(value, str):
        raise InputError(f"{name}: expected a corpus's name in scored_on, got {type(value).__name__}.")
    return check_name(value)


def _number(value: object, column: str, name: str) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool | str) or not isinstance(value, int | float | np.number):
        raise InputError(f"{name}: expected numbers in {column}, got {str(value)[:40]!r}.")
    number = float(value)
    return number if np.isfinite(number) else float("nan")


def _examples(value: object, name: str) -> list[str]:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return []
    if not isinstance(value, list | tuple | np.ndarray) or not all(isinstance(one, str) for one in value):
        raise InputError(f"{name}: expected lists of texts in examples, got {str(value)[:40]!r}.")
    return [str(one)[:_MOST_EXAMPLE_CHARACTERS] for one in value[:_MOST_EXAMPLES]]


def _as_parquet(table: pd.DataFrame, about: dict[str, Any]) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [pa.field(column, _type(column)) for column in table.columns]
    arrays = [pa.array(table[field.name].tolist(), type=field.type, from_pandas=True) for field in fields]
    schema = pa.schema(fields, metadata={FORMAT: json.dumps(about)})
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def _type(column: str) -> Any:
    import pyarrow as pa

    if column in TEXT_COLUMNS:
        return pa.string()
    return pa.list_(pa.string()) if column == "examples" else pa.float64()


def _as_json(table: pd.DataFrame, about: dict[str, Any]) -> bytes:
    rows = [
        {"feature": number, **{column: to_json(value) for column, value in row.items()}}
        for number, row in enumerate(table.to_dict("records"))
    ]
    return (json.dumps(about | {"features": rows}, ensure_ascii=False, allow_nan=False, indent=0) + "\n").encode()


def _from_parquet(data: bytes, name: str) -> tuple[dict[str, Any], pd.DataFrame]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    limits = Limits(max_bytes=MOST_BYTES, max_rows=_MOST_FEATURES)
    frame = read_table(data, name=name, limits=limits).frame  # which has checked the file before it is unpacked
    try:
        held = (pq.read_schema(pa.BufferReader(data)).metadata or {}).get(FORMAT.encode(), b"{}")
        about = json.loads(held)
    except (ValueError, RecursionError, pa.ArrowException):
        about = None
    return about if isinstance(about, dict) else {}, frame


def _from_json(data: bytes, name: str) -> tuple[dict[str, Any], pd.DataFrame]:
    if values_at_most(data) > _MOST_VALUES:
        raise InputError(f"{name} holds more than {_MOST_VALUES:,} values: write the database as .parquet.")
    try:
        held = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{name} is not valid JSON ({fault}).") from None
    rows = held.get("features") if isinstance(held, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or len(rows) > _MOST_FEATURES:
        raise InputError(f"{name} should be a JSON object whose `features` is a list with an object for each feature.")
    for number, row in enumerate(rows):
        if row.get("feature", number) != number:
            raise InputError(f"{name}: feature {number} is expected at place {number} of `features`, got another.")
    columns = [column for column in COLUMNS if any(column in row for row in rows)]
    frame = pd.DataFrame({column: pd.Series([row.get(column) for row in rows], dtype=object) for column in columns})
    return {key: value for key, value in held.items() if key != "features"}, frame.reindex(range(len(rows)))
