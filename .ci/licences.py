"""Print each installed package with its licence, and how often each licence occurs, for the report of `.ci/report`."""

import sys
from collections import Counter
from importlib import metadata


def licence(package: metadata.Distribution) -> str:
    """Return the licence that a package states: its expression, its classifiers, or the first line of its text."""
    about = package.metadata
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    stated = [name.split(" :: ")[-1] for name in about.get_all("Classifier", []) if name.startswith("License :: ")]
    stated = [name for name in stated if name != "OSI Approved"]
    first = (about.get("License") or "").strip().split("\n")[0].strip()
    return ", ".join(stated) or first[:60] or "NOT STATED"


def main() -> None:
    """Write the two tables."""
    found = sorted({(licence(each), each.metadata["Name"], each.version) for each in metadata.distributions()})
    for name, package, version in found:
        sys.stdout.write(f"{name:62s} {package} {version}\n")
    sys.stdout.write("\n")
    for name, count in Counter(name for name, _, _ in found).most_common():
        sys.stdout.write(f"{count:4d}  {name}\n")


if __name__ == "__main__":
    main()
