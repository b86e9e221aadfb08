/** SugarSync's sign-in: the user's name and password for a refresh token, once. The password is kept nowhere. */
import { StoreError } from "../store/index.ts";
import type { Credentials } from "../tokens/index.ts";
import type { Ask } from "./auth-prompt.ts";

export const SUGARSYNC_URL = "https://api.sugarsync.com";

export async function signInToSugarSync(ask: Ask, fetch: typeof globalThis.fetch, url: string, signal: AbortSignal): Promise<Credentials["sugarsync"]> {
  const application = await ask("Application id (/sc/…)", { hidden: true });
  const accessKeyId = await ask("Access key id", { hidden: true });
  const privateAccessKey = await ask("Private access key", { hidden: true });
  const username = await ask("User name (e-mail address)");
  const password = await ask("Password", { hidden: true });
  const fields = { username, password, application, accessKeyId, privateAccessKey };
  for (const [name, value] of Object.entries(fields)) if (value === "") throw new StoreError("config", `${name} is missing`);
  const inner = Object.entries(fields).map(([name, value]) => `<${name}>${escaped(value)}</${name}>`);
  const answer = await fetch(`${url}/app-authorization`, {
    method: "POST",
    headers: { "content-type": "application/xml; charset=UTF-8" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<appAuthorization>${inner.join("")}</appAuthorization>`,
    redirect: "error",
    signal,
  });
  await answer.arrayBuffer();
  if (answer.status === 401 || answer.status === 403)
    throw new StoreError("unauthenticated", "SugarSync does not know this user, password or application", { status: answer.status });
  const refreshToken = answer.headers.get("location");
  if (answer.status !== 201 || refreshToken === null)
    throw new StoreError("unavailable", `SugarSync answers ${answer.status} and gives no token`, { status: answer.status });
  return { accessKeyId, privateAccessKey, refreshToken };
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
}
