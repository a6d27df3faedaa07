"""Report pages: one self-contained HTML file each, rendered from a template here, readable on a phone and on paper."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from flitstack import __version__
from flitstack.errors import ConfigurationError
from flitstack.reports.html.charts import bars, histogram, shares
from flitstack.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER = "flit-reports"


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a page; every value is escaped.

    :param template: file name in this folder (`audit.html.j2`), which extends `base.html.j2`.
    :param values: what the template names; one it misses is an error.
    """
    return _environment().get_template(template).render(**values)


def write_report(folder: Path, name: str, text: str) -> Path:
    """Write one report file that only its owner may read, and return its path; an earlier one of that name goes.

    :param folder: made when missing, likewise for its owner alone.
    :raises ConfigurationError: a file stands where the folder should be.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as exc:
        raise ConfigurationError(f"{folder}: no folder, so no report can be written there. Move it away.") from exc
    path = folder / name
    path.unlink(missing_ok=True)  # an earlier file might be readable to others, and would stay so
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flitstack.reports", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["percent"] = percent
    environment.globals |= {"bars": bars, "histogram": histogram, "shares": shares, "version": __version__}
    return environment


def shown(value: object) -> object:
    """Return a value as a page shows it: nothing in it turns the direction of what stands beside it, or steers."""
    if isinstance(value, Markup):
        return Markup(visible(value))  # noqa: S704 - it was escaped where it was made
    return visible(value) if isinstance(value, str) else value


def number(value: float) -> str:
    """Return a number with its thousands set off; a fraction keeps two places."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def percent(share: float | None) -> str:
    """Return a share as people write it, "" for none: what is there is never shown as 0 %, nor what lacks as 100 %."""
    if share is None:
        return ""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %" if share < 0.0995 else f"{share * 100:.0f} %"
