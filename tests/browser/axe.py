"""Accessibility: what axe-core finds on a page."""

import pytest

from tests.browser.harness import ROOT

SCRIPT = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def violations(page, within=None):
    """Return what axe finds in the page, or in one element of it, each with the markup of the first place.

    Parameters
    ----------
    page : Page
    within : str, optional
        A CSS selector.

    Returns
    -------
    list of str
    int
        Number of rules that passed.
    """
    if not SCRIPT.is_file():
        pytest.skip("axe-core is missing: npm ci")
    page.add_script_tag(path=str(SCRIPT))
    found = page.evaluate("(within) => (within ? axe.run(within) : axe.run())", within)
    texts = [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"][:3]]
    return texts, len(found["passes"])
