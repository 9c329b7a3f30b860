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

export default defineConfig({
  // Relative, so that the built page also works below a path of a proxy.
  base: "./",
  build: {
    target: "es2022",
    // Inlined files would need `data:` in more places of the content policy.
    assetsInlineLimit: 0,
    // The licences of what is bundled travel with it.
    license: { fileName: "licenses.md" },
    modulePreload: { polyfill: false },
  },
  plugins: [developmentBase()],
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": "http://127.0.0.1:4024",
      "/stream": { target: "http://127.0.0.1:4024", ws: true },
    },
  },
});
