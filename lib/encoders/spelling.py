"""Spelling: tokens as people read them. Byte-level vocabularies spell every byte as a letter ("Ġ" for a space)."""

from collections.abc import Sequence
from functools import cache

_BEGINS = "▁"
"""What SentencePiece puts before a token that begins a word; it stands for the space before it."""
_SIGNS = {"\n": "⏎", "\r": "⏎", "\t": "⇥", " ": _BEGINS}


def readable(tokens: Sequence[str]) -> list[str]:
    """The tokens of one text with bytes made letters again and blanks made visible: ▁ a space, ⏎ a line's end.

    Others come back as they are ("##ing" continues a word, "▁the" begins one). Part of a letter's bytes is shown in
    hexadecimal.
    """
    if not _is_byte_level(tokens):
        return list(tokens)
    return [_decoded(token) for token in tokens]


def _is_byte_level(tokens: Sequence[str]) -> bool:
    """Whether the tokens spell bytes: they have the mark of a space, or make sense only when read as bytes."""
    if any(token.startswith(("Ġ", "Ċ")) for token in tokens):
        return True
    letters = "".join(tokens)
    if letters.isascii() or not set(letters) <= set(_alphabet()):
        return False
    try:
        bytes(_alphabet()[letter] for letter in letters).decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(token: str) -> str:
    if not set(token) <= set(_alphabet()):  # a special token with letters of its own
        return token
    content = bytes(_alphabet()[letter] for letter in token)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode(errors="backslashreplace")
    return "".join(_SIGNS.get(letter, letter) for letter in text)


@cache
def _alphabet() -> dict[str, int]:
    """Letter to byte, as GPT-2 spells bytes: printable ones as themselves, the others from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
