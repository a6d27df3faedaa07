"""Charts for report pages: shapes in SVG that stretch to the page's width, words in HTML that keep their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = 6  # under a histogram: more would touch on a phone


def bars(rows: Sequence[tuple[str, float]], unit: str = "") -> Markup:
    """Return horizontal bars, one per row of label and value, longest value over the whole width.

    :param unit: written after each value (`days`).
    """
    most = max((value for _, value in rows), default=0) or 1
    lines = [
        Markup(
            '<li><span class="label">{}</span><span class="value">{}{}</span>'
            '<svg class="bar" width="100%" height="10" aria-hidden="true">'
            '<rect class="track" width="100%" height="10" rx="3"/><rect class="fill" width="{}%" height="10" rx="3"/>'
            "</svg></li>"
        ).format(label, _number(value), f" {unit}" if unit else "", _rounded(value / most * 100))
        for label, value in rows
    ]
    return Markup('<ul class="bars">{}</ul>').format(Markup().join(lines))


def histogram(bins: Sequence[tuple[str, int]], caption: str = "") -> Markup:
    """Return columns, one per bin of label and count, in their order; a few of the labels are written below.

    :param caption: what is counted, for a screen reader and below the chart.
    """
    if not bins:
        return Markup("")
    most, width = max(count for _, count in bins) or 1, 100 / len(bins)
    columns = [
        Markup('<rect class="fill" x="{}%" y="{}%" width="{}%" height="{}%"><title>{}: {}</title></rect>').format(
            _rounded(place * width + width * 0.06),
            _rounded(100 - count / most * 100),
            _rounded(width * 0.88),
            _rounded(count / most * 100),
            label,
            _number(count),
        )
        for place, (label, count) in enumerate(bins)
    ]
    step = -(-len(bins) // LABELS)
    below = [
        Markup('<span style="left:{}%">{}</span>').format(_rounded((place + 0.5) * width), bins[place][0])
        for place in range(0, len(bins), step)
    ]
    return Markup(
        '<figure class="histogram"><svg width="100%" height="96" role="img" aria-label="{0}">{1}</svg>'
        '<div class="axis" aria-hidden="true">{2}</div><figcaption>{0}{3}</figcaption></figure>'
    ).format(caption, Markup().join(columns), Markup().join(below), f" (highest: {_number(most)})")


def shares(parts: Sequence[tuple[str, int]]) -> Markup:
    """Return one bar cut into parts of label and count, with a legend that states each; empty parts are left out.

    At most six parts are told apart by colour: put the rest together before.
    """
    whole = sum(count for _, count in parts)
    at, cuts, legend = 0.0, [], []
    for place, (label, count) in enumerate((label, count) for label, count in parts if count):
        width = count / whole * 100
        cuts.append(
            Markup('<rect class="part{}" x="{}%" width="{}%" height="18"/>').format(
                place % 6, _rounded(at), _rounded(width)
            )
        )
        legend.append(Markup('<li><i class="part{}"></i>{} <b>{}</b></li>').format(place % 6, label, _number(count)))
        at += width
    return Markup(
        '<div class="shares"><svg width="100%" height="18" aria-hidden="true">{}</svg><ul class="legend">{}</ul></div>'
    ).format(Markup().join(cuts), Markup().join(legend))


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _rounded(value: float) -> str:
    """Return a length as short text, the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
