"""What a file that is not text looks like, told from its first bytes."""

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.xls or .doc)"),
    (b"\x7fELF", "a program"),
    (b"OggS", "an Ogg recording"),
    (b"ID3", "an MP3 recording"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
)
# Starts that ordinary text can have too: believed only when the text is not readable.
_WEAK = (b"GIF8", b"BZh", b"PAR1", b"PARE", b"ARROW1", b"OggS", b"ID3")


def looks_like(data: bytes) -> str | None:
    """Name the kind of a file from its first bytes, or None where they say nothing."""
    if data.startswith(b"PK\x03\x04"):
        return _zip_kind(data)
    if data[:4] == b"RIFF" and data[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        return {b"WEBP": "a WebP picture", b"WAVE": "a WAV recording", b"AVI ": "an AVI film"}[data[8:12]]
    return next((kind for start, kind in _STARTS if data.startswith(start)), None)


def is_surely_binary(data: bytes) -> bool:
    """Whether the first bytes are those of a known format and cannot be the beginning of a text."""
    return looks_like(data) is not None and not data.startswith(_WEAK)


def advice(kind: str) -> str:
    """What to do with a file of this kind."""
    if "Excel" in kind or ".xls" in kind:
        return "save the sheet as CSV (UTF-8)"
    if "archive" in kind:
        return "unpack it first"
    if kind == "a Parquet file":
        return "if so, give it the suffix .parquet"
    if ".npy" in kind:
        return "give it as precomputed embeddings, beside a file of texts"
    return "give a .txt, .csv, .tsv, .jsonl or .parquet file"


def _zip_kind(data: bytes) -> str:
    head, tail = data[:65_536], data[-65_536:]
    for part, kind in (
        (b"xl/", "an Excel workbook (.xlsx)"),
        (b"word/", "a Word document (.docx)"),
        (b"ppt/", "a PowerPoint file (.pptx)"),
        (b"opendocument.spreadsheet", "an OpenDocument sheet (.ods)"),
        (b".npy", "a NumPy archive (.npz)"),
    ):
        if part in head or part in tail:
            return kind
    return "a zip archive"
