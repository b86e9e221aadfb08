/**
 * The API of Drive, call by call: requests are put together by the package @googleapis/drive, and sent by `transmit`.
 *
 * The package's own transport sends GET, PUT and DELETE again by itself, never heeds Retry-After, takes a cut answer for a success with a text instead
 * of an object, and sends uploads to Google's own host whatever `rootUrl` says. So only its knowledge of the API is used here (decisions/0065).
 */
import { StoreError, undone } from "../../store/index.ts";
import { errorOf } from "./errors.ts";
import type { Settings } from "./options.ts";
import { FIELDS } from "./resource.ts";
import type { DriveFile } from "./resource.ts";
import { loadDrive } from "./sdk.ts";
import type { DriveClient, Prepared, Sent } from "./sdk.ts";
import { Tokens } from "./tokens.ts";
import { close, textOf, transmit } from "./transmit.ts";
import type { Answer, Request } from "./transmit.ts";

export type Signal = AbortSignal | undefined;
export interface FilePage {
  readonly files: readonly DriveFile[];
  readonly nextPageToken?: string;
}
/** What may be said of a file when it is made or changed; null takes a property away. */
export interface FileBody {
  readonly id?: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly parents?: readonly string[];
  readonly modifiedTime?: string;
  readonly trashed?: boolean;
  readonly appProperties?: Readonly<Record<string, string | null>>;
}
export interface Placement {
  readonly addParents?: string;
  readonly removeParents?: string;
}

const LIST_FIELDS = `nextPageToken,incompleteSearch,files(${FIELDS})`;

export class Api {
  readonly #settings: Settings;
  readonly #client: DriveClient;
  readonly tokens: Tokens;
  readonly #options: { readonly rootUrl: string };

  private constructor(settings: Settings, make: (sender: { request(options: Prepared): Promise<Sent> }) => DriveClient) {
    this.#settings = settings;
    this.tokens = new Tokens(settings);
    this.#client = make({ request: (prepared) => this.#sent(prepared) });
    // In the options of each call as well: those of the client alone are not heeded by every kind of call.
    this.#options = { rootUrl: settings.rootUrl };
  }

  static async open(settings: Settings): Promise<Api> {
    const sdk = await loadDrive();
    return new Api(settings, (auth) => sdk.drive({ version: "v3", rootUrl: settings.rootUrl, auth }));
  }

