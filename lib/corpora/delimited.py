"""CSV and TSV: the first record names the columns, every other record has as many fields."""

import csv
from collections.abc import Iterator

from lib.corpora.decoding import Decoded, decode
from lib.corpora.limits import Limits
from lib.corpora.messages import fault, plain_name, shown
from lib.corpora.table import Table, check_shape, make_table
from lib.errors import InputError

csv.field_size_limit(2**31 - 1)  # the file's own size is limited; the default stops at 131,072 characters a field

_MOST_FIELDS = 1_000_000  # commas of a long text count too
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def read_delimited(data: bytes, name: str, limits: Limits, *, delimiter: str) -> Table:
    """Read records of fields; an empty field is missing, every other one is text as it stands (`NA` and `null` too).

    A `.csv` whose header has no comma but semicolons, tabs or bars is split at those, with a notice. A `.tsv` in
    which quotes are no field marks is read with plain quotes, with a notice.

    Raises:
        InputError: an empty or binary file, a header alone, two columns of one name, a record with too many or too
            few fields, a quote that does not close, or too many rows.
    """
    decoded = decode(data, name)
    split = _delimiter(decoded) if delimiter == "," else delimiter
    notices = list(decoded.notices)
    if split != delimiter:
        notices.append(f"The fields were split at the {_NAMES[split]}, not at the {_NAMES[delimiter]}.")
    try:
        return _read(decoded, name, limits, split, notices, quotes=True)
    except InputError as error:
        if split != "\t":
            raise
        try:
            table = _read(decoded, name, limits, split, notices, quotes=False)
        except InputError:
            raise error from None
        notice = "Quotation marks were read as plain characters, since they do not enclose whole fields."
        return Table(table.name, table.frame, table.lines, (*table.notices, notice))


def _read(decoded: Decoded, name: str, limits: Limits, delimiter: str, notices: list[str], *, quotes: bool) -> Table:
    records = _records(decoded, name, delimiter, quotes=quotes)
    header_line, header = next(records)
    check_shape(name, 1, len(header), limits)
    columns = _column_names(header, name, header_line)
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, fields in records:
        if len(fields) != len(columns):
            raise _wrong_count(name, line, fields, columns, delimiter)
        rows.append(fields)
        lines.append(line)
        if len(rows) > limits.max_rows or len(rows) * len(columns) > limits.max_cells:
            break
    check_shape(name, len(rows), len(columns), limits)
    if not rows:
        raise fault(
            name,
            f"only a header ({shown(', '.join(columns))}) and no rows: the first line names the columns, "
            "the texts follow below it.",
        )
    cells = {
        column: [cell or None for cell in cells] for column, cells in zip(columns, zip(*rows, strict=True), strict=True)
    }
    return make_table(name, cells, lines, tuple(notices))


class _Lines:
    """The lines of a file, as long as no record of them has more fields than are read: each field takes memory."""

    def __init__(self, decoded: Decoded, name: str, delimiter: str) -> None:
        self._lines = decoded.lines(newline="")
        self._name, self._delimiter = name, delimiter
        self._number = 0
        self.fields = 0
        """Fields that the record may have so far; whoever has taken the record sets it back."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self.fields += line.count(self._delimiter)
        if self.fields > _MOST_FIELDS:
            raise fault(
                self._name,
                f"a record of more than {_MOST_FIELDS:,} fields: expected one text a record; was the delimiter "
                "repeated, or a quote not closed?",
                line=self._number,
            )
        return line


def _records(decoded: Decoded, name: str, delimiter: str, *, quotes: bool) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not an empty line, with the line that it starts on."""
    lines = _Lines(decoded, name, delimiter)
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        strict=True,
    )
    line = 1
    try:
        for fields in reader:
            lines.fields = 0
            if fields:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise _broken_quote(decoded, name, delimiter, line, reader.line_num, str(error)) from error


def _column_names(header: list[str], name: str, line: int) -> list[str]:
    names = [cell.strip() or f"column {i}" for i, cell in enumerate(header, 1)]
    first: dict[str, int] = {}
    for i, column in enumerate(names, 1):
        if first.setdefault(column, i) != i:
            raise fault(
                name,
                f"columns {first[column]} and {i} are both named {shown(column)}: give every column its own name.",
                line=line,
            )
    return names


def _wrong_count(name: str, line: int, fields: list[str], columns: list[str], delimiter: str) -> InputError:
    mark = _NAMES[delimiter]
    noun = "field" if len(columns) == 1 else "fields"
    if len(fields) > len(columns):
        extra = fields[len(columns)]
        hint = f"the first one too many is {shown(extra)}; put double quotes around a field that holds a {mark}"
    else:
        hint = f"the field for {shown(columns[len(fields)])} is missing; the row may be cut, or a {mark} left out"
    return fault(name, f"expected {len(columns)} {noun} as in the header, got {len(fields)}: {hint}.", line=line)


def _broken_quote(decoded: Decoded, name: str, delimiter: str, start: int, end: int, why: str) -> InputError:
    """Say where the quote stands that the csv module stumbled over."""
    line, column, closed = _last_quote(decoded, delimiter, start)
    if "unexpected end" in why or not closed:
        return fault(
            name,
            f"the double quote at column {column} opens a field that never closes: the file seems cut in the middle, "
            'or a quote inside a field is not doubled ("").',
            line=line,
        )
    if "expected after" in why:
        return fault(
            name,
            'a field goes on after its closing double quote: double the quotes inside a field ("").',
            line=end,
        )
    return fault(name, f"not readable as delimited text ({plain_name(why)}).", line=end)


def _last_quote(decoded: Decoded, delimiter: str, start: int) -> tuple[int, int, bool]:
    """Line and column where the last quoted field from line `start` on opens, and whether it closes."""
    opened, inside, at_start = (start, 1), False, True
    for number, text in enumerate(decoded.lines(newline=""), 1):
        if number < start:
            continue
        skip = False
        for i, c in enumerate(text):
            if skip:
                skip = False
            elif inside and c == '"':
                skip = text[i + 1 : i + 2] == '"'
                inside = skip
                if not inside and text[i + 1 : i + 2] not in (delimiter, "\r", "\n", ""):
                    return *opened, True  # the record breaks here
            elif not inside and c == '"' and at_start:
                opened, inside = (number, i + 1), True
            at_start = not inside and c in (delimiter, "\n", "\r")
    return *opened, not inside


def _delimiter(decoded: Decoded) -> str:
    """The comma, unless the header has none and another mark is there."""
    header = next(iter(decoded.lines()), "")[:_MOST_FIELDS]
    outside = "".join(header.split('"')[::2])
    if "," in outside:
        return ","
    best = max(_NAMES, key=outside.count)
    return best if outside.count(best) else ","
