// A pointer layer as the parts of the canvas see it, without a page: it remembers what it is told.
export const STAGE = { width: 400, height: 300 };
export const IMAGE = { width: 1000, height: 800 };

export function makeLayer(changes = {}) {
  const told = [];
  const tell =
    (name, result) =>
    (...values) => {
      told.push([name, ...values]);
      return result;
    };
  return {
    told,
    view: { x: 200, y: 150, zoom: 1 }, // stage and image points have the same numbers
    stage: STAGE,
    image: IMAGE,
    imageName: "colon",
    className: "Stroma",
    brushWidth: 12,
    wandTolerance: 18,
    tool: "brush",
    spaceHeld: false,
    at: null,
    shown: { annotations: true, overlay: true },
    colorOf: () => "#112233",
    hatchOf: () => null,
    classChoice: { forget() {} },
    cursor: { active: false, draws: false, hide() {} },
    link: { hover: tell("hover"), edit: tell("edit", 1), send: tell("send") },
    overlays: { showMarquee: tell("marquee"), showTag: tell("tag") },
    ink: { add: tell("ink"), extend() {}, renumber: tell("renumber"), remove: tell("remove") },
    edit: tell("edit", 1),
    hint: tell("hint"),
    tellPen: tell("pen"),
    tellShort: tell("short"),
    keepDraft: (points, corners) => told.push(["draft", structuredClone(points), [...corners]]),
    finishShape: tell("finish"),
    setTolerance: tell("tolerance"),
    showAnnotations: tell("show annotations"),
    show() {},
    showPen() {},
    look(view) {
      this.view = view;
    },
    ...changes,
  };
}

// What the layer was told of that name.
export const toldOf = (layer, name) => layer.told.filter(([what]) => what === name).map(([, ...values]) => values);

export function closeTo(assert, actual, expected, tolerance = 1e-9) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) <= tolerance, `${actual} is not ${expected}`);
  });
}
