"""Figures of a decomposition: the features of one text, the way from text to features, and its tokens in colour.

The last two are HTML that any page can show: no script, inherited ink, colours that are seen on light and dark paper,
and every text escaped.
"""

import base64
import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.charts.layout import figure, safe
from lib.charts.palette import HIGH, INK, LOW, RAMP
from lib.numerals import count
from lib.sae.decomposition import Decomposition
from lib.sae.token_paths import PROMPT, SPECIAL, TEXT
from lib.sae.tokens import TokenShares

_MOST_LINES = 1_536  # numbers of a vector that are drawn one by one
_CUT = 110  # characters of the text in the strip
_AXIS = 34  # characters of a name beside its bar
_STRONGEST = 3  # features named in the strip
_STRONG = 0.62  # opacity behind the token that weighs most
_MARK = {SPECIAL: "1px dotted currentColor", PROMPT: "1px dashed currentColor", TEXT: "1px solid transparent"}


def feature_bars(
    result: Decomposition, names: Sequence[str], *, shown: int = 20, chosen: int | None = None
) -> go.Figure:
    """The strongest features of a text, strongest on top; `names` are those of `result.features` in their order."""
    top = slice(0, min(shown, len(result.features)))
    features, activations, shares = result.features[top], result.activations[top], result.shares[top]
    fig = figure(x="activation", height=max(200, 26 * len(features) + 80), legend=False)
    fig.add_bar(
        y=list(range(len(features))),
        x=activations,
        orientation="h",
        marker={
            "color": activations,
            "colorscale": RAMP,
            "cmin": 0,
            "cmax": float(result.activations.max(initial=1e-9)),
            "line": {"color": INK, "width": [2.5 if feature == chosen else 0 for feature in features.tolist()]},
        },
        customdata=[
            [str(feature), safe(name), f"{100 * share:.2f} %"]
            for feature, name, share in zip(features.tolist(), names, shares, strict=False)
        ],
        text=[f"{100 * share:.1f} %" for share in shares],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata[1]}<br>activation %{x:.3f}<br>share of the vector %{customdata[2]}<extra></extra>",
    )
    labels = [
        f"▸ {axis_name(name)}" if feature == chosen else axis_name(name)
        for feature, name in zip(features.tolist(), names, strict=False)
    ]
    fig.update_yaxes(
        tickvals=list(range(len(features))), ticktext=labels, range=[len(features) - 0.4, -0.6], showgrid=False
    )
    fig.update_xaxes(range=[0, 1.22 * float(result.activations.max(initial=1e-9))])
    return fig


def axis_name(name: str) -> str:
    """A feature's name beside its bar: short enough for a narrow screen, the whole of it being in the hover box."""
    return safe(name if len(name) <= _AXIS else name[: _AXIS - 1].rstrip() + "…")


def pipeline(
    result: Decomposition, vector: NDArray[np.floating], names: Sequence[str], *, text: str, encoder: str, rule: str
) -> str:
    """The way of this very text, as HTML: text, encoder, vector (d,), dictionary, features, with their numbers."""
    active = len(result.features)
    strongest = "".join(
        _chip(f"{safe(name)} {activation:.2f}")
        for name, activation in zip(names[:_STRONGEST], result.activations, strict=False)
    )
    more = active - _STRONGEST
    cut = text if len(text) <= _CUT else text[: _CUT - 1].rstrip() + "…"
    steps = [
        ("text", f"<i>{html.escape(cut)}</i>", f"{count(len(text))} characters"),
        ("encoder", html.escape(encoder), "one vector for the whole text"),
        ("vector", _barcode(vector), f"{count(len(vector))} numbers, length {result.norm:.3g}"),
        ("sparse autoencoder", f"{count(result.dictionary)} features", html.escape(rule)),
        (
            "active features",
            strongest or "none fires",
            f"and {count(more)} more of {count(result.dictionary)}" if more > 0 else "all that fire",
        ),
    ]
    arrow = f'<div aria-hidden="true" style="align-self:center;color:{INK};font-size:1.2rem">→</div>'
    boxes = arrow.join(_step(*step) for step in steps)
    return f'<div style="display:flex;flex-wrap:wrap;gap:.5rem;align-items:stretch;margin:.2rem 0 .6rem">{boxes}</div>'


