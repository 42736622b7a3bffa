"""One JupyterLab and one Chromium for all browser tests of a process, one notebook a test."""

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


# The package's last test in this process ends what the tests share: Playwright keeps an asyncio loop running in this
# thread, which would not leave asyncio.run to other tests, and the server and its kernels keep memory.
@pytest.fixture(scope="package")
def lab_server(chromium_path, tmp_path_factory, quick_kernels):
    server = LabServer(tmp_path_factory.mktemp("jupyter"), jupyter_path=quick_kernels)
    try:
        server.wait_until_up()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="package")
def browser(chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


class Pages:
    """Pages of the browser; one that is given back still has its JupyterLab, which takes seconds to load.

    Pages with the same options share a context, and with it what Chromium has compiled.
    """

    def __init__(self, browser):
        self._browser, self._contexts, self._free = browser, {}, {}

    def take(self, *, width=1366, height=768, scale=1, fresh=False, **options):
        """Return a page of that size, with a JupyterLab if another test has left one, but for a `fresh` one."""
        key = scale, *sorted(options.items())
        if key not in self._contexts:
            self._contexts[key] = self._browser.new_context(device_scale_factor=scale, **options)
        free = self._free.setdefault(key, [])
        page = free.pop() if free and not fresh else self._contexts[key].new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.bring_to_front()  # a page behind another gets one frame a second
        return page

    def give_back(self, page):
        key = next(key for key, context in self._contexts.items() if context is page.context)
        self._free[key].append(page)

    def close(self):
        for context in self._contexts.values():
            context.close()


@pytest.fixture(scope="package")
def pages(browser):
    pages = Pages(browser)
    yield pages
    pages.close()


def _assert_no_errors(notebooks):
    errors = [error for notebook in notebooks for error in notebook.page_errors]
    assert not errors, "errors in the page:\n" + "\n".join(errors)


def _close(notebook, pages, *, keep):
    if notebook.close() and keep and not notebook.page_errors:
        pages.give_back(notebook.page)
    else:
        notebook.page.close()


@pytest.fixture
def open_notebook(pages, lab_server):
    """Function that opens a notebook with the given cells; page errors fail the test.

    `width` and `height` are of the page, `scale` its device pixels a CSS pixel, and `block` a pattern of addresses
    that it cannot load. A `fresh` page loads JupyterLab anew, and is not used again.
    """
    opened = []

    def open_notebook(cells, block=None, fresh=False, **options):
        fresh = fresh or block is not None
        page = pages.take(fresh=fresh, **options)
        if block:
            page.route(block, lambda route: route.abort())
        opened.append((Notebook(page, lab_server, cells), fresh))
        return opened[-1][0]

    yield open_notebook
    for notebook, fresh in opened:
        _close(notebook, pages, keep=not fresh)
    _assert_no_errors([notebook for notebook, _ in opened])


@pytest.fixture(scope="module")
def _kept_notebooks(pages, lab_server):
    kept = {}

    def keep(cells):
        key = "\n".join(cells)
        if key not in kept:
            kept[key] = Notebook(pages.take(), lab_server, cells)
        return kept[key]

    yield keep
    for notebook in kept.values():
        _close(notebook, pages, keep=True)


@pytest.fixture
def shared_notebook(_kept_notebooks):
    """Function like `open_notebook`, but the module's tests with the same cells share the page and its kernel.

    Saves the second that both take to start; the cells run anew for each test, and must clean up after the last.
    """
    used = []

    def shared_notebook(cells):
        used.append(_kept_notebooks(cells))
        used[-1].page.bring_to_front()  # a page behind another gets one frame a second
        used[-1].page_errors.clear()
        return used[-1]

    yield shared_notebook
    _assert_no_errors(used)
