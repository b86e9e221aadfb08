/** Questions to the person at the terminal; answers that are secrets are not shown, and never come as arguments, which others see in the process list. */
import { createInterface } from "node:readline";
import { UsageError } from "./usage.ts";

export interface Ask {
  (question: string, options?: { readonly hidden?: boolean }): Promise<string>;
}

/** Asks on stderr, reads from stdin: a terminal without echo, or a line of a pipe. */
export function askOn(input: NodeJS.ReadStream, output: NodeJS.WritableStream): Ask & { close(): void } {
  let lines: AsyncIterator<string> | undefined;
  let reader: ReturnType<typeof createInterface> | undefined;
  const line = async (): Promise<string> => {
    if (lines === undefined) {
      reader = createInterface({ input, terminal: false });
      lines = reader[Symbol.asyncIterator]();
    }
    const next = await lines.next();
    if (next.done === true) throw new UsageError("the input ended before everything was answered");
    return next.value;
  };
  const ask: Ask = async (question, { hidden = false } = {}) => {
    output.write(`${question}: `);
    if (input.isTTY) return typed(input, output, hidden);
    const answer = await line();
    output.write("\n");
    return answer;
  };
  return Object.assign(ask, { close: () => reader?.close() });
}

/** Key by key: the terminal shows nothing by itself in raw mode. */
function typed(input: NodeJS.ReadStream, output: NodeJS.WritableStream, hidden: boolean): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    const end = (finish: () => void): void => {
      input.off("data", key).setRawMode(false).pause();
      output.write("\n");
      finish();
    };
    const key = (data: Buffer): void => {
      for (const char of data.toString("utf8")) {
        if (char === "\r" || char === "\n") return end(() => done(text));
        // Ctrl-C and Ctrl-D.
        if (char === "\u0003" || char === "\u0004") return end(() => fail(new UsageError("given up")));
        if (char === "\u007f" || char === "\b") {
          if (!hidden && text !== "") output.write("\b \b");
          text = Array.from(text).slice(0, -1).join("");
        } else if (char >= " ") {
          text += char;
          if (!hidden) output.write(char);
        }
      }
    };
    input.setRawMode(true).resume().on("data", key);
  });
}
