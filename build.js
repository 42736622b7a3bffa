// Bundles each folder of `histowidgets/widgets/static/` that has a `widget.js` to `bundles/<folder>.js`, the one ES module
// that anywidget takes. With `--check` it writes nothing, and fails if a bundle is missing, out of date or left over.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const STATIC = fileURLToPath(new URL("./histowidgets/widgets/static/", import.meta.url));
const BUNDLES = path.join(STATIC, "bundles");
// The first browsers with popovers, which the menus need; all of them came out before JupyterLab 4.2.
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

const bundles = await bundleWidgets();
const committed = await readdir(BUNDLES);
const leftOver = committed.filter((name) => !bundles.has(name));

async function differs([name, text]) {
  return !committed.includes(name) || (await readFile(path.join(BUNDLES, name), "utf8")) !== text;
}

if (process.argv.includes("--check")) {
  const stale = [...leftOver];
  for (const bundle of bundles) if (await differs(bundle)) stale.push(bundle[0]);
  stale.sort();
  if (stale.length) {
    console.error(`Not what the sources give: ${stale.join(", ")}. Run "npm run build" and commit the result.`);
    process.exitCode = 1;
  }
} else {
  for (const name of leftOver) await rm(path.join(BUNDLES, name));
  for (const [name, text] of bundles) await writeFile(path.join(BUNDLES, name), text);
}
