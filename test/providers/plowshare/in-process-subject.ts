/** Three hosts, two copies each, and commands that are answered in this process: the store itself in full, without the price of processes. */
import type { Subject } from "../../../src/conformance/index.ts";
import { inProcess } from "../../servers/plowshare/in-process.ts";
import { plowshareSubject } from "./subject.ts";

export const inProcessSubject = (more: Partial<Subject> = {}): Subject =>
  plowshareSubject({ name: "plowshare, commands in process", ...more }, { copies: 2, minCopies: 2 }, { alpha: {}, beta: {}, gamma: {} }, inProcess);
