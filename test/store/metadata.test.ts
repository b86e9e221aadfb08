/** What a store keeps of the caller's metadata: a copy that nobody can change any more. */
import { expect, test } from "vitest";
import { calls, parsePath } from "../../src/store/index.ts";

test("the metadata of a call is a frozen copy, so that stores may keep it and hand it out again", () => {
  const mine = { colour: "green" };
  const { metadata } = calls.write(parsePath("/a"), "body", { metadata: mine });
  mine.colour = "red";
  expect(metadata).toEqual({ colour: "green" });
  expect(Object.isFrozen(metadata)).toBe(true);
  expect(() => Object.assign(metadata ?? {}, { colour: "blue" })).toThrow(TypeError);
});