def _step(title: str, content: str, below: str) -> str:
    small = "font-size:.75rem;opacity:.75"
    return (
        f'<div style="flex:1 1 8.5rem;min-width:8rem;border:1px solid {INK}66;border-radius:.4rem;padding:.45rem .6rem;'
        f'display:flex;flex-direction:column;gap:.25rem"><div style="{small}">{title}</div>'
        f'<div style="flex:1;font-size:.9rem;overflow-wrap:anywhere">{content}</div>'
        f'<div style="{small}">{below}</div></div>'
    )


def _chip(content: str) -> str:
    return (
        f'<span style="display:inline-block;border-radius:.3rem;padding:0 .35rem;margin:0 .2rem .2rem 0;'
        f'font-size:.8rem;background:{HIGH}40">{content}</span>'
    )


def _barcode(vector: NDArray[np.floating]) -> str:
    """The numbers of a vector as thin lines, up for positive and down for negative ones: a picture of 40 pixels."""
    values = np.asarray(vector, dtype=np.float64)[:_MOST_LINES]
    heights = values / (np.abs(values).max(initial=0) or 1)
    lines = {
        colour: "".join(
            f"M{at}.5 20v{-19 * height:.1f}" for at, height in enumerate(heights.tolist()) if (height > 0) is up
        )
        for colour, up in ((HIGH, True), (LOW, False))
    }
    paths = "".join(f'<path d="{path}" stroke="{colour}"/>' for colour, path in lines.items())
    width = len(values)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 40" width="{width}" height="40" '
        f'preserveAspectRatio="none">{paths}<path d="M0 20h{width}" stroke="{INK}" stroke-width=".5"/></svg>'
    )
    source = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="The {width} numbers of the vector, up for positive and down for negative ones" '
        f'style="width:100%;height:40px;display:block" src="data:image/svg+xml;base64,{source}">'
    )


def token_strip(result: TokenShares, row: int = 0) -> str:
    """The tokens of a text, coloured by what each adds to the feature in `row` of the result, as HTML with a legend.

    Amber fires the feature, violet holds it back and is underlined; special tokens are dotted, the prompt dashed.
    """
    shares = result.shares[row]
    most = float(np.abs(shares).max(initial=0))
    tokens = "".join(
        _token(token, kind, share, most) for token, kind, share in zip(result.tokens, result.kinds, shares, strict=True)
    )
    kinds = [
        f'<span style="border:{_MARK[kind]};border-radius:.25rem;padding:0 .3rem">{name}</span>'
        for kind, name in ((SPECIAL, "special token"), (PROMPT, "prompt"))
        if kind in result.kinds
    ]
    ramp = f"linear-gradient(90deg,{LOW}{_alpha(_STRONG)},transparent,{HIGH}{_alpha(_STRONG)})"
    legend = (
        f'<div style="display:flex;flex-wrap:wrap;gap:.3rem .9rem;align-items:center;font-size:.8rem;opacity:.85;'
        f'margin-top:.5rem"><span><u>holds back</u> −{most:.3f}</span>'
        f'<span style="display:inline-block;width:9rem;height:.8rem;border-radius:.2rem;border:1px solid {INK}66;'
        f'background:{ramp}"></span><span>+{most:.3f} fires</span>{"".join(kinds)}</div>'
    )
    return f'<div style="line-height:2.1;overflow-wrap:anywhere">{tokens}</div>{legend}'


def _token(token: str, kind: str, share: float, most: float) -> str:
    """One token; a word's continuation stands close to what comes before it."""
    joined = kind == TEXT and token.startswith("##")
    spelt = token.removeprefix("##") if joined else token.removeprefix("▁") or "▁"
    weight = abs(share) / most if most else 0.0
    colour = HIGH if share >= 0 else LOW
    line = "underline" if share < 0 and weight > 0.15 else "none"
    return (
        f'{"" if joined else " "}<span title="{share:+.4f}" style="background:{colour}{_alpha(_STRONG * weight)};'
        f"border:{_MARK[kind]};border-radius:.25rem;padding:.1rem .2rem;text-decoration:{line};"
        f'text-underline-offset:.2rem{";font-size:.8rem" if kind == SPECIAL else ""}">{html.escape(spelt)}</span>'
    )


def _alpha(opacity: float) -> str:
    """The last two digits of a colour."""
    return f"{round(255 * opacity):02x}"
