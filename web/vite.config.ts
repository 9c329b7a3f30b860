import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { defineConfig, type Plugin } from "vite";

// In development the page always lives at "/", whatever address was opened;
// in production the server writes the right base into the document.
function developmentBase(): Plugin {
  return {
    name: "sage-development-base",
    apply: "serve",
    transformIndexHtml: (html) => html.replace('<base href="./">', '<base href="/">'),
  };
}

const bundled = [
  { name: "noVNC", file: "@novnc/novnc/LICENSE.txt" },
  { name: "Preact", file: "preact/LICENSE" },
];

// The licences of what is bundled travel with it.
function licenses(): Plugin {
  return {
    name: "sage-licenses",
    apply: "build",
    generateBundle() {
      this.emitFile({
        type: "asset",
        fileName: "licenses.md",
        source: bundled.map(({ name, file }) => `# ${name}\n\n${readFileSync(`node_modules/${file}`, "utf8")}`).join("\n"),
      });
    },
  };
}

// Compressed once, as well as can be, and not on every request.
function precompressed(): Plugin {
  return {
    name: "sage-precompressed",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const file of Object.values(bundle)) {
          if (!/^assets\/.*\.(js|css|svg)$/.test(file.fileName)) continue;
          const content = Buffer.from(file.type === "chunk" ? file.code : file.source);
          const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: brotli });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzipSync(content, { level: 9 }) });
        }
      },
    },
  };
}

export default defineConfig({
  // Relative, so that the built page also works below a path of a proxy.
  base: "./",
  build: {
    target: "es2022",
    // Inlined files would need `data:` in more places of the content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [developmentBase(), licenses(), precompressed()],
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": "http://127.0.0.1:4024",
      "/readyz": "http://127.0.0.1:4024",
      "/stream": { target: "http://127.0.0.1:4024", ws: true },
    },
  },
});
