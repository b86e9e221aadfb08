/** For `node --import`: the package's own sources under its name, and every request to one of the services in the variable EMULATORS to its emulator. */
import { registerHooks } from "node:module";

const source = new URL("../../src/", import.meta.url);
const emulators = JSON.parse(process.env["EMULATORS"] ?? "{}") as Readonly<Record<string, string>>;

registerHooks({
  resolve(asked, context, next) {
    const [, name] = /^stratus(?:\/([a-z]+))?$/.exec(asked) ?? [];
    if (!/^stratus(?:\/|$)/.test(asked)) return next(asked, context);
    const file = name === undefined ? "index.ts" : /^(wrappers|tokens|conformance)$/.test(name) ? `${name}/index.ts` : `providers/${name}/index.ts`;
    return next(new URL(file, source).href, context);
  },
});

const through = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url);
  const emulator = emulators[url.origin];
  if (emulator === undefined) throw new TypeError(`this test goes to emulators, not to ${url.origin}`);
  return through(emulator + url.pathname + url.search, init);
};
