import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: "dist/page",
    emptyOutDir: true,
    target: "es2023",
    // Small pictures and fonts stay files: the page is cached once, and its policy forbids data:.
    assetsInlineLimit: 0,
  },
});
