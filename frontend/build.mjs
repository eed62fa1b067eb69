// Bundles scripts, styles and icons of the console into mendline/web/static/dist. `npm run build`, or `-- --watch`.
import { build, context } from "esbuild";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { PurgeCSS } from "purgecss";
import { writeShapes } from "./geo.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const out = join(root, "mendline/web/static/dist");
const require = createRequire(import.meta.url);

/** One SVG with a symbol for every icon that the templates name; Tabler's icon font would be 495 kB. */
async function iconSprite() {
  const names = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(require.resolve(`@tabler/icons/outline/${name}.svg`), "utf8");
      const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).trim();
      return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ")}</symbol>`;
    }),
  );
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
  await writeFile(join(out, "icons.svg"), sprite);
}

/** Two copies of htmx mean events that half the page does not hear. */
function refuseTwoCopiesOf(name, metafile) {
  const folders = new Set(
    Object.keys(metafile.inputs)
      .map((path) => path.match(new RegExp(`^.*node_modules/${name.replace(".", "\\.")}/`))?.[0])
      .filter(Boolean),
  );
  if (folders.size > 1) throw new Error(`${name} is bundled ${folders.size} times: ${[...folders].join(", ")}`);
}

/** Styles of the kit that nothing names are left out: a third stays, and it is the first thing loaded. Ours all stay. */
async function leaveOutWhatNobodyNames(file) {
  const [found] = await new PurgeCSS().purge({
    css: [{ raw: await readFile(file, "utf8") }],
    content: [
      join(root, "mendline/web/**/*.{html,py}"),
      join(here, "{src,styles}/*.{ts,css}"),
      join(root, "node_modules/bootstrap/js/src/{base-component,alert,collapse,dropdown,toast}.js"),
    ],
    defaultExtractor: (text) => text.match(/[\w-]+/g) ?? [],
    safelist: { greedy: [/^(alert|text-bg)-/, /data-bs-theme/] }, // put together from a tone, or set by a script
  });
  await writeFile(file, found.css);
}

/** Write a compressed copy beside every text, which whoever serves the folder sends to browsers that take it. */
async function compressTexts() {
  const files = await readdir(out, { recursive: true });
  for (const file of files.filter((name) => /\.(js|css|svg|json)$/.test(name))) {
    await writeFile(join(out, `${file}.gz`), gzipSync(await readFile(join(out, file)), { level: 9 }));
  }
}

const options = {
  absWorkingDir: root,
  entryPoints: {
    console: join(here, "src/console.ts"),
    theme: join(here, "src/theme.ts"),
    styles: join(here, "styles/console.css"),
    print: join(here, "styles/print.css"),
    map: join(here, "src/map.ts"),
    charts: join(here, "src/charts.ts"),
    figures: join(here, "styles/figures.css"),
    report: join(here, "styles/report.css"),
    network: join(here, "styles/network.css"),
  },
  outdir: out,
  bundle: true,
  loader: { ".png": "dataurl" }, // the map's library brings pictures of markers
  minify: true,
  format: "iife",
  target: ["es2021", "chrome111", "firefox121", "safari16"],
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await iconSprite();
await writeShapes(root, out);
if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  const { metafile } = await build(options);
  refuseTwoCopiesOf("htmx.org", metafile);
  await leaveOutWhatNobodyNames(join(out, "styles.css"));
  await compressTexts();
}
