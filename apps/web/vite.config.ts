import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig(({ command }) => {
  // What is built is for use, whatever its builder's environment says: a test's would make it
  // React's own development version, and that would stay.
  if (command === "build") process.env["NODE_ENV"] = "production";
  return {
    root: import.meta.dirname,
    plugins: [react()],
    build: {
      outDir: "dist/page",
      emptyOutDir: true,
      target: "es2023",
      // Small pictures and fonts stay files: the page is cached once, and its policy forbids data:.
      assetsInlineLimit: 0,
    },
  };
});
