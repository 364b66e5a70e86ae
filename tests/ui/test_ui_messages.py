"""Numbers with thin spaces; names that cannot draw."""

import re
from string import ascii_letters, digits, punctuation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ui.messages import THIN, count, plain, share

JOINER = "\u2060"


def unescaped(text):
    """What Markdown makes of `text`: escapes resolved, the invisible joiners left out."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text).replace(JOINER, "")


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1_000, f"1{THIN}000"), (1_234_567, f"1{THIN}234{THIN}567"), (-12_345, f"-12{THIN}345")],
)
def test_thousands_are_parted_by_thin_spaces(number, shown):
    assert count(number) == shown


def test_a_share_is_a_percentage():
    assert share(0.1234) == f"12.3{THIN}%"
    assert share(1, digits=0) == f"100{THIN}%"


def test_letters_and_digits_stay_as_they_are():
    words = f"{ascii_letters} {digits} größe 漢字 — … “q”"
    assert plain(words) == words


@pytest.mark.parametrize("sign", punctuation)
def test_every_sign_is_escaped(sign):
    assert plain(f"a{sign}b").replace(JOINER, "") == f"a\\{sign}b"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a link](javascript:alert(1))",
        "![a picture](https://example.org/p.png)",
        "$x^2$ and $$y$$",
        ":red[hot] :material/home: :smile:",
        "**bold** _thin_ ~~gone~~ `code`",
        "# a head",
        "- an item",
        "1. a first",
        "> quoted",
        "&lt;b&gt; &amp; &#60;",
        "a | b",
        "\\*already escaped\\*",
    ],
)
def test_nothing_is_left_that_draws(text):
    shown = plain(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]()$:*_~`#|&!{}]", re.sub(r"\\.", "", shown))
    assert unescaped(shown) == text


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("https://example.org", ("https", "//example")),
        ("see www.example.org", ("www", ".example")),
        ("see WWW.example.org", ("WWW", ".example")),
        ("me@example.org", ("me@", "example")),
        ("a -> b", ("-", ">")),
        ("a <- b", ("<", "-")),
        ("a -- b", ("-", "- b")),
        ("<= b", ("<", "=")),
    ],
)
def test_addresses_become_no_links_and_signs_no_arrows(text, parted):
    left, right = (re.escape(part) for part in parted)
    assert re.search(f"{left}:?{JOINER}{right}", plain(text).replace("\\", ""))
    assert unescaped(plain(text)) == text


def test_an_option_of_the_command_line_can_be_copied():
    assert JOINER not in plain("python -m lib geometry --corpus NEW --json OUT")


@given(st.text())
def test_any_text_comes_back_whole(text):
    assert unescaped(plain(text)) == text.replace(JOINER, "")


def test_what_is_no_text_is_shown_as_text():
    assert plain(12) == "12"
    assert plain(ValueError("a*b")) == "a\\*b"
