/** Digest against the examples of RFC 7616, challenges, and how often wrong credentials are sent. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { authenticationOf } from "../../../src/providers/webdav/authentication.ts";
import { parseChallenges } from "../../../src/providers/webdav/challenge.ts";
import { digestOf, strongest } from "../../../src/providers/webdav/digest.ts";
import { settingsOf } from "../../../src/providers/webdav/options.ts";
import type { WebdavOptions } from "../../../src/providers/webdav/options.ts";

const CHALLENGE = 'Digest realm="dav", nonce="n1", qop="auth", algorithm=MD5';
const parts = (header: string): Record<string, string> => parseChallenges(header)[0]?.params ?? {};
const authentication = (options: Partial<WebdavOptions> = {}) =>
  authenticationOf(settingsOf({ url: "http://h/", username: "user", password: "pass", ...options }));

describe("digest", () => {
  test.each([
    ["MD5", "md5"],
    ["SHA-256", "sha256"],
  ] as const)("%s: the response is that of RFC 7616 3.9.1", (algorithm, hash) => {
    // The RFC's values, with the client nonce that this client drew.
    const challenge = parseChallenges(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
    )[0]!;
    const sent = parts(digestOf(challenge, "Mufasa", "Circle of Life", () => 0.5).authorize("GET", "/dir/index.html"));
    const h = (text: string): string => createHash(hash).update(text).digest("hex");
    const expected = h(
      `${h("Mufasa:http-auth@example.org:Circle of Life")}:${challenge.params["nonce"]}:00000001:${sent["cnonce"]}:auth:${h("GET:/dir/index.html")}`,
    );
    expect(sent).toMatchObject({
      username: "Mufasa",
      nc: "00000001",
      qop: "auth",
      uri: "/dir/index.html",
      response: expected,
      opaque: challenge.params["opaque"],
    });
  });

  test("the answer to a fixed client nonce is the RFC's own", () => {
    const h = (text: string): string => createHash("md5").update(text).digest("hex");
    const ha1 = h("Mufasa:http-auth@example.org:Circle of Life");
    expect(
      h(`${ha1}:7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:${h("GET:/dir/index.html")}`),
    ).toBe("8ca523f5e9506fed4657c9700eebdbec");
  });

  test("without qop it is that of RFC 2069, with -sess it hashes the nonces in", () => {
    const h = (text: string): string => createHash("md5").update(text).digest("hex");
    const old = parts(digestOf(parseChallenges('Digest realm="r", nonce="n"')[0]!, "u", "p", () => 0.5).authorize("PUT", "/x"));
    expect(old["response"]).toBe(h(`${h("u:r:p")}:n:${h("PUT:/x")}`));
    expect(old["nc"]).toBeUndefined();
    const session = parts(
      digestOf(parseChallenges('Digest realm="r", nonce="n", qop=auth, algorithm=MD5-sess')[0]!, "u", "p", () => 0.5).authorize("PUT", "/x"),
    );
    expect(session["response"]).toBe(h(`${h(`${h("u:r:p")}:n:${session["cnonce"]}`)}:n:00000001:${session["cnonce"]}:auth:${h("PUT:/x")}`));
  });

  test("every request has a count of its own (the package gives parallel requests one)", () => {
    const digest = digestOf(parseChallenges(CHALLENGE)[0]!, "u", "p", Math.random);
    const counts = Array.from({ length: 300 }, () => parts(digest.authorize("GET", "/"))["nc"]);
    expect(new Set(counts).size).toBe(300);
    expect(counts[255]).toBe("00000100");
  });

  test("the strongest challenge that can be answered is taken", () => {
    const all = parseChallenges(
      'Basic realm="a, b", Digest realm="d", nonce="1", algorithm=MD5, Digest realm="d", nonce="2", algorithm=SHA-256, qop="auth", Digest nonce="3", algorithm=SHA-512-256, Digest nonce="4", qop="auth-int"',
    );
    expect(all.map(({ scheme }) => scheme)).toEqual(["basic", "digest", "digest", "digest", "digest"]);
    expect(all[0]!.params).toEqual({ realm: "a, b" });
    expect(strongest(all)?.params["nonce"]).toBe("2");
    expect(strongest(all.slice(3))).toBeUndefined();
  });

  test("names in any script are sent as UTF-8", () => {
    const header = digestOf(parseChallenges(CHALLENGE)[0]!, "jürgen", 'p"ä', () => 0.5).authorize("GET", "/");
    expect(Buffer.from(header, "latin1").toString("utf8")).toContain('username="jürgen"');
  });
});

describe("who we are", () => {
  test("auto: nothing is sent before the server has said what it wants; digest is preferred to basic", () => {
    const auth = authentication();
    const first = auth.prove("GET", "/");
    expect(first.header).toBeUndefined();
    expect(auth.settled).toBe(false);
    expect(auth.challenged(first, `Basic realm="x", ${CHALLENGE}`)).toBe(true);
    expect(auth.prove("GET", "/").header).toMatch(/^Digest /);
  });

  test("auth digest never sends the password, auth basic sends it at once", () => {
    const digest = authentication({ auth: "digest" });
    expect(digest.challenged(digest.prove("GET", "/"), 'Basic realm="x"')).toBe(false);
    expect(authentication({ auth: "basic" }).prove("GET", "/").header).toBe("Basic dXNlcjpwYXNz");
  });

  test("basic: passwords beyond Latin-1 are UTF-8 (the package's encoder throws on them)", () => {
    const auth = authentication({ auth: "basic", password: "пароль €" });
    expect(Buffer.from(auth.prove("GET", "/").header!.slice(6), "base64").toString("utf8")).toBe("user:пароль €");
  });

  test("wrong credentials are sent once: afterwards calls fail without a request, until forgotten", () => {
    const auth = authentication({ auth: "basic" });
    const sent = auth.prove("GET", "/");
    expect(auth.challenged(sent, 'Basic realm="x"')).toBe(false);
    const error = auth.refused(new Error("401"));
    expect(error).toMatchObject({ code: "unauthenticated", applied: false });
    expect(() => auth.prove("GET", "/")).toThrow(error);
    auth.forget();
    expect(auth.prove("GET", "/").header).toMatch(/^Basic /);
  });

  test("credentials that were accepted before do not lock the store at a later refusal", () => {
    const auth = authentication({ auth: "basic" });
    const sent = auth.prove("GET", "/");
    auth.accepted(sent);
    auth.refused(new Error("401"));
    expect(auth.prove("GET", "/").header).toMatch(/^Basic /);
  });

  test("digest: the same user goes again only under a nonce that the server calls stale, or that somebody else has renewed", () => {
    const auth = authentication();
    auth.challenged(auth.prove("GET", "/"), CHALLENGE);
    const first = auth.prove("GET", "/");
    const second = auth.prove("GET", "/");
    expect(auth.challenged(first, CHALLENGE.replace("n1", "n2"))).toBe(false);
    expect(auth.challenged(first, `${CHALLENGE.replace("n1", "n2")}, stale=true`)).toBe(true);
    expect(auth.prove("GET", "/").nonce).toBe("n2");
    expect(auth.challenged(second, CHALLENGE.replace("n1", "n3"))).toBe(true);
    expect(auth.prove("GET", "/").nonce).toBe("n2");
  });

  test("digest: a server that was started again does not know its nonces, and need not call them stale", () => {
    const auth = authentication();
    auth.challenged(auth.prove("GET", "/"), CHALLENGE);
    auth.accepted(auth.prove("GET", "/"));
    expect(auth.challenged(auth.prove("GET", "/"), CHALLENGE.replace("n1", "n2"))).toBe(true);
    // This one was never taken: the credentials themselves are refused.
    expect(auth.challenged(auth.prove("GET", "/"), CHALLENGE.replace("n1", "n3"))).toBe(false);
  });

  test("digest: a nonce that nobody takes is not said for ever: who was let in before asks anew after a refusal", () => {
    const auth = authentication();
    auth.challenged(auth.prove("GET", "/"), CHALLENGE);
    auth.accepted(auth.prove("GET", "/"));
    // Somebody between says stale, and gives one that the server does not know.
    expect(auth.challenged(auth.prove("GET", "/"), `${CHALLENGE.replace("n1", "foreign")}, stale=true`)).toBe(true);
    expect(auth.challenged(auth.prove("GET", "/"), CHALLENGE.replace("n1", "n2"))).toBe(false);
    expect(auth.refused(new Error("401"))).toMatchObject({ code: "unauthenticated" });
    expect(auth.prove("GET", "/").header).toBeUndefined();
    expect(auth.challenged(auth.prove("GET", "/"), CHALLENGE.replace("n1", "n2"))).toBe(true);
    expect(auth.prove("GET", "/").nonce).toBe("n2");
  });

  test("no secret is in the error", () => {
    const error = authentication({ password: "hunter2" }).refused(new Error("401"));
    expect(JSON.stringify([error.message, error.reason, String(error.cause)])).not.toContain("hunter2");
  });
});
