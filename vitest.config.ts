/** Three projects: `unit` needs nothing but Node, `servers` the real servers of test/servers, `alone` them and a quiet machine. Files named *.slow.test.ts are left out of `npm run check`, *.torture.test.ts of `npm test`. */
import { defineConfig } from "vitest/config";

/** The examples import this package by its name, as their readers do. */
const source = (file: string): string => new URL(`src/${file}`, import.meta.url).pathname;
const alias = [
  { find: /^stratus$/, replacement: source("index.ts") },
  { find: /^stratus\/(author)$/, replacement: source("$1.ts") },
  { find: /^stratus\/(wrappers|conformance|tokens|pool|repository)$/, replacement: source("$1/index.ts") },
  { find: /^stratus\/(memory|local|s3|webdav|dropbox|drive|sugarsync|plowshare)$/, replacement: source("providers/$1/index.ts") },
];

/** `--exclude` of the command line does not reach projects. */
const slow = process.env["STRATUS_QUICK"] === "1" ? ["test/**/*.slow.test.ts"] : [];
/** What takes longer: `npm run test:torture` asks for it. */
const deep = (process.env["STRATUS_TIER"] ?? "") === "" ? ["test/**/*.torture.test.ts"] : [];
/** What measures the memory of a process: by itself, for garbage is collected late where processors are busy. */
const alone = ["test/conformance/large/**/*.test.ts"];
const needServers = ["test/servers/**/*.test.ts", "test/conformance/**/*.test.ts", "test/**/*.server.test.ts", "test/**/*.server.torture.test.ts"];
const globalSetup = ["test/servers/global-setup.ts"];
/** The limits are for what hangs: a machine with two cores that runs everything at once is slow. */
const shared = { testTimeout: 120_000, hookTimeout: 120_000, pool: "forks" as const, setupFiles: ["test/setup.ts"] };

export default defineConfig({
  test: {
    projects: [
      { resolve: { alias }, test: { ...shared, name: "unit", include: ["test/**/*.test.ts"], exclude: [...needServers, ...slow, ...deep] } },
      { resolve: { alias }, test: { ...shared, name: "servers", include: needServers, exclude: [...alone, ...deep], globalSetup } },
      { resolve: { alias }, test: { ...shared, name: "alone", include: alone, globalSetup } },
    ],
  },
});
