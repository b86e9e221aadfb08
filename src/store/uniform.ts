/** The one hook for layers that treat all operations alike, and the watch that sees a call to the end of its body. */
import type { Backend } from "./backend.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Entry } from "./entry.ts";
import { watchSource } from "./map-source.ts";
import type {
  AccountCall,
  Calls,
  CopyCall,
  DeleteCall,
  ListCall,
  MkdirCall,
  MoveCall,
  Operation,
  Page,
  ReadCall,
  ReadReply,
  Replies,
  SpaceCall,
  StatCall,
  WriteCall,
} from "./operations.ts";
import type { Account, Space } from "./options.ts";

export type Next<O extends Operation> = (call: Calls[O]) => Promise<Replies[O]>;
/**
 * A uniform layer. `around` sees all ten operations, a future one too; it may wait, change the call, call `next` never or several times, or throw.
 * A member named after an operation takes its place for that operation, where its reply matters (resuming a read).
 */
export type Hook = {
  around<O extends Operation>(call: Calls[O], next: Next<O>): Promise<Replies[O]>;
} & { readonly [O in Operation]?: (call: Calls[O], next: Next<O>) => Promise<Replies[O]> };

type Table = { readonly [O in Operation]: Next<O> };

/** With the capabilities of `inner`. A layer whose capabilities differ, or that changes an entry, a path or a byte, is not uniform: it is a class that implements Backend. */
export function uniform(inner: Backend, hook: Hook): Backend {
  const through = <O extends Operation>(operation: O, next: Next<O>): Next<O> => {
    const own = hook[operation] as ((call: Calls[O], next: Next<O>) => Promise<Replies[O]>) | undefined;
    // A hook that throws at once is a promise that rejects, as the layer above expects it.
    return (call) => {
      try {
        return own === undefined ? hook.around(call, next) : own.call(hook, call, next);
      } catch (error) {
        return Promise.reject(error);
      }
    };
  };
  // An operation that is missing here does not compile.
  const table: Table = {
    stat: through("stat", (call) => inner.stat(call)),
    read: through("read", (call) => inner.read(call)),
    write: through("write", (call) => inner.write(call)),
    list: through("list", (call) => inner.list(call)),
    delete: through("delete", (call) => inner.delete(call)),
    mkdir: through("mkdir", (call) => inner.mkdir(call)),
    copy: through("copy", (call) => inner.copy(call)),
    move: through("move", (call) => inner.move(call)),
    space: through("space", (call) => inner.space(call)),
    account: through("account", (call) => inner.account(call)),
  };
  return new Uniform(inner.capabilities, table);
}

class Uniform implements Backend {
  readonly capabilities: Capabilities;
  readonly #table: Table;
  constructor(capabilities: Capabilities, table: Table) {
    this.capabilities = capabilities;
    this.#table = table;
  }
  stat(call: StatCall): Promise<Entry> {
    return this.#table.stat(call);
  }
  read(call: ReadCall): Promise<ReadReply> {
    return this.#table.read(call);
  }
  write(call: WriteCall): Promise<Entry> {
    return this.#table.write(call);
  }
  list(call: ListCall): Promise<Page> {
    return this.#table.list(call);
  }
  delete(call: DeleteCall): Promise<void> {
    return this.#table.delete(call);
  }
  mkdir(call: MkdirCall): Promise<Entry> {
    return this.#table.mkdir(call);
  }
  copy(call: CopyCall): Promise<Entry> {
    return this.#table.copy(call);
  }
  move(call: MoveCall): Promise<Entry> {
    return this.#table.move(call);
  }
  space(call: SpaceCall): Promise<Space> {
    return this.#table.space(call);
  }
  account(call: AccountCall): Promise<Account> {
    return this.#table.account(call);
  }
}

export interface CallObserver {
  up?(bytes: Uint8Array): void | Promise<void>;
  down?(bytes: Uint8Array): void | Promise<void>;
  end?(outcome: { readonly bytesUp: number; readonly bytesDown: number; readonly complete: boolean; readonly error: unknown }): void;
}

/**
 * Runs `next` and watches the call to its very end: the bytes going up or coming down, and `end` exactly once, when the promise failed, when a
 * reply without a body arrived, or when the body of a read was read to its end, failed or was closed. What holds a permit, a span or a timer lets go there.
 */
export async function observe<O extends Operation>(call: Calls[O], next: Next<O>, observer: CallObserver): Promise<Replies[O]> {
  let bytesUp = 0;
  let reply: Replies[O];
  try {
    reply = await next(call.operation === "write" ? (watchUp(call, observer, (bytes) => void (bytesUp += bytes)) as Calls[O]) : call);
  } catch (error) {
    observer.end?.({ bytesUp, bytesDown: 0, complete: false, error });
    throw error;
  }
  if (call.operation !== "read") {
    observer.end?.({ bytesUp, bytesDown: 0, complete: true, error: undefined });
    return reply;
  }
  const { body } = reply as ReadReply;
  try {
    body.observe({
      ...(observer.down === undefined ? undefined : { chunk: (bytes: Uint8Array) => observer.down?.(bytes) }),
      end: ({ bytes, complete, error }) => observer.end?.({ bytesUp, bytesDown: bytes, complete, error }),
    });
  } catch (error) {
    // One that is over already, or was read in part below: nobody would ever be told of its end.
    observer.end?.({ bytesUp, bytesDown: 0, complete: false, error });
    await body.close();
    throw error;
  }
  return reply;
}

function watchUp(call: WriteCall, observer: CallObserver, count: (bytes: number) => void): WriteCall {
  const view = {
    chunk(bytes: Uint8Array): void | Promise<void> {
      count(bytes.byteLength);
      return observer.up?.(bytes);
    },
  };
  return { ...call, body: watchSource(call.body, () => view) };
}
