/** A CPU profile of this process, started and stopped while it runs (CF108): what Chrome, VS Code and speedscope open. */
import { writeFileSync } from "node:fs";
import type { Session } from "node:inspector/promises";

export class Profiler {
  #session: Session | undefined;
  #file = "";

  /** "" is off. What was running is written first. For its owner only: names of functions and files are nobody else's business. */
  async write(file: string): Promise<void> {
    if (file === this.#file) return;
    await this.stop();
    if (file === "") return;
    const { Session } = await import("node:inspector/promises");
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    this.#session = session;
    this.#file = file;
  }

  async stop(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const file = this.#file;
    this.#session = undefined;
    this.#file = "";
    try {
      const { profile } = await session.post("Profiler.stop");
      writeFileSync(file, JSON.stringify(profile), { mode: 0o600 });
    } finally {
      session.disconnect();
    }
  }
}
