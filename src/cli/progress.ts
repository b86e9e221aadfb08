/** Progress of a conformance run: one line that is written over on a terminal, a line per group elsewhere, failures as they come. */
import { groups, isGood } from "../conformance/index.ts";
import type { Outcome, Progress } from "../conformance/index.ts";
import { cutTo, paintFor } from "./terminal.ts";

export interface ProgressBar {
  show(event: Progress): void;
  end(): void;
}

const signs: Readonly<Record<Outcome["status"], string>> = { pass: "✓", refused: "○", xfail: "△", fail: "✗", xpass: "!", "infra-error": "?" };

export function progressBar(stream: NodeJS.WriteStream, options: { readonly limit?: number | undefined } = {}): ProgressBar {
  const paint = paintFor(stream);
  const live = stream.isTTY;
  let bad = 0;
  let group: string | undefined;
  let inGroup = { good: 0, bad: 0 };
  const started = performance.now();

  const clear = (): void => void (live && stream.write("\r\u001b[2K"));
  const endGroup = (): void => {
    if (group === undefined || live) return;
    stream.write(`${inGroup.bad === 0 ? "✓" : "✗"} ${group}: ${inGroup.good} of ${inGroup.good + inGroup.bad} as declared\n`);
  };
  return {
    show({ done, total, item, outcome, spent }) {
      const name = `${groups.find((one) => one.name === item.group)?.title ?? item.group}${item.stack === null ? "" : ` under ${item.stack}`}`;
      if (name !== group) {
        endGroup();
        group = name;
        inGroup = { good: 0, bad: 0 };
      }
      if (outcome !== undefined) {
        if (isGood(outcome.status)) inGroup.good += 1;
        else {
          inGroup.bad += 1;
          bad += 1;
          clear();
          stream.write(
            `${paint(["red", "bold"], signs[outcome.status])} ${outcome.check}${item.stack === null ? "" : ` under ${item.stack}`}: ${outcome.title}\n`,
          );
        }
      }
      if (!live) return;
      const width = stream.columns;
      const filled = Math.round((done / total) * 24);
      const budget = spent === undefined ? "" : ` · ${spent}${options.limit === undefined ? "" : ` of ${options.limit}`} requests`;
      const plain = ` ${done}/${total}${bad === 0 ? "" : ` · ${bad} failed`}${budget} · ${Math.round((performance.now() - started) / 1000)} s · ${item.check.id}`;
      clear();
      stream.write(`${paint(bad === 0 ? "green" : "red", "━".repeat(filled))}${paint("dim", "━".repeat(24 - filled))}${cutTo(plain, width - 26)}`);
    },
    end() {
      clear();
      endGroup();
    },
  };
}