  async list(
    q: string,
    more: { readonly pageSize: number; readonly pageToken?: string | undefined; readonly orderBy?: string },
    signal: Signal,
  ): Promise<FilePage> {
    const { driveId } = this.#settings;
    const where = driveId === undefined ? { spaces: "drive" } : { corpora: "drive", driveId };
    const params = { q, fields: LIST_FIELDS, supportsAllDrives: true, includeItemsFromAllDrives: true, ...where, ...more };
    const page = (await this.#ask("list", params, signal)) as Partial<FilePage> & { incompleteSearch?: boolean };
    if (!Array.isArray(page.files)) throw malformed(false);
    // Drive says itself that files may be missing: a listing without them would be taken for all.
    if (page.incompleteSearch === true) throw new StoreError("unavailable", "Drive says that its search was not complete", { applied: false });
    return page as FilePage;
  }

  async get(fileId: string, signal: Signal): Promise<DriveFile> {
    return fileOf(await this.#ask("get", { fileId, fields: FIELDS, supportsAllDrives: true }, signal), false);
  }

  async create(requestBody: FileBody, signal: Signal): Promise<DriveFile> {
    return fileOf(await this.#ask("create", { requestBody, fields: FIELDS, supportsAllDrives: true }, signal));
  }

  async update(fileId: string, requestBody: FileBody, signal: Signal, placement: Placement = {}): Promise<DriveFile> {
    return fileOf(await this.#ask("update", { fileId, requestBody, fields: FIELDS, supportsAllDrives: true, ...placement }, signal));
  }

  async copy(fileId: string, requestBody: FileBody, signal: Signal): Promise<DriveFile> {
    return fileOf(await this.#ask("copy", { fileId, requestBody, fields: FIELDS, supportsAllDrives: true }, signal));
  }

  async delete(fileId: string, signal: Signal): Promise<void> {
    await this.#ask("delete", { fileId, supportsAllDrives: true }, signal);
  }

  async generateIds(count: number, signal: Signal): Promise<readonly string[]> {
    const { ids } = (await this.#ask("generateIds", { count, space: "drive", fields: "ids" }, signal)) as { ids?: unknown };
    if (!Array.isArray(ids) || ids.length === 0 || ids.some((id) => typeof id !== "string")) throw malformed(false);
    return ids as string[];
  }

  async about(fields: string, signal: Signal): Promise<Readonly<Record<string, unknown>>> {
    const { data } = await this.#client.about.get({ fields }, this.#given(signal));
    return data as Record<string, unknown>;
  }

  /** A request of our own making below the root of the API, or to the place of an upload session, with a token. Any status is an answer. */
  async send(request: Request): Promise<Answer> {
    const authorize = new URL(request.url).origin === new URL(this.#settings.rootUrl).origin;
    if (!authorize) return transmit(this.#settings, request);
    const token = await this.tokens.get(request.signal);
    const withToken = (text: string): Request => ({ ...request, headers: { ...request.headers, authorization: `Bearer ${text}` } });
    const answer = await transmit(this.#settings, withToken(token));
    if (answer.response.status !== 401) return answer;
    const text = await textOf(answer);
    const another = await this.tokens.another(token, request.signal);
    if (another === undefined) throw errorOf(401, answer.response.headers, text);
    return transmit(this.#settings, withToken(another));
  }

  /** The same where only success is an answer: its text. */
  async text(request: Request): Promise<{ readonly text: string; readonly response: Response }> {
    try {
      const answer = await this.send(request);
      const text = await textOf(answer);
      const { response } = answer;
      if (response.status < 200 || response.status >= 300) throw errorOf(response.status, response.headers, text);
      return { text, response };
    } catch (error) {
      throw request.changes ? error : undone(error, request.signal);
    }
  }

  get rootUrl(): string {
    return this.#settings.rootUrl;
  }

  #given(signal: Signal): { readonly rootUrl: string; readonly signal?: AbortSignal } {
    return signal === undefined ? this.#options : { ...this.#options, signal };
  }

  async #ask(method: keyof DriveClient["files"], params: Readonly<Record<string, unknown>>, signal: Signal): Promise<unknown> {
    return (await this.#client.files[method](params, this.#given(signal))).data;
  }

  async #sent({ url, method = "GET", params, paramsSerializer, data, signal }: Prepared): Promise<Sent> {
    const query = params === undefined || paramsSerializer === undefined ? "" : paramsSerializer(params);
    const changes = method !== "GET";
    const { text, response } = await this.text({
      method,
      url: query === "" ? url : `${url}?${query}`,
      headers: { accept: "application/json", ...(data === undefined ? {} : { "content-type": "application/json; charset=UTF-8" }) },
      ...(data === undefined ? {} : { body: JSON.stringify(data) }),
      signal,
      changes,
    });
    const empty = text === "" && (response.status === 204 || method === "DELETE");
    const said = empty ? {} : jsonOf(text, changes ? "unknown" : false);
    return { status: response.status, statusText: response.statusText, headers: response.headers, data: said };
  }
}

/** @throws StoreError `unavailable` for an answer that is cut off, or a page that something in front of the service made. */
export function jsonOf(text: string, applied: false | "unknown" = "unknown"): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw malformed(applied);
}

export function fileOf(value: unknown, applied: false | "unknown" = "unknown"): DriveFile {
  const file = value as Partial<DriveFile>;
  if (typeof file.id !== "string" || typeof file.name !== "string" || typeof file.mimeType !== "string") throw malformed(applied);
  return file as DriveFile;
}

function malformed(applied: false | "unknown"): StoreError {
  return new StoreError("unavailable", "the answer is not Drive's, or only a part of it", { applied });
}

export { close, textOf };
