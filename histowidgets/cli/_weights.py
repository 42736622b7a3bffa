"""The command `histowidgets weights`."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from histowidgets.cli._progress import EXIT_FAILED, EXIT_OK
from histowidgets.errors import BackboneError

if TYPE_CHECKING:
    from histowidgets.models import WeightFile


_ACTIONS = ("list", "fetch", "where")


def add_weights(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "weights",
        help="list, fetch and find pretrained weights",
        description="List the pretrained weights of backbones, fetch them in advance, or say where they are.",
        epilog=epilog,
    )
    parser.add_argument(
        "action",
        choices=_ACTIONS,
        help="list: what there is, and what this computer has; fetch: download, continuing where a download stopped; "
        "where: the folder of the cache, or the file of a backbone",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a backbone, such as resnet34 or phikon")
    parser.add_argument("--check", action="store_true", help="list: compare each file with its hash")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def weights(arguments: argparse.Namespace) -> int:
    """List, fetch or find weights; return the exit code."""
    if arguments.action == "fetch" and not arguments.names:
        raise BackboneError("fetch needs the name of a backbone: see histowidgets weights list.")
    return {"list": _list, "fetch": _fetch, "where": _where}[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    from histowidgets.models import find_weights, list_weights

    named = [find_weights(name, arguments.check) for name in arguments.names]
    found = named if arguments.names else list_weights(arguments.check)
    if arguments.json:
        print(json.dumps([_plain(one) for one in found], indent=2))
    else:
        width = max(len(one.name) for one in found)
        for one in found:
            print(f"{one.name:{width}}  {one.state:13}  {_size(one.n_bytes):>8}  {_about(one)}".rstrip())
        fetched = [one.n_bytes or 0 for one in found if one.state in ("fetched", "damaged")]
        print(f"{len(fetched)} fetched, {_size(sum(fetched))}")
    return EXIT_FAILED if any(one.state == "damaged" for one in found) else EXIT_OK


def _fetch(arguments: argparse.Namespace) -> int:
    from histowidgets.models import fetch_backbone, find_backbone, licence_terms

    if arguments.json:
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()
    cards = [find_backbone(name) for name in arguments.names]  # a wrong name is said before anything is fetched
    answers, code = [], EXIT_OK
    for card in cards:
        terms = licence_terms(card)
        if terms:
            print(terms, file=sys.stderr)
        try:
            found = fetch_backbone(card.name)
        except BackboneError as error:
            print(f"{card.name}: not fetched: {error}", file=sys.stderr)
            answers.append({"name": card.name, "state": "not fetched", "reason": str(error)})
            code = EXIT_FAILED
            continue
        answers.append(_plain(found))
        if not arguments.json:
            print(f"{found.name}: {found.state}, {_size(found.n_bytes)}, {found.path}")
    if arguments.json:
        print(json.dumps(answers, indent=2))
    return code


def _where(arguments: argparse.Namespace) -> int:
    from histowidgets.models import find_weights, weight_cache

    if not arguments.names:
        cache = weight_cache()
        values = {"folder": str(cache.folder), "hub": cache.endpoint, "offline": cache.offline}
        if arguments.json:
            print(json.dumps(values, indent=2))
        else:
            print(f"folder: {cache.folder}")
            print(f"hub: {cache.endpoint}{', not asked, because HF_HUB_OFFLINE is set' if cache.offline else ''}")
        return EXIT_OK
    found = [find_weights(name) for name in arguments.names]
    if arguments.json:
        print(json.dumps([_plain(one) for one in found], indent=2))
    for one in found if not arguments.json else ():
        if one.path is None:
            print(f"{one.name}: {one.state}; run: histowidgets weights fetch {one.name}", file=sys.stderr)
        else:
            print(one.path)
    return EXIT_FAILED if any(one.path is None for one in found) else EXIT_OK


def _plain(one: "WeightFile") -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state,
        "path": None if one.path is None else str(one.path),
        "bytes": one.n_bytes,
        "repository": one.repository,
        "revision": one.revision,
        "licence": one.licence,
        "commercial_use": one.commercial_use,
        "gated": one.gated,
    }


def _about(one: "WeightFile") -> str:
    parts = [one.licence, "gated" if one.gated else ""]
    if one.repository and one.repository != one.name:
        parts.append(f"{one.repository}{f'@{one.revision[:7]}' if one.revision else ', not pinned'}")
    return ", ".join(part for part in parts if part)


def _size(n_bytes: int | None) -> str:
    if n_bytes is None:
        return ""
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
