import { readFileSync } from "node:fs";

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

// The licence of what is bundled travels with it.
function licenses(): Plugin {
  return {
    name: "sage-licenses",
    apply: "build",
    generateBundle() {
      this.emitFile({
        type: "asset",
        fileName: "licenses.md",
        source: "# noVNC\n\n" + readFileSync("node_modules/@novnc/novnc/LICENSE.txt", "utf8"),
      });
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
  plugins: [developmentBase(), licenses()],
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": "http://127.0.0.1:4024",
      "/stream": { target: "http://127.0.0.1:4024", ws: true },
    },
  },
});
