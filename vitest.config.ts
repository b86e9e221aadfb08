/** Two projects: `unit` needs nothing but Node, `servers` the real servers of test/servers. Files named *.slow.test.ts are left out of `npm run check`. */
import { defineConfig } from "vitest/config";

const needServers = ["test/servers/**/*.test.ts", "test/conformance/**/*.test.ts", "test/**/*.server.test.ts"];
const shared = { testTimeout: 30_000, hookTimeout: 120_000, pool: "forks" as const };

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: "unit", include: ["test/**/*.test.ts"], exclude: needServers } },
      { test: { ...shared, name: "servers", include: needServers, globalSetup: ["test/servers/global-setup.ts"] } },
    ],
  },
});
