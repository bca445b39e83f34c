/// Runs the tests of the pure modules: bundles each `*.test.ts` with esbuild, then `node --test` on the results.

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "aim-ui-test-"));
const entryPoints = readdirSync(HERE)
  .filter((name) => name.endsWith(".test.ts") || name.endsWith(".test.tsx"))
  .map((name) => join(HERE, name));
try {
  await build({
    entryPoints,
    outdir: out,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    jsx: "automatic",
    jsxImportSource: "preact",
    outExtension: { ".js": ".mjs" },
    define: { UI_ROOT: JSON.stringify(join(HERE, "..")) },
    sourcemap: "inline",
    logLevel: "warning",
  });
  const files = readdirSync(out).map((name) => join(out, name));
  process.exitCode =
    spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-timeout=60000", ...files], {
      stdio: "inherit",
    }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
