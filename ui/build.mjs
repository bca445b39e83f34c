/// Builds `src/` into the Python package: `../src/aim/server/static/`, which git ignores.
///
///     index.html                 the page, with the names of the two entries filled in
///     assets/<name>-<hash>.js    entries and lazy chunks; .gz and .br twins beside each
///     assets/<name>-<hash>.woff2 the fonts
///     licenses.txt               the licences of all packages that are built in
///     page/page.js, page.css     the same pages as one script, whose requests read an archive in the document: what
///                                `aim export --format html` puts into a file
///     page/solid.js              what draws 3D objects in that file, put into it when it has some
///     cell/cell.js, cell.css     the same pages as one script, whose requests a notebook's kernel answers
///
/// Fails when the first page's JavaScript is over its budget. `--watch` builds again on every change, without the twins.

import { context } from "esbuild";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { join } from "node:path";
import { documentation } from "./documentation.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(HERE, "..");
const OUT = join(ROOT, "src", "aim", "server", "static");
const ASSETS = join(OUT, "assets");
const FIRST_JS_BUDGET_BYTES = 120 * 1024;
const watch = process.argv.includes("--watch");

/// Output paths of one entry and everything that it loads at once, so without the lazy chunks.
function firstLoad(outputs, entry) {
  const found = new Set([entry]);
  for (const path of found) {
    for (const { path: next, kind } of outputs[path].imports) if (kind === "import-statement") found.add(next);
  }
  return [...found];
}

/// Writes the licences of the packages that the bundle was made of.
async function writeLicenses(inputs) {
  const folders = Object.keys(inputs).map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const texts = [];
  for (const folder of [...new Set(folders)].filter(Boolean).sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(HERE, folder, "package.json"), "utf8"));
    const file = (await readdir(join(HERE, folder))).find((each) => /^licen[cs]e/i.test(each));
    const text = file ? await readFile(join(HERE, folder, file), "utf8") : "";
    texts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  await writeFile(join(OUT, "licenses.txt"), texts.join("\n----\n\n"));
}

/// Writes `index.html` with the built names, then the compressed twins, and checks the budget.
async function finish(metafile) {
  const outputs = metafile.outputs;
  const entryOf = (source) => Object.keys(outputs).find((path) => outputs[path].entryPoint === source);
  const name = (path) => "assets/" + path.split("/").pop();
  const main = entryOf("src/main.tsx");
  let page = await readFile(join(HERE, "src", "index.html"), "utf8");
  // Named in the page, the chunks come together with the entry that imports them, and not after it.
  const chunks = firstLoad(outputs, main).filter((path) => path !== main);
  page = page
    .replace("MAIN_CHUNKS", chunks.map((path) => `<link rel="modulepreload" href="${name(path)}">`).join("\n"))
    .replace("MAIN_FONT", name(Object.keys(outputs).find((path) => /inter-latin-wght.*\.woff2$/.test(path))))
    .replace("MAIN_JS", name(main))
    .replace("MAIN_CSS", name(outputs[main].cssBundle))
    .replace("THEME_JS", name(entryOf("src/theme.ts")));
  await writeFile(join(OUT, "index.html"), page);
  if (watch) return;
  let first = 0;
  const firstPaths = new Set(firstLoad(outputs, main));
  await writeLicenses(metafile.inputs);
  for (const path of Object.keys(outputs).filter((each) => !each.endsWith(".woff2"))) {
    const bytes = await readFile(join(HERE, path));
    const gz = gzipSync(bytes, { level: 9 });
    await writeFile(join(HERE, path + ".gz"), gz);
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
    await writeFile(join(HERE, path + ".br"), brotliCompressSync(bytes, quality));
    if (firstPaths.has(path)) first += gz.length;
  }
  console.log(`ui: first JavaScript ${(first / 1024).toFixed(1)} KB gz of ${FIRST_JS_BUDGET_BYTES / 1024}`);
  if (first > FIRST_JS_BUDGET_BYTES) throw new Error("The first page's JavaScript is over its budget.");
}

const reporter = {
  name: "finish",
  setup(build) {
    build.onStart(async () => {
      await mkdir(ASSETS, { recursive: true });
      if (!watch) for (const file of await readdir(ASSETS)) await rm(join(ASSETS, file));
    });
    build.onEnd(async (result) => {
      if (result.errors.length === 0) await finish(result.metafile);
    });
  },
};

/// The pages as one script hold the font of Latin letters alone, as text of the style sheet.
const latinOnly = {
  name: "latin-only",
  setup(build) {
    build.onLoad({ filter: /\/style\/alphabets\.css$/ }, () => ({ contents: "", loader: "css" }));
  },
};

/// Has requests answered by the modules `transport` and `events` of a folder, 3D objects drawn by its
/// `solid` and figures written by its `pdf`: in the page in one file by `src/archive/`, in a cell of a notebook by `src/cell/`.
const answersFrom = (name) => ({
  name: `answers-from-${name}`,
  setup(build) {
    const FOLDER = join(HERE, "src", name);
    build.onResolve({ filter: /\/(transport|events|solid|pdf)$/ }, ({ path, kind, importer }) => {
      if (importer.startsWith(FOLDER) || kind === "entry-point") return undefined;
      const file = path.split("/").pop();
      return path.startsWith(`./${name}/`) ? undefined : { path: join(FOLDER, `${file}.ts`) };
    });
  },
});

const shared = {
  absWorkingDir: HERE,
  bundle: true,
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: !watch,
  legalComments: "none",
  logLevel: "warning",
  external: ["canvg", "dompurify", "html2canvas"], // of jsPDF, for pages as pictures: never asked for
};

const build = await context({
  ...shared,
  entryPoints: ["src/main.tsx", "src/theme.ts"],
  splitting: true,
  format: "esm",
  sourcemap: watch ? "inline" : false,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  outdir: ASSETS,
  metafile: true,
  loader: { ".woff2": "file" },
  plugins: [reporter, documentation(ROOT, false)],
});
const page = await context({
  ...shared,
  entryPoints: { page: "src/file.ts" },
  format: "iife",
  outdir: join(OUT, "page"),
  loader: { ".woff2": "dataurl" },
  plugins: [answersFrom("archive"), latinOnly, documentation(ROOT, true)],
});
const solid = await context({
  ...shared,
  entryPoints: { solid: "src/solidscript.ts" },
  format: "iife",
  outdir: join(OUT, "page"),
});
const cell = await context({
  ...shared,
  entryPoints: { cell: "src/cell.ts" },
  format: "iife",
  outdir: join(OUT, "cell"),
  loader: { ".woff2": "dataurl" },
  plugins: [answersFrom("cell"), latinOnly, documentation(ROOT, true)],
});
for (const bundle of [build, page, solid, cell]) {
  if (watch) await bundle.watch();
  else {
    await bundle.rebuild();
    await bundle.dispose();
  }
}
