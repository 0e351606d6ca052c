"""Layouts of pages: HTML files in which each part of a page has its place."""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboard.kit import ASSETS

ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(ASSETS),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701  (no text of files or users comes in here; parts are embedded by Panel)
    trim_blocks=True,
    lstrip_blocks=True,
)


def fill_layout(slug: str, layout: str, parts: Mapping[str, Any]) -> str:
    """Return the HTML of a page in which Panel embeds its parts.

    Parameters
    ----------
    slug
        Of the page; the id of its outermost element.
    layout
        File name in `assets`; `{{ part("name") }}` stands for a part.
    parts
        Parts of the page by name.

    Returns
    -------
    str
        HTML with `{{ embed(roots.name) }}` for each part.

    Raises
    ------
    LookupError
        If the layout names a part that the page does not give, or leaves one out.
    """
    used: set[str] = set()

    def part(name: str) -> str:
        if name not in parts:
            raise LookupError(f"layout {layout} shows {name!r}, which its page does not give")
        used.add(name)
        return f"{{{{ embed(roots.{name}) }}}}"

    html = ENVIRONMENT.get_template(layout).render(part=part, slug=slug, names=sorted(parts))
    unused = sorted(parts.keys() - used)
    if unused:
        raise LookupError(f"layout {layout} leaves out what its page gives: {', '.join(unused)}")
    return html
