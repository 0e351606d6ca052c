"""The sheet of facts of an EP4 folder, `*.dsinfo.xml`: sample comment, objective, kind of measurement."""

import re
from pathlib import Path
from typing import Any, Final

from engine.errors import FileError

SHEET_BYTES: Final = 4 * 2**20
TEXT_LENGTH: Final = 2000
KEYS: Final = {
    "sample_family_name": "sample",
    "measurement_start": "measured",
    "objective": "objective",
    "method": "method",
    "delta_wrapping": "delta_wrapping",
}
"""Keys of the sheet and the attrs they become."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f�]")


def read_dsinfo(path: Path) -> dict[str, str]:
    """Return facts as attrs: `comment`, `measurement`, and those of `KEYS` that the sheet has.

    Bytes that are not UTF-8 are read as latin-1; entities are never expanded.

    Raises
    ------
    FileError
        If it is too large or no XML.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if path.stat().st_size > SHEET_BYTES:
        raise FileError(f"{path.name} is larger than {SHEET_BYTES // 2**20} MB and was not read")
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", _CONTROL.sub("", text)).lstrip()
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FileError(f"{path.name} is no readable XML ({type(error).__name__}) and was left out") from None
    return _facts(root)


def _facts(root: Any) -> dict[str, str]:
    found = dict(
        zip(
            ((key.text or "").strip() for key in root.findall("keys")),
            ((value.text or "").strip() for value in root.findall("values")),
            strict=False,
        )
    )
    comment = _plain((root.findtext("comment") or "").strip())
    facts = {"comment": comment, "measurement": (root.findtext("type") or "").strip()}
    facts |= {attr: found[key] for key, attr in KEYS.items() if found.get(key)}
    return {name: text[:TEXT_LENGTH] for name, text in facts.items() if text}


def _plain(comment: str) -> str:
    """Return the sample comment without the instrument's empty headings."""
    return re.sub(r"\s*Comment:\s*$", "", re.sub(r"^Sample Description:\s*", "", comment)).strip()
