/** Stop, pause and resume over a home: the same for every server. */
import type { Connection, Control } from "./connection.ts";
import type { Home, Started } from "./home.ts";

/** `front` are the processes that talk to clients; pausing stops them and what they started. */
export function control<C extends Connection>(connection: C, home: Home, front: readonly Started[]): C & Control {
  return {
    ...connection,
    stop: async () => home.close(),
    pause: async () => home.signal("SIGSTOP", ...front),
    resume: async () => home.signal("SIGCONT", ...front),
    [Symbol.asyncDispose]: async () => home.close(),
  };
}

/** Only the data of a server, to be sent to another process. */
export function connectionOf(server: Connection & Partial<Control>): Connection {
  return JSON.parse(JSON.stringify(server)) as Connection;
}
