"""The fenced blocks of a page: what is run, what is a command, and what is printed."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])

_FENCE = re.compile(r"^(?P<indent> *)```(?P<head>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, its title, its text, and the text block that follows it at once."""

    language: str
    title: str
    text: str
    printed: str | None


def fences(page):
    """Return the blocks of a page in order; a `text` block right after another is what that one prints."""
    source = page.read_text(encoding="utf-8")
    found, end = [], None
    for match in _FENCE.finditer(source):
        language, _, rest = match["head"].strip().partition(" ")
        title = re.search(r'title="(.*?)"', rest)
        text = textwrap.dedent(match["body"])
        if language == "text" and found and end is not None and not source[end : match.start()].strip():
            found[-1] = Fence(found[-1].language, found[-1].title, found[-1].text, text)
        else:
            found.append(Fence(language, title[1] if title else "", text, None))
        end = match.end()
    return found


def of(page, *languages):
    """Return the blocks of a page in some languages."""
    return [fence for fence in fences(page) if fence.language in languages]


def label(page):
    """Return the path of a page for the name of a test."""
    return page.relative_to(ROOT).with_suffix("").as_posix()
