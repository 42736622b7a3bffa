"""What the site takes from outside `docs/`: the notebooks with their outputs, the changelog, and the benchmarks.

MkDocs calls these functions (`hooks` in `mkdocs.yml`). Pages link to such files by their address on GitHub, so that
the links work there too; on the site they lead to the page that is made of the file.
"""

import base64
import json
import re
from pathlib import Path
from posixpath import relpath

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
GITHUB = "https://github.com/histowidgets/histowidgets/blob/main/"
INCLUDED = {"CHANGELOG.md": "changelog.md", "benchmarks/README.md": "performance.md"}
_FIGURE = r'<figure markdown="span">\1<figcaption>\2</figcaption></figure>'
TITLES = {"benchmarks/README.md": ("# Benchmarks", "# Performance")}


def notebooks():
    """List the notebooks, in order."""
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def served():
    """Return where each file from outside `docs/` is on the site: path in the repository to path in `docs/`."""
    return INCLUDED | {f"notebooks/{path.name}": f"notebooks/{path.name}" for path in notebooks()}


@event_priority(100)  # before mkdocs-jupyter, which takes the notebooks from the files
def on_files(files, config):
    """Add the pages that are made of other files, and the gallery with a picture from each notebook."""
    for source, target in INCLUDED.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        text = re.sub(r"\]\((?:\.\./)?docs/", "](", text)  # a page of `docs/`, from the root or a folder in it
        files.append(File.generated(config, target, content=text.replace(*TITLES.get(source, ("", "")), 1)))
    for path in notebooks():
        files.append(File(f"notebooks/{path.name}", str(ROOT), config.site_dir, config.use_directory_urls))
        picture = first_picture(path)
        if picture is not None:
            files.append(File.generated(config, f"notebooks/{path.stem}.png", content=picture))
    files.append(File.generated(config, "notebooks/index.md", content=gallery()))
    return files


def gallery():
    """Return the page of all notebooks: title, picture, and the first paragraph of each."""
    cards = []
    for path in notebooks():
        title, words = _title_and_first_paragraph(path)
        picture = "../pictures/studio.png" if first_picture(path) is None else f"{path.stem}.png"
        cards.append(f"-   [![{title}]({picture})]({path.name})\n\n    **[{title}]({path.name})**\n\n    {words}\n")
    head = (
        "# Notebooks\n\nEach notebook runs as it stands, without a connection, in a few minutes or less. Here they are "
        "with the outputs of their last run. The badges at the top of each open it on Colab or Binder.\n\n"
    )
    return f'{head}<div class="grid cards" markdown>\n\n' + "\n".join(cards) + "\n</div>\n"


def _title_and_first_paragraph(path):
    text = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    parts = [part for part in text.split("\n\n") if not part.startswith(("[![", "![", "On Colab"))]
    return parts[0].removeprefix("# ").strip(), " ".join(parts[1].split()) if len(parts) > 1 else ""


def first_picture(path):
    """Return the first PNG picture among the outputs of a notebook, or None."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                return base64.b64decode("".join(output["data"]["image/png"]))
    return None


def on_page_markdown(markdown, page, config, files):
    """Let links to files on GitHub that the site has lead to their pages, and put the guide's captions on the page."""
    for source, target in served().items():
        markdown = markdown.replace(f"]({GITHUB}{source})", f"]({relpath(target, page.file.src_uri + '/..')})")
    if page.file.src_uri.startswith("guide/"):
        markdown = re.sub(r"^(!\[(.+)\]\(\S+\))$", _FIGURE, markdown, flags=re.MULTILINE)
    return markdown


def on_page_content(html, page, config, files):
    """Let the links and pictures of a notebook, which are relative to its file, lead to the pages of the site."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html

    def on_site(found):
        file = files.get_file_from_path(found[2])
        return found[0] if file is None else f'{found[1]}="{relpath(file.url, page.url)}{"/" * file.url.endswith("/")}"'

    return re.sub(r'(src|href)="\.\./docs/([^"#]+)"', on_site, html)
