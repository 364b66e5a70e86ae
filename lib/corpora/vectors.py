"""Precomputed embeddings: a NumPy file, or a column of number lists."""

import io
import json
import tokenize
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.corpora.json_values import MOST_VALUES, values_at_most
from lib.corpora.limits import Limits
from lib.corpora.messages import fault, is_missing, kind, shown
from lib.corpora.signatures import advice, looks_like
from lib.corpora.sources import read_source
from lib.errors import InputError

MAX_DIMENSIONS = 65_536
_MAGIC = b"\x93NUMPY"
# What numpy lets through when it evaluates a header that is no dictionary of literals.
_BROKEN_HEADER = (
    ValueError,
    TypeError,
    KeyError,
    SyntaxError,
    tokenize.TokenError,
    RecursionError,
    MemoryError,
    OverflowError,
)


def read_vectors(source: bytes | Path, *, name: str | None = None, limits: Limits | None = None) -> NDArray[np.float32]:
    """Read embeddings, shape (n, d), from a `.npy` file of float16, float32 or float64; nothing is unpickled.

    The header is checked against the length of the file before anything is made.

    Raises:
        InputError: not such a file, not two dimensions, cut, too large, or a number that is not finite in float32.
    """
    limits = limits or Limits()
    data, name = read_source(source, name or ("embeddings.npy" if isinstance(source, bytes) else None), limits)
    shape, fortran, dtype, start = _header(data, name)
    rows, dimensions = _check_header(shape, dtype, name, limits)
    expected, got = rows * dimensions * dtype.itemsize, len(data) - start
    if expected != got:
        state = "the file seems cut in the middle" if got < expected else "something follows the array"
        raise fault(name, f"a {rows:,} x {dimensions:,} array takes {expected:,} bytes, got {got:,}: {state}.")
    flat = np.frombuffer(data, dtype=dtype, offset=start)
    matrix = flat.reshape((rows, dimensions), order="F" if fortran else "C")
    return _finite(matrix, name, [])


def vectors_of(
    values: Sequence[Any], places: Sequence[int], *, name: str, column: str, place: str
) -> NDArray[np.float32]:
    """Stack a column of number lists (or of text that holds a JSON list), shape (n, d).

    Raises:
        InputError: a cell that is missing or no list of numbers, of another length than the first, or not finite.
    """
    stacked: NDArray[np.float32] | None = None
    for i, (value, line) in enumerate(zip(values, places, strict=True)):
        row = _vector(value, name, column, line, place)
        if stacked is None:
            stacked = np.empty((len(values), len(row)), dtype=np.float32)
        if len(row) != stacked.shape[1]:
            raise fault(
                name,
                f"column {shown(column)}: expected {stacked.shape[1]} numbers as in the first vector, got {len(row)}.",
                line=line,
                place=place,
            )
        with np.errstate(over="ignore", invalid="ignore"):
            stacked[i] = row
    if stacked is None:
        raise fault(name, f"column {shown(column)}: no vectors to read.")
    return _finite(stacked, name, places, column=column, place=place)


def parse_vector(value: Any) -> Any:
    """A cell as a vector where it can be one: JSON text is read, everything else given back as it is."""
    if isinstance(value, str) and value.lstrip().startswith("[") and values_at_most(value) <= MOST_VALUES:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def is_vector(value: Any) -> bool:
    """Whether a parsed cell is a list of at least one number and nothing else."""
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and len(value) > 0 and value.dtype.kind in "fiu"
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    )


def _vector(value: Any, name: str, column: str, line: int, place: str) -> NDArray[np.float64]:
    parsed = parse_vector(value)
    if not is_vector(parsed):
        if isinstance(parsed, list):
            odd = next((item for item in parsed if not isinstance(item, int | float) or isinstance(item, bool)), None)
            got = f"a list with {kind(odd)} in it" if parsed else "an empty list"
        else:
            got = "nothing" if is_missing(parsed) else kind(parsed)
        raise fault(name, f"column {shown(column)}: expected a list of numbers, got {got}.", line=line, place=place)
    if not 1 <= len(parsed) <= MAX_DIMENSIONS:
        raise fault(
            name,
            f"column {shown(column)}: {len(parsed):,} dimensions, the most is {MAX_DIMENSIONS:,}.",
            line=line,
            place=place,
        )
    try:
        return np.asarray(parsed, dtype=np.float64)
    except OverflowError as error:
        raise fault(
            name, f"column {shown(column)}: a number is too large for float32.", line=line, place=place
        ) from error


def _finite(
    matrix: NDArray[Any], name: str, places: Sequence[int], *, column: str | None = None, place: str = "row"
) -> NDArray[np.float32]:
    """`matrix` as float32 in rows, every number finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        result = np.ascontiguousarray(matrix, dtype=np.float32)
    for start in range(0, len(result), 4096):
        good = np.isfinite(result[start : start + 4096])
        if good.all():
            continue
        i, j = (int(k) for k in np.argwhere(~good)[0])
        value = float(matrix[start + i, j])
        what = "is not a number (NaN)" if value != value else "is infinite or too large for float32"
        where = "" if column is None else f"column {shown(column)}: "
        line = places[start + i] if len(places) else start + i + 1
        raise fault(
            name, f"{where}number {j + 1} of the vector {what}: expected finite numbers.", line=line, place=place
        )
    return result


def _header(data: bytes, name: str) -> tuple[tuple[int, ...], bool, "np.dtype[Any]", int]:
    """Shape, order, type and the offset of the numbers, from the header of a `.npy` file."""
    if not data.startswith(_MAGIC):
        raise _no_array(data, name)
    stream = io.BytesIO(data[: 1 << 17])
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise fault(name, f".npy version {version[0]}.{version[1]}: expected numbers saved with numpy.save.")
    except InputError:
        raise
    except _BROKEN_HEADER as error:
        raise fault(name, "the header of the .npy file is broken: save the array again with numpy.save.") from error
    return shape, fortran, dtype, stream.tell()


def _no_array(data: bytes, name: str) -> InputError:
    if not data:
        return fault(name, "the file is empty: expected a NumPy array (.npy).")
    found = looks_like(data)
    if found == "a NumPy archive (.npz)":
        return fault(name, "expected one array (.npy), got an archive (.npz): save the array with numpy.save.")
    if found == "a Python pickle":
        return fault(name, "expected a NumPy array (.npy), got a Python pickle: pickles are never opened.")
    what = f"a file that looks like {found}: {advice(found)}" if found else "something else: save it with numpy.save"
    return fault(name, f"expected a NumPy array (.npy), got {what}.")


def _check_header(shape: tuple[int, ...], dtype: "np.dtype[Any]", name: str, limits: Limits) -> tuple[int, int]:
    if dtype.hasobject:
        raise fault(name, "the array holds Python objects, which are never opened: save numbers (float32).")
    if dtype.kind != "f" or dtype.itemsize not in (2, 4, 8):
        raise fault(name, f"expected float16, float32 or float64 numbers, got {shown(str(dtype))}: convert it first.")
    if len(shape) != 2:
        raise fault(name, f"expected an array of shape (texts, dimensions), got shape {shown(str(shape))}.")
    rows, dimensions = shape
    if rows < 1 or not 1 <= dimensions <= MAX_DIMENSIONS:
        raise fault(name, f"expected 1 or more rows of 1 to {MAX_DIMENSIONS:,} numbers, got shape {shown(str(shape))}.")
    if rows > limits.max_rows:
        raise fault(name, f"{rows:,} rows, the most that this server reads is {limits.max_rows:,}: take a sample.")
    return rows, dimensions
