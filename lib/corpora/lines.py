"""Plain text: a text a line."""

from lib.corpora.decoding import decode
from lib.corpora.limits import Limits
from lib.corpora.table import Table, check_shape, make_table


def read_lines(data: bytes, name: str, limits: Limits, *, known_utf8: bool = False) -> Table:
    """Read one text from every line; blank lines are rows too, so that row and line numbers agree.

    `known_utf8` says that no encoding needs to be found, as for pasted text.

    Raises:
        InputError: an empty or binary file, or too many rows.
    """
    decoded = decode(data, name, known_utf8=known_utf8)
    texts: list[str] = []
    for line in decoded.lines():
        texts.append(line.removesuffix("\n"))
        if len(texts) > limits.max_rows:
            break
    check_shape(name, len(texts), 1, limits)
    return make_table(name, {"text": texts}, list(range(1, len(texts) + 1)), decoded.notices)
