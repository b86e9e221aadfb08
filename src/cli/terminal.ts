/** Colours where a person looks at a terminal that shows them; plain text everywhere else. NO_COLOR and FORCE_COLOR are honoured. */
import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

export interface Paint {
  (format: Format, text: string): string;
}

export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (format, text) => styleText(format, text, { stream });
}

/** Cut to the width of the terminal, so that a line that is written over stays one line. Counts code points, which is near enough for names of checks. */
export function cutTo(text: string, width: number): string {
  const points = Array.from(text);
  return points.length <= width ? text : `${points.slice(0, Math.max(0, width - 1)).join("")}…`;
}
