import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// What the api serves from its own binary. __NONCE__ is replaced in every answer (designer.go): style sheets that libraries make need it.
export default defineConfig({
  plugins: [react()],
  html: { cspNonce: "__NONCE__" },
  build: { outDir: "dist", emptyOutDir: false, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
