/** S3R31: where a configuration is looked for, what goes before what, and what is refused. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { Repository, repositoryConfiguration } from "../../src/repository/index.ts";
import type { ConfigurationLookup } from "../../src/repository/index.ts";
import { scratch } from "../scratch.ts";
import { failure } from "./lab.ts";

let base = "";
beforeEach(() => {
  base = mkdtempSync(join(scratch(), "configuration-"));
});
const put = (path: string, content: object | string): string => {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), typeof content === "string" ? content : JSON.stringify(content));
  return join(base, path);
};
const look = (environment: Record<string, string> = {}, more: ConfigurationLookup = {}) =>
  repositoryConfiguration({ environment, homeDirectory: join(base, "home"), systemDirectory: join(base, "etc"), ...more });
const at = (host: string): object => ({ catalogue: { sqlite: "repo.db" }, directory: "local", host });

test("S3R31 the first file of the order is taken whole, whatever the later ones say", async () => {
  expect(await failure(look())).toMatchObject({ code: "config", message: expect.stringContaining("STRATUS_REPOSITORY_CONFIG") });
  const system = put("etc/stratus/repository.json", { ...at("system"), graceMs: 5 });
  expect(await look()).toMatchObject({ file: system, options: { host: "system", graceMs: 5 } });
  const home = put("home/.config/stratus/repository.json", at("home"));
  expect(await look()).toMatchObject({ file: home, options: { host: "home" } });
  expect((await look()).options).not.toHaveProperty("graceMs");
  const xdg = put("xdg/stratus/repository.json", at("xdg"));
  expect(await look({ XDG_CONFIG_HOME: join(base, "xdg") })).toMatchObject({ file: xdg });
  expect(await look({ XDG_CONFIG_HOME: "relative" })).toMatchObject({ file: home });
  const named = put("named.json", at("named"));
  const environment = { STRATUS_REPOSITORY_CONFIG: named };
  expect(await look(environment)).toMatchObject({ file: named, options: { directory: join(base, "local") } });
  const given = put("given.json", at("given"));
  expect(await look(environment, { file: given })).toMatchObject({ file: given });
  // One that is named and missing is no reason to take another.
  expect(await failure(look({ STRATUS_REPOSITORY_CONFIG: join(base, "absent.json") }))).toMatchObject({ code: "config" });
  expect(await failure(look(environment, { file: join(base, "absent.json") }))).toMatchObject({ code: "config" });
});

test("S3R31 a variable goes before the file, and variables alone are enough", async () => {
  put("etc/stratus/repository.json", { ...at("file"), cacheLimitBytes: 1, offline: true });
  const environment = {
    STRATUS_REPOSITORY_HOST: "variable",
    STRATUS_REPOSITORY_CACHE_LIMIT_BYTES: "7",
    STRATUS_REPOSITORY_OFFLINE: "0",
    STRATUS_REPOSITORY_GRACE_MS: "",
  };
  expect(await look(environment)).toMatchObject({
    options: { host: "variable", cacheLimitBytes: 7, offline: false, directory: join(base, "etc/stratus/local") },
  });
  const postgres = await look({ STRATUS_REPOSITORY_POSTGRES: "postgres://u:secret-word@127.0.0.1:1/x" });
  expect(postgres.options.catalogue.kind).toBe("postgres");
  const alone = { STRATUS_REPOSITORY_SQLITE: join(base, "alone.db"), STRATUS_REPOSITORY_DIRECTORY: join(base, "alone") };
  const { options, file } = await look(alone, { systemDirectory: join(base, "nowhere") });
  expect(file).toBeNull();
  await using repo = await Repository.create({ ...options, store: memory() });
  expect(await repo.find()).toEqual([]);
});

test("S3R31 what is no configuration is refused, and nothing of it is shown", async () => {
  const wrong: readonly (object | string)[] = [
    "secret-word",
    "[]",
    "null",
    { ...at("x"), unknown: 1 },
    { ...at("x"), catalogue: { mysql: "secret-word" } },
    { ...at("x"), catalogue: "secret-word" },
    { ...at("x"), catalogue: {} },
    { ...at("x"), catalogue: { sqlite: "a", postgres: "postgres://u:secret-word@x/y" } },
    { ...at("x"), directory: undefined },
    { ...at("x"), host: 7 },
    { ...at("x"), graceMs: "soon secret-word" },
    { ...at("x"), offline: "secret-word" },
  ];
  for (const content of wrong) {
    const error: Error = await failure(look({}, { file: put("wrong.json", content) }));
    expect(error, JSON.stringify(content)).toMatchObject({ code: "config" });
    expect(error.stack + JSON.stringify(error) + String(error.cause)).not.toContain("secret-word");
  }
  expect(await failure(look({}, { file: base }))).toMatchObject({ code: "config" });
});
