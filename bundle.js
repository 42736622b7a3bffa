// Bundles each folder of `histowidgets/widgets/static/` that has a `widget.js` to `bundles/<folder>.js`, the one ES module
// that anywidget takes. With `--check` it writes nothing, and fails if a bundle is missing, out of date or left over.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const STATIC = fileURLToPath(new URL("./histowidgets/widgets/static/", import.meta.url));
const BUNDLES = path.join(STATIC, "bundles");
// The first browsers with popovers, which the menus need. JupyterLab 4.2 supports browsers from 2024 on.
const TARGET = ["chrome114", "firefox125", "safari17"];

async function bundleWidgets() {
  const sources = await readdir(STATIC, { recursive: true });
  const widgets = sources.filter((name) => path.basename(name) === "widget.js").map((name) => path.dirname(name));
  const { outputFiles } = await build({
    absWorkingDir: STATIC,
    entryPoints: Object.fromEntries(widgets.sort().map((widget) => [widget, `${widget}/widget.js`])),
    outdir: BUNDLES,
    bundle: true,
    format: "esm",
    charset: "utf8",
    target: TARGET,
    banner: { js: "// Made by `npm run build` from the sources beside this folder; do not edit." },
    write: false,
  });
  return new Map(outputFiles.map((file) => [path.basename(file.path), file.text]));
}

async function findStale(bundles) {
  const committed = await readdir(BUNDLES);
  const stale = committed.filter((name) => !bundles.has(name));
  for (const [name, text] of bundles) {
    const current = committed.includes(name) ? await readFile(path.join(BUNDLES, name), "utf8") : null;
    if (current !== text) stale.push(name);
  }
  return stale.sort();
}

const bundles = await bundleWidgets();
if (process.argv.includes("--check")) {
  const stale = await findStale(bundles);
  if (stale.length) {
    console.error(`Not what the sources give: ${stale.join(", ")}. Run "npm run build" and commit the result.`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of bundles) await writeFile(path.join(BUNDLES, name), text);
}
