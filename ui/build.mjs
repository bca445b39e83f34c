/// Builds `src/` into the Python package: `../src/aim/server/static/`, which git ignores.
///
///     index.html                 the page, with the names of the two entries filled in
///     assets/<name>-<hash>.js    entries and lazy chunks; .gz and .br twins beside each
///
/// Fails when the first page's JavaScript is over its budget. `--watch` builds again on every change, without the twins.

import { context } from "esbuild";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { join } from "node:path";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const OUT = join(HERE, "..", "src", "aim", "server", "static");
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
    .replace("MAIN_JS", name(main))
    .replace("MAIN_CSS", name(outputs[main].cssBundle))
    .replace("THEME_JS", name(entryOf("src/theme.ts")));
  await writeFile(join(OUT, "index.html"), page);
  if (watch) return;
  let first = 0;
  const firstPaths = new Set(firstLoad(outputs, main));
  for (const path of Object.keys(outputs)) {
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

const build = await context({
  absWorkingDir: HERE,
  entryPoints: ["src/main.tsx", "src/theme.ts"],
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  legalComments: "none",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  outdir: ASSETS,
  metafile: true,
  logLevel: "warning",
  plugins: [reporter],
});
if (watch) await build.watch();
else {
  await build.rebuild();
  await build.dispose();
}
