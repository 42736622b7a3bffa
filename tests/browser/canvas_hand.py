"""A hand on an annotation canvas in a page: real pointer events in image coordinates, and what they did."""

from tests.browser.harness import Notebook

# Installed in the page: for each pointermove, the milliseconds from the event until the callback that follows the
# paint of the frame which shows the ink under it, or null where the ink was not there then.
_MEASURE_INK = """
() => {
  const root = document.querySelector(".hw-pointer");
  const inks = root.querySelectorAll(".hw-ink");
  const ink = inks[inks.length - 1];
  window.hwInkTimes = [];
  root.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const box = root.getBoundingClientRect();
    const k = ink.width / box.width;
    const [x, y] = [Math.round((event.clientX - box.left) * k), Math.round((event.clientY - box.top) * k)];
    requestAnimationFrame(() => {
      const painted = ink.getContext("2d").getImageData(x, y, 1, 1).data[3] > 0;
      const callback = performance.now();
      // The next task after a frame's callbacks comes after its paint.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        const [frame, paint] = [callback - event.timeStamp, performance.now() - event.timeStamp];
        window.hwInkTimes.push({ frame, paint, painted });
      };
      channel.port2.postMessage(0);
    });
  });
}
"""

# Installed in the page: looks once a frame whether a point is covered by ink or by the kernel's drawing.
_WATCH_POINT = """
([x, y, wanted]) => {
  const root = document.querySelector(".hw-pointer");
  const inks = root.querySelectorAll(".hw-ink");
  const picture = document.querySelector(".hw-picture");
  const read = (canvas) => {
    const k = canvas.width / root.offsetWidth;
    return canvas.getContext("2d").getImageData(Math.round(x * k), Math.round(y * k), 1, 1).data;
  };
  const near = (pixel) => wanted.every((value, i) => Math.abs(pixel[i] - value) <= 60);
  const seen = (window.hwSeen = []);
  const started = performance.now();
  const look = () => {
    if (!root.isConnected) return;
    const ink = read(inks[inks.length - 1])[3] > 0;
    seen.push({ time: performance.now() - started, ink, kernel: near(read(picture)) });
    if (performance.now() - started < 8000) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""


class CanvasHand:
    """Paints on the page's (first) annotation canvas; `name` is what the kernel calls it."""

    def __init__(self, notebook: Notebook, name: str = "canvas") -> None:
        self.notebook, self.name = notebook, name
        notebook.page.wait_for_selector(".hw-pointer")
        self.wait_until_shown()

    @property
    def page(self):
        return self.notebook.page

    def kernel(self, expression):
        """Value of an expression in which `canvas` and `project` are this canvas and its project."""
        return self.notebook.value(expression)

    def settled(self, expression):
        """Value of an expression once it stays the same for half a second: all keys have arrived."""
        found, looks = self.kernel(expression), 0
        for _ in range(200):
            self.page.wait_for_timeout(100)
            before, found = found, self.kernel(expression)
            looks = looks + 1 if found == before else 0
            if looks == 5:
                return found
        raise AssertionError(f"{expression} keeps changing; it is {found!r}")

    def wait_until_shown(self):
        """Return once the picture is on the canvas: its middle is not transparent."""
        self.notebook.wait_for(
            """() => {
              const canvas = document.querySelector(".hw-picture");
              if (!canvas) return false;
              const { width, height } = canvas;
              return canvas.getContext("2d").getImageData(width >> 1, height >> 1, 1, 1).data[3] > 0;
            }"""
        )

    def stage_point(self, point):
        """CSS position on the stage of an image point, by the view that the kernel has."""
        return self.kernel(f"list({self.name}.view.to_stage({point[0]}, {point[1]}))")

    def page_point(self, point):
        x, y = self.stage_point(point)
        box = self.page.locator(".hw-pointer").first.bounding_box()
        return box["x"] + x, box["y"] + y

    def scroll_into_view(self):
        self.page.locator(".hw-stage").first.evaluate("node => node.scrollIntoView({ block: 'center' })")

    def paint(self, points, button="left", steps=12, release=True):
        """Drag through image points with the mouse."""
        places = [self.page_point(point) for point in points]
        mouse = self.page.mouse
        mouse.move(*places[0])
        mouse.down(button=button)
        for place in places[1:]:
            mouse.move(*place, steps=steps)
        if release:
            mouse.up(button=button)

    def press(self, key):
        """Press a key while the canvas has the focus."""
        self.page.locator(".hw-pointer").first.focus()
        self.page.keyboard.press(key)

    def shown(self, point):
        """RGB on the kernel's composite picture at an image point."""
        return self.notebook.pixel(".hw-picture", *self.stage_point(point))[:3]

    def annotation_pixel(self, point):
        """RGBA on the kernel's annotation layer at an image point."""
        x, y = self.stage_point(point)
        scale = self.kernel(f"{self.name}._renderer.scale")
        layer = self.kernel(f"{self.name}._layers.top_id")
        return self.notebook.layer_pixels(layer, [(round(x * scale), round(y * scale))])[0]

    def count(self):
        return self.kernel("project.count()")

    def wait_for_count(self, class_name, number):
        self.notebook.wait_for_value(f"project.count()[{class_name!r}]", number)

    def wait_for_no_ink(self):
        """Return once no pixel of ink is left: the kernel's drawing stands for all of it."""
        self.notebook.wait_for(
            """() => [...document.querySelectorAll(".hw-ink")].every((canvas) => {
              const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
              return data.every((value, i) => i % 4 !== 3 || value === 0);
            })"""
        )

    def wait_for_drawn(self):
        """Return once the kernel's picture is shown as it is, not moved or scaled by the browser."""
        self.notebook.wait_for("() => document.querySelector('.hw-picture').style.transform === ''")

    def measure_ink(self):
        """Begin to time the ink under the pen; `ink_times` gives what was found."""
        self.page.evaluate(_MEASURE_INK)

    def ink_times(self):
        return self.page.evaluate("() => window.hwInkTimes")

    def watch(self, point, color):
        """Begin to look, once a frame, at what covers an image point; `seen` gives what was found."""
        self.page.evaluate(_WATCH_POINT, [*self.stage_point(point), color])

    def seen(self):
        return self.page.evaluate("() => window.hwSeen")
