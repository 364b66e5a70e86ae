"""User's text in Markdown: shown as it is, never as a heading, a link, a picture, a mention or HTML."""

import re

_WORD_JOINER = "\u2060"
_TO_PART = re.compile(
    r"(?<=www)(?=\.)|(?<=:)(?=//)|(?<=@)(?=[^\W\d])|(?<=@)(?<!\w@)(?=\d)|(?<=#)(?=\d)|(?<=mailto:)", re.IGNORECASE
)
"""Where an address, a mention or an issue begins that would be linked in spite of being escaped."""
_SIGNS = re.compile(r"[\\`*_{}\[\]<>#|~!$&^]")
_AT_THE_START = re.compile(r"[-+=:]|\d+(?=[.)](?:\s|$))")
"""What would begin a list, a rule or a heading at the start of a line."""


def plain(text: object) -> str:
    """`text` on one line, with every sign escaped that means something in Markdown; ordinary words stay readable.

    Escaping does not keep an address (`www.`, `://`, `@name`, `#1`) from being linked: an invisible word joiner parts
    those.
    """
    line = _TO_PART.sub(_WORD_JOINER, " ".join(str(text).split()))
    escaped = _SIGNS.sub(lambda sign: f"\\{sign[0]}", line)
    start = _AT_THE_START.match(escaped)
    if start is None:
        return escaped
    sign = start[0]
    if sign.isdigit():
        return f"{sign}\\{escaped[len(sign) :]}"
    return f"\\{escaped}"
