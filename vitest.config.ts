/** Two projects: `unit` needs nothing but Node, `servers` the real servers of test/servers. Files named *.slow.test.ts are left out of `npm run check`. */
import { defineConfig } from "vitest/config";

/** The examples import this package by its name, as their readers do. */
const source = (file: string): string => new URL(`src/${file}`, import.meta.url).pathname;
const alias = [
  { find: /^stratus$/, replacement: source("index.ts") },
  { find: /^stratus\/(author)$/, replacement: source("$1.ts") },
  { find: /^stratus\/(wrappers|conformance)$/, replacement: source("$1/index.ts") },
  { find: /^stratus\/(memory|local|s3|webdav|plowshare)$/, replacement: source("providers/$1/index.ts") },
];

/** `--exclude` of the command line does not reach projects. */
const slow = process.env["STRATUS_QUICK"] === "1" ? ["test/**/*.slow.test.ts"] : [];
const needServers = ["test/servers/**/*.test.ts", "test/conformance/**/*.test.ts", "test/**/*.server.test.ts"];
/** The limits are for what hangs: a machine with two cores that runs everything at once is slow. */
const shared = { testTimeout: 120_000, hookTimeout: 120_000, pool: "forks" as const };

export default defineConfig({
  test: {
    projects: [
      { resolve: { alias }, test: { ...shared, name: "unit", include: ["test/**/*.test.ts"], exclude: [...needServers, ...slow] } },
      { resolve: { alias }, test: { ...shared, name: "servers", include: needServers, globalSetup: ["test/servers/global-setup.ts"] } },
    ],
  },
});
