"""A hand on the studio: finds its parts on the page, and uses pointer and keys as a person does."""

import re

from tests.browser.harness import Notebook

# Strokes on the colon sample, in image pixels, that lie inside tissue of their class.
STROKES = {
    "Epithelium": [
        [(60, 70), (90, 110)],
        [(118, 60), (150, 92), (165, 120)],
        [(90, 380), (96, 430), (92, 470)],
        [(330, 410), (352, 430), (352, 470)],
        [(400, 70), (430, 110), (440, 150)],
        [(330, 220), (350, 250)],
        [(20, 200), (50, 260)],
    ],
    "Stroma": [
        [(260, 230), (285, 262), (290, 290)],
        [(490, 250), (482, 300)],
        [(140, 300), (170, 330)],
        [(215, 330), (245, 350), (236, 390)],
        [(400, 310), (430, 350)],
        [(450, 40), (470, 90)],
        [(185, 400), (200, 460)],
    ],
    "Lumen": [
        [(10, 330), (20, 356), (14, 390)],
        [(316, 85), (340, 130), (365, 175)],
        [(440, 410), (455, 440)],
        [(65, 4), (85, 6)],
    ],
}

# Counts the milliseconds from a pointer event to the frame after the layer has painted for it.
_WATCH_INK = """
() => {
  window.hwInk = [];
  const pointer = document.querySelector(".hw-pointer");
  pointer.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    // The layer's own listener has run: its ink is on the canvas, and shown with the next frame.
    requestAnimationFrame(() => window.hwInk.push(performance.now() - event.timeStamp));
  });
}
"""


