/** How Dropbox refuses: unions of tags as JSON (409, 401, 429), plain text for calls that break the rules of a route (400). */

/** Thrown by routes, answered by the server. Source: dropbox.com/developers/documentation/http/documentation#error-handling */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  constructor(status: number, body: string, headers: Readonly<Record<string, string>>) {
    super(body);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

const JSON_TYPE = { "content-type": "application/json" };
type Union = Readonly<Record<string, unknown>>;

/** "path/conflict/file" as the nested unions of the API: `{ ".tag": "path", "path": { ".tag": "conflict", "conflict": { ".tag": "file" } } }`. */
export function union(tags: string, fields: Union = {}): Union {
  const [tag = "", ...rest] = tags.split("/");
  return rest.length === 0 ? { ".tag": tag, ...fields } : { ".tag": tag, [tag]: union(rest.join("/"), fields) };
}

/** Error of a route: 409. The summary ends in dots of any number, which no client may compare. */
export function refused(tags: string, error: Union = union(tags)): Refusal {
  return new Refusal(409, JSON.stringify({ error_summary: `${tags}/...`, error }), JSON_TYPE);
}

/** The upload routes put the write error beside its tag, under `reason` (UploadWriteFailed). */
export function uploadRefused(tags: string, session?: string): Refusal {
  return refused(`path/${tags}`, { ".tag": "path", reason: union(tags), upload_session_id: session ?? "none" });
}

export function unauthorised(tag: string, fields: Union = {}): Refusal {
  return new Refusal(401, JSON.stringify({ error_summary: `${tag}/...`, error: { ".tag": tag, ...fields } }), JSON_TYPE);
}

/** Source: #error-handling, 429; and developers.dropbox.com/dbx-performance-guide for the lock of a namespace. */
export function tooMany(reason: "too_many_requests" | "too_many_write_operations", seconds: number): Refusal {
  return new Refusal(429, JSON.stringify({ error_summary: `${reason}/...`, error: { reason: { ".tag": reason }, retry_after: seconds } }), {
    ...JSON_TYPE,
    "retry-after": String(seconds),
  });
}

/** 400 is for people: text, no JSON. */
export function badCall(route: string, what: string): Refusal {
  return new Refusal(400, `Error in call to API function "${route}": ${what}`, { "content-type": "text/plain; charset=utf-8" });
}
