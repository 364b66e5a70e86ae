"""Canvas: a small picture as PNG: title, axes, and marks in data units. No browser, no plotting library."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.agents.answers import clipped
from lib.charts.palette import INK

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

WIDTH, HEIGHT = 880, 540
"""Pixels of the picture."""
_SCALE = 2  # drawn so much larger, then made smaller: smooth edges
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 78, 64
_PAPER, _TEXT, _GRID = "#FFFFFF", "#2B2F36", "#E7E5E1"
_DRAWABLE = 0x250  # the font that Pillow brings draws Latin letters; others would be boxes
_PLAIN = str.maketrans({"−": "-", "–": "-", "—": "-", "“": '"', "”": '"', "’": "'", "\u202f": " ", "…": "..."})


@dataclass(frozen=True)
class Span:
    """The range of an axis."""

    low: float
    """Its lower end."""
    high: float
    """Its upper end."""

    @classmethod
    def of(cls, *values: Any, around: float = 0.04, zero: bool = False) -> "Span":
        """The range of `values` with some air; with 0 in it where `zero`; at least one wide where all are equal."""
        joined = np.concatenate([np.asarray(part, dtype=float).ravel() for part in values])
        joined = joined[np.isfinite(joined)]
        low, high = (float(joined.min()), float(joined.max())) if len(joined) else (0.0, 1.0)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        if low == high:
            return cls(low - 0.5, high + 0.5)
        air = around * (high - low)
        return cls(low if zero and low == 0 else low - air, high if zero and high == 0 else high + air)

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers in it."""
        rough = (self.high - self.low) / most
        power = 10.0 ** np.floor(np.log10(rough))
        step = float(next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999))
        first = np.ceil(self.low / step) * step
        return [float(round(tick, 12)) + 0.0 for tick in np.arange(first, self.high + step * 1e-6, step)]


class Canvas:
    """One picture; x and y are given in data units."""

    def __init__(self, title: str, about: str, x: Span, y: Span, *, left: int = _LEFT) -> None:
        from PIL import Image, ImageDraw

        self._x, self._y, self._left = x, y, left
        self._image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self.write(_RIGHT, 12, clipped(title, 96), size=17)
        self.write(_RIGHT, 35, clipped(about, 130), size=12, colour=INK)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a place in data units."""
        wide, high = WIDTH - self._left - _RIGHT, HEIGHT - _TOP - _BOTTOM
        return (
            self._left + (x - self._x.low) / (self._x.high - self._x.low) * wide,
            _TOP + (self._y.high - y) / (self._y.high - self._y.low) * high,
        )

    def axes(self, x_title: str, y_title: str, *, x_names: Sequence[str] = (), grid: bool = True) -> None:
        """Grid, ticks and titles; `x_names` stand at 0, 1, 2, ... instead of numbers."""
        for tick in self._y.ticks() if grid else ():
            at = self.place(self._x.low, tick)[1]
            self._line([(self._left, at), (WIDTH - _RIGHT, at)], _GRID, 1)
            self.write(self._left - 8, at, f"{tick:g}", anchor="rm", colour=INK)
        bottom = HEIGHT - _BOTTOM
        if x_names:
            room = (WIDTH - self._left - _RIGHT) / len(x_names)
            step = max(1, int(np.ceil(46 / room)))
            for row in range(0, len(x_names), step):
                name = clipped(x_names[row], max(4, int(room * step / 7)))
                self.write(self.place(row, 0)[0], bottom + 8, name, anchor="mt", colour=INK)
        elif grid:
            for tick in self._x.ticks(8):
                label = f"{tick:g}"
                self.write(self.place(tick, self._y.low)[0], bottom + 8, label, anchor="mt", colour=INK)
        self.write((self._left + WIDTH - _RIGHT) / 2, HEIGHT - 26, x_title, anchor="mm")
        self.write(_RIGHT, _TOP - 14, y_title, anchor="lm", size=12)

    def write(self, x: float, y: float, text: str, *, size: int = 13, anchor: str = "la", colour: str = _TEXT) -> None:
        """Text at pixels."""
        plain = text.translate(_PLAIN)
        shown = "".join((one if ord(one) < _DRAWABLE else "?") if one.isprintable() else " " for one in plain)
        self._draw.text((x * _SCALE, y * _SCALE), shown, fill=colour, font=_font(size), anchor=anchor,
            stroke_width=2 * _SCALE, stroke_fill=_PAPER,
        )  # fmt: skip

    def dot(self, x: float, y: float, colour: str, *, radius: float = 3.5) -> None:
        """A disc."""
        (a, b), r = self.place(x, y), radius
        self._draw.ellipse([(v * _SCALE) for v in (a - r, b - r, a + r, b + r)], fill=colour)

    def bar(self, low: tuple[float, float], high: tuple[float, float], colour: str) -> None:
        """A filled rectangle between two corners."""
        (a, b), (c, d) = self.place(*low), self.place(*high)
        corners = (min(a, c), min(b, d), max(a, c), max(b, d))
        self._draw.rectangle([v * _SCALE for v in corners], fill=colour)

    def line(self, xs: Sequence[float], ys: Sequence[float], colour: str, *, width: float = 2.5) -> None:
        """A line through places; it breaks where a number is missing."""
        run: list[tuple[float, float]] = []
        for x, y in zip(xs, ys, strict=True):
            if np.isfinite(y):
                run.append(self.place(x, y))
                continue
            self._line(run, colour, width)
            run = []
        self._line(run, colour, width)

    def level(self, y: float, colour: str = INK) -> None:
        """A dashed line across."""
        at, step = self.place(self._x.low, y)[1], 7
        for start in range(self._left, WIDTH - _RIGHT, 2 * step):
            self._line([(start, at), (min(start + step, WIDTH - _RIGHT), at)], colour, 1.5)

    def legend(self, names: Sequence[str], colours: Sequence[str], *, beside: bool = False) -> None:
        """Names with their colours above the picture from the right; `beside`: one below the other, in the picture."""
        x, y = float(WIDTH - _RIGHT), float(_TOP + 12 if beside else _TOP - 14)
        pairs = list(zip(names, colours, strict=True))
        for name, colour in pairs if beside else reversed(pairs):
            shown = clipped(name, 30)
            box = (x - 11, y - 5, x - 1, y + 5)
            self._draw.rectangle([v * _SCALE for v in box], fill=colour)
            self.write(x - 16, y, shown, anchor="rm", size=12)
            if beside:
                y += 17
            else:
                x -= 34 + 6.6 * len(shown)

    def png(self) -> bytes:
        """The picture as a file."""
        from PIL import Image

        file = io.BytesIO()
        small = self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        small.save(file, format="PNG", optimize=True)
        return file.getvalue()

    def _line(self, places: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        if len(places) > 1:
            scaled = [(x * _SCALE, y * _SCALE) for x, y in places]
            self._draw.line(scaled, fill=colour, width=round(width * _SCALE), joint="curve")


def _font(size: int) -> "FreeTypeFont | Any":
    from PIL import ImageFont

    return ImageFont.load_default(size * _SCALE)