class StudioHand:
    """The studio of the notebook, as a person sees it."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page = notebook.page
        notebook.wait_for(
            "() => document.querySelector('.hw-pointer') && document.querySelector('.hw-class')", seconds=60
        )
        notebook.wait_for(
            "() => { const c = document.querySelector('canvas.hw-picture');"
            " return c && c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[3] > 0; }"
        )

    # -- the picture ------------------------------------------------------------------------------

    def _places(self, points):
        """CSS positions within the stage of image points."""
        pairs = [[float(x), float(y)] for x, y in points]
        return self.notebook.value(f"[list(studio.canvas.view.to_stage(x, y)) for x, y in {pairs}]")

    def page_point(self, point):
        """Return the place on the page of an image point."""
        ((x, y),) = self._places([point])
        box = self.page.locator(".hw-pointer").first.bounding_box()
        return box["x"] + x, box["y"] + y

    def paint(self, points):
        """Drag the pen along image points."""
        stage = self.page.locator(".hw-pointer").first
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        places = [(box["x"] + x, box["y"] + y) for x, y in self._places(points)]
        mouse = self.page.mouse
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place, steps=6)
        mouse.up()

    def paint_all(self, strokes=STROKES):
        for class_name, lines in strokes.items():
            self.pick_class(class_name)
            for points in lines:
                self.paint(points)
        wanted = {name: len(lines) for name, lines in strokes.items()}
        self.notebook.wait_for_value("studio.project.count()", wanted)

    def ink_latencies(self, points):
        """Milliseconds from each pointer event of a stroke to the frame that shows its ink."""
        places = self._places(points)
        return self._ink_latencies_at(places)

    def _ink_latencies_at(self, places):
        stage = self.page.locator(".hw-pointer").first
        box = stage.bounding_box()
        self.page.evaluate(_WATCH_INK)
        mouse = self.page.mouse
        mouse.move(box["x"] + places[0][0], box["y"] + places[0][1])
        mouse.down()
        for x, y in places[1:]:
            mouse.move(box["x"] + x, box["y"] + y, steps=20)
        mouse.up()
        self.page.wait_for_function("() => window.hwInk.length >= 10")
        return self.page.evaluate("() => window.hwInk")

    def picture(self, step=24):
        """Pixels of what is shown, on a grid; image, prediction and annotations together."""
        stage = self.page.locator(".hw-pointer").first.bounding_box()
        grid = [
            (x, y)
            for y in range(step // 2, int(stage["height"]), step)
            for x in range(step // 2, int(stage["width"]), step)
        ]
        return [tuple(pixel) for pixel in self.notebook.pixels("canvas.hw-picture", grid)]

    def picture_at(self, point):
        """RGBA of what is shown at an image point."""
        (place,) = self._places([point])
        return self.notebook.pixel("canvas.hw-picture", *place)

    def wait_for_picture(self, wanted, seconds=20, share=0.98):
        """Return once what is shown is that picture, but for a few pixels that JPEG or a moving label may change."""
        for _ in range(int(seconds * 10)):
            found = self.picture()
            same = sum(
                max(abs(a - b) for a, b in zip(p, q, strict=True)) <= 12 for p, q in zip(found, wanted, strict=True)
            )
            if same >= share * len(wanted):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"only {same} of {len(wanted)} pixels are as they were")

    def wait_until_settled(self, seconds=60):
        """Return once all that follows an edit or a run has been answered, so that the prediction stays as it is."""
        workers = "(studio._live.quick, studio._live.network, studio._live.score)"
        self.notebook.wait_for_value(f"all(worker.idle.is_set() for worker in {workers})", True, seconds)

    def caption(self):
        return self.page.locator(".hw-caption").first.inner_text()

    def wait_for_caption(self, pattern, seconds=30):
        self.notebook.wait_for(
            "(p) => { const c = document.querySelector('.hw-caption');"
            " return c && !c.hidden && new RegExp(p).test(c.textContent); }",
            pattern,
            seconds,
        )

    # -- the side -----------------------------------------------------------------------------------

    def pick_class(self, name):
        self.page.locator(".hw-class", has=self.page.locator(".hw-class-name", has_text=name)).first.click()
        self.notebook.wait_for_value("studio.canvas.class_name", name)

    def press(self, text):
        self.page.locator(
            ".hw-studio button:visible:not([disabled])", has_text=re.compile(rf"^\s*{re.escape(text)}\s*$")
        ).first.click()

    def open_display(self):
        """Open the menu of the eye above the picture."""
        self.page.locator(".hw-eye:not(.mod-active)").first.click()

    def open_tab(self, title):
        self.page.locator(".hw-tabs .lm-TabBar-tab", has_text=title).first.click()

    def fill(self, label, text):
        field = self.page.locator(f".hw-studio .widget-text:has(label:text-is('{label}')) input:visible").first
        field.fill(text)
        field.press("Tab")

    def next_step(self):
        """Return what the box under the classes says."""
        return self.page.locator(".hw-next-line").first.inner_text()

    def wait_for_next(self, pattern, seconds=30):
        self.notebook.wait_for(
            "(p) => new RegExp(p).test(document.querySelector('.hw-next-line')?.textContent ?? '')", pattern, seconds
        )

    def save(self, what):
        """Save something from the list in the results, and wait for where it was saved."""
        self.page.get_by_label("What", exact=True).and_(self.page.locator(".hw-files select")).select_option(what)
        self.press("Save")

    def wait_for_notice(self, pattern, level=None, seconds=30):
        """Wait for an answer of the studio, wherever it was asked."""
        from playwright.sync_api import TimeoutError

        try:
            self.notebook.wait_for(
                "([p, level]) => [...document.querySelectorAll('.hw-next-line, .hw-said-here, .hw-class-said,"
                " .hw-strip-said, .hw-said div')].some((n) => (!level || !n.dataset.level || n.dataset.level === level)"
                " && new RegExp(p).test(n.textContent))",
                [pattern.removeprefix("(?i)"), level],
                seconds,
            )
        except TimeoutError as error:
            said = self.notebook.value("studio.log")
            raise AssertionError(f"waited {seconds} s for {pattern!r}; the studio said:\n{said}") from error

    def curve_points(self):
        """How many points the validation loss curve has on the page."""
        paths = self.page.eval_on_selector_all(
            ".hw-monitor .bqplot path.line",
            "(paths) => paths.map((p) => (p.getAttribute('d') || '').split(/[ML]/).length - 1)",
        )
        return max(paths, default=0)

    def wait_for_curve(self, points, seconds=60):
        self.notebook.wait_for(
            "(n) => [...document.querySelectorAll('.hw-monitor .bqplot path.line')]"
            ".some((p) => (p.getAttribute('d') || '').split(/[ML]/).length - 1 >= n)",
            points,
            seconds,
        )

    def stop_and_wait(self):
        self.press("Stop")
        self.notebook.wait_for_value("studio.run.is_over", True)
