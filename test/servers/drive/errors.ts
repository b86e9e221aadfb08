/** Refusals as Drive words them: status, `reason`, and where it was (developers.google.com/workspace/drive/api/guides/handle-errors). */

export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  readonly location: { readonly location: string; readonly locationType: string } | undefined;
  /** More headers of the answer: Retry-After and the like. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    reason: string,
    message: string,
    more: { readonly parameter?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.location = more.parameter === undefined ? undefined : { location: more.parameter, locationType: "parameter" };
    this.headers = more.headers ?? {};
  }

  body(): string {
    const domain = /RateLimit|dailyLimit/i.test(this.reason) ? "usageLimits" : "global";
    const errors = [{ domain, reason: this.reason, message: this.message, ...this.location }];
    return JSON.stringify({ error: { errors, code: this.status, message: this.message } });
  }
}

export const notFound = (id: string): Refusal => new Refusal(404, "notFound", `File not found: ${id}.`, { parameter: "fileId" });
export const invalid = (parameter: string, message = "Invalid Value"): Refusal => new Refusal(400, "invalid", message, { parameter });
export const badRequest = (message: string): Refusal => new Refusal(400, "badRequest", message);
export const forbidden = (reason: string, message: string): Refusal => new Refusal(403, reason, message);
export const unauthorized = (): Refusal =>
  new Refusal(401, "authError", "Invalid Credentials", {
    headers: { "www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
  });
