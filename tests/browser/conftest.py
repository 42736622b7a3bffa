"""One JupyterLab a session, one Chromium a module, one notebook a test."""

import os

import pytest

from tests.browser.harness import (
    CHROMIUM_ARGUMENTS,
    HOW_TO_GET_CHROMIUM,
    LabServer,
    Notebook,
    find_chromium,
)

REQUIRED = os.environ.get("HISTOWIDGETS_REQUIRE_BROWSER") == "1"


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)
            # Runs with a time limit, frames and JupyterLab's own timers: beside other tests they would be races.
            item.add_marker(pytest.mark.quiet)


def _skip_or_fail(reason):
    if REQUIRED:
        pytest.fail(f"HISTOWIDGETS_REQUIRE_BROWSER=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium_path():
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        _skip_or_fail("Playwright's Python package is missing: pip install playwright")
    path = find_chromium()
    if path is None:
        _skip_or_fail(HOW_TO_GET_CHROMIUM)
    return path


@pytest.fixture(scope="session")
def lab_server(chromium_path, tmp_path_factory):
    server = LabServer(tmp_path_factory.mktemp("jupyter"))
    try:
        server.wait_until_up()
        yield server
    finally:
        server.close()


# Playwright's sync API keeps an asyncio loop running in this thread while it is open; closing it with the
# module leaves asyncio.run free for the tests of other rooms.
@pytest.fixture(scope="module")
def browser(chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def _open(browser, lab_server, cells, *, width=1366, height=768, scale=1, block=None, **context_options):
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale, **context_options
    )
    if block:
        context.route(block, lambda route: route.abort())
    return Notebook(context.new_page(), lab_server, cells)


def _close(notebook):
    context = notebook.page.context
    notebook.close()
    context.close()


def _assert_no_errors(notebooks):
    errors = [error for notebook in notebooks for error in notebook.page_errors]
    assert not errors, "errors in the page:\n" + "\n".join(errors)


@pytest.fixture
def open_notebook(browser, lab_server):
    """Function that opens a notebook with the given cells; page errors fail the test.

    `width` and `height` are of the page, `scale` its device pixels a CSS pixel, and `block` a pattern of addresses
    that it cannot load.
    """
    opened = []

    def open_notebook(cells, **options):
        opened.append(_open(browser, lab_server, cells, **options))
        return opened[-1]

    yield open_notebook
    for notebook in opened:
        _close(notebook)
    _assert_no_errors(opened)


@pytest.fixture(scope="module")
def _kept_notebooks(browser, lab_server):
    kept = {}

    def keep(cells):
        key = "\n".join(cells)
        if key not in kept:
            kept[key] = _open(browser, lab_server, cells)
        return kept[key]

    yield keep
    for notebook in kept.values():
        _close(notebook)


@pytest.fixture
def shared_notebook(_kept_notebooks):
    """Function like `open_notebook`, but the module's tests with the same cells share the page and its kernel.

    Saves the seconds that both take to start; the cells run anew for each test, and must clean up after the last.
    """
    used = []

    def shared_notebook(cells):
        used.append(_kept_notebooks(cells))
        used[-1].page_errors.clear()
        return used[-1]

    yield shared_notebook
    _assert_no_errors(used)
