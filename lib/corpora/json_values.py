"""How many values a JSON text can hold: told by its signs, before a parser makes an object of each.

Two bytes of text ("[]" and a comma) become some sixty of memory, so a small file could take all of it.
"""

MOST_VALUES = 1_000_000
"""Values of one row or cell that are parsed: a row has a thousand columns at most, a vector 65,536 numbers."""


def values_at_most(text: str | bytes) -> int:
    """An upper bound of the values in `text`: its commas, brackets and braces, those inside of strings too."""
    if isinstance(text, bytes):
        return sum(text.count(sign) for sign in (b",", b"[", b"{")) + 1
    return sum(text.count(sign) for sign in ",[{") + 1
