/** Helpers of bugs that change bytes: the whole body in, other bytes out. */
import { bytesFrom, calls } from "../../store/index.ts";
import type { Backend, ByteStream, Entry, ReadReply, WriteCall } from "../../store/index.ts";

/** Everything that the body gives before its end or its error. */
export async function collected(call: WriteCall): Promise<{ readonly bytes: Uint8Array; readonly error: unknown }> {
  const chunks: Uint8Array[] = [];
  await using stream = call.body.open();
  try {
    for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) chunks.push(chunk.slice());
    return { bytes: Buffer.concat(chunks), error: undefined };
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
}

/** The same call with these bytes instead. */
export function withBytes(call: WriteCall, bytes: Uint8Array): WriteCall {
  return { ...call, expect: undefined, body: calls.write(call.path, bytes).body };
}

/** A write that stores what `change` makes of the body. */
export function changing(
  inner: Backend,
  change: (bytes: Uint8Array, call: WriteCall) => Uint8Array | Promise<Uint8Array>,
): (call: WriteCall) => Promise<Entry> {
  return async (call) => {
    const { bytes, error } = await collected(call);
    if (error !== undefined) throw error;
    return inner.write(withBytes(call, await change(bytes, call)));
  };
}

/** The same reply with these bytes instead. */
export function replyWith(reply: ReadReply, bytes: Uint8Array): ReadReply {
  return { ...reply, body: bytesFrom(bytes) };
}

/** All bytes of a reply, whose own stream is at its end afterwards. */
export async function drained(body: ByteStream): Promise<Uint8Array> {
  return (await body.all()).slice();
}

/** What is at a path now, or undefined. */
export async function now(inner: Backend, call: Pick<WriteCall, "path" | "signal">): Promise<Entry | undefined> {
  return await inner.stat({ operation: "stat", path: call.path, signal: call.signal, detail: "full", fresh: true }).catch(() => undefined);
}

/** The bytes at a path now; nothing where nothing is. */
export async function contents(inner: Backend, call: Pick<WriteCall, "path" | "signal">): Promise<Uint8Array> {
  if ((await now(inner, call))?.kind !== "file") return new Uint8Array();
  return await drained((await inner.read(calls.read(call.path))).body);
}
