/**
 * report.html: one page with everything in it, nothing loaded from elsewhere. A cell of the matrix opens its checks; a failing one shows what was
 * found, how to replay it and what was asked of the store. Works without scripts; one small script filters.
 */
import type { Capabilities } from "../../store/index.ts";
import { replayLine } from "../failure-text.ts";
import { isGood } from "../outcome.ts";
import type { Outcome, Status } from "../outcome.ts";
import { bySeverity, capabilityText, columnsOf, rowsOf } from "./columns.ts";
import type { Cell, Column, Row } from "./columns.ts";
import type { Change, Diff } from "./diff.ts";
import { script, style } from "./page.ts";
import { count } from "./report.ts";
import type { Counts, Report } from "./report.ts";

const word: Readonly<Record<Status | "none", string>> = {
  pass: "holds",
  refused: "refused as declared",
  xfail: "fails as expected",
  fail: "fails",
  xpass: "passes unexpectedly",
  "infra-error": "could not be tried",
  none: "not run",
};
const sign: Readonly<Record<Status | "none", string>> = { pass: "✓", refused: "○", xfail: "△", fail: "✗", xpass: "!", "infra-error": "?", none: "·" };

export function toHtml(report: Report): string {
  const columns = columnsOf(report);
  const rows = rowsOf(columns);
  const all = count(report.subjects.flatMap((subject) => subject.outcomes));
  const bad = all.fail + all.xpass + all.infra + (report.diff?.vanished.length ?? 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Conformance: ${bad === 0 ? "all holds" : `${bad} to look at`}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Conformance</h1>
<p class="facts">stratus ${html(report.suite.version)} · ${report.suite.checks} checks, ${report.suite.behaviours} behaviours · <time datetime="${html(report.createdAt)}">${html(report.createdAt.replace("T", " ").slice(0, 16))} UTC</time> · Node ${html(report.env.node)} on ${html(report.env.platform)} ${html(report.env.arch)}</p>
${tiles(all, report)}
</header>
<main>
${report.diff === null ? "" : changes(report.diff)}
${matrix(columns, rows)}
${problems(report)}
${capabilities(columns)}
${cost(columns)}
${subjects(report)}
</main>
${rows.flatMap((row) => row.cells.map((cell, index) => drawer(row, cell, index, report.module ?? undefined))).join("\n")}
<script>${script}</script>
</body>
</html>
`;
}

function tiles(all: Counts, report: Report): string {
  const notRun = report.subjects.reduce((sum, subject) => sum + subject.notRun.length, 0);
  const tile = (number: number, text: string, kind: string): string =>
    `<li class="tile ${kind}${number === 0 ? " zero" : ""}"><b>${number.toLocaleString("en-US")}</b> ${text}</li>`;
  return `<ul class="tiles">${[
    tile(all.pass, "hold", "pass"),
    tile(all.refused, "refused as declared", "refused"),
    tile(all.xfail, "fail as expected", "xfail"),
    tile(all.fail, "fail", "fail"),
    all.xpass > 0 ? tile(all.xpass, "pass unexpectedly", "xpass") : "",
    all.infra > 0 ? tile(all.infra, "could not be tried", "infra-error") : "",
    notRun > 0 ? tile(notRun, "planned, not run", "infra-error") : "",
    report.diff !== null && report.diff.vanished.length > 0 ? tile(report.diff.vanished.length, "vanished", "fail") : "",
  ].join("")}</ul>`;
}

function changes(diff: Diff): string {
  const sections: readonly (readonly [string, readonly Change[], string])[] = [
    ["Newly failing", diff.newlyFailing, "fail"],
    ["Vanished", diff.vanished, "fail"],
    ["Fixed", diff.fixed, "pass"],
    ["Given up", diff.weakened, "xfail"],
    ["Gained", diff.gained, "pass"],
  ];
  const shown = sections.filter(([, list]) => list.length > 0);
  const body =
    shown.length === 0
      ? "<p>No check changed.</p>"
      : shown
          .map(
            ([title, list, kind]) =>
              `<details${kind === "fail" ? " open" : ""}><summary><span class="sign ${kind}">${kind === "fail" ? "✗" : kind === "pass" ? "✓" : "△"}</span> ${title}: ${list.length}</summary><ul>${list.map((change) => `<li><code>${html(change.check)}</code> ${html(change.subject)}${change.stack === null ? "" : ` + ${html(change.stack)}`}: ${html(change.before)} → ${html(change.after)}</li>`).join("")}</ul></details>`,
          )
          .join("");
  return `<section id="changes"><h2>Since ${html(diff.baseline.replace("T", " ").slice(0, 16))} UTC</h2>${body}</section>`;
}

function matrix(columns: readonly Column[], rows: readonly Row[]): string {
  const head = columns
    .map((column) => `<th scope="col"><span>${html(column.subject.name)}${column.stack === null ? "" : `<small>+ ${html(column.stack)}</small>`}</span></th>`)
    .join("");
  const body = rows
    .map((row) => `<tr><th scope="row">${html(row.title)}</th>${row.cells.map((cell, index) => `<td>${cellButton(row, cell, index)}</td>`).join("")}</tr>`)
    .join("\n");
  const foot = columns
    .map((column) => {
      const counts = count(column.outcomes);
      return `<td>${counts.pass + counts.refused + counts.xfail}<small> / ${counts.total}</small></td>`;
    })
    .join("");
  const legend = (["pass", "refused", "xfail", "fail", "infra-error"] as const)
    .map((status) => `<span class="sign ${status}">${sign[status]}</span> ${word[status]}`)
    .join(" &ensp; ");
  return `<section id="matrix"><h2>Matrix</h2><p class="legend">${legend} &ensp; A cell opens its checks.</p>
<div class="wide"><table class="matrix"><thead><tr><th scope="col">Group</th>${head}</tr></thead><tbody>${body}</tbody><tfoot><tr><th scope="row">All</th>${foot}</tr></tfoot></table></div></section>`;
}

function cellButton(row: Row, cell: Cell, index: number): string {
  if (cell.worst === "none") return `<span class="cell none" title="not run">·</span>`;
  const { counts } = cell;
  const bad = counts.fail + counts.xpass + counts.infra;
  const good = counts.pass + counts.refused + counts.xfail;
  const text =
    bad > 0
      ? `${sign[cell.worst]} ${bad}<small> of ${counts.total}</small>`
      : `${good}${counts.refused > 0 ? `<small> · ${counts.refused}${sign.refused}</small>` : ""}${counts.xfail > 0 ? `<small> · ${counts.xfail}${sign.xfail}</small>` : ""}`;
  const shade = cell.worst === "pass" && counts.pass === 0 ? "refused" : cell.worst;
  return `<button class="cell ${shade}" popovertarget="${idOf(row, index)}" aria-label="${html(`${row.title}, ${cell.column.title}: ${good} of ${counts.total} as declared`)}">${text}</button>`;
}

function drawer(row: Row, cell: Cell, index: number, module: string | undefined): string {
  if (cell.worst === "none") return "";
  const sorted = [...cell.outcomes].sort((left, right) => bySeverity.indexOf(left.status) - bySeverity.indexOf(right.status));
  return `<aside popover id="${idOf(row, index)}" class="drawer"><div class="top"><h2>${html(row.title)} <small>${html(cell.column.title)}</small></h2><button popovertarget="${idOf(row, index)}" popovertargetaction="hide" aria-label="Close">×</button></div>
${sorted.map((outcome) => checkRow(outcome, module)).join("\n")}</aside>`;
}

function checkRow(outcome: Outcome, module: string | undefined, brief = false): string {
  const figures = [`${outcome.ms} ms`, outcome.requests === null ? `${outcome.calls} calls` : `${outcome.calls} calls, ${outcome.requests} requests`].join(
    " · ",
  );
  const head = `<span class="sign ${outcome.status}" title="${word[outcome.status]}">${sign[outcome.status]}</span> <code>${html(outcome.check)}</code> <span class="figures">${figures}</span><span class="title">${html(outcome.title)}</span>`;
  return `<details class="check ${outcome.status}"${isGood(outcome.status) || brief ? "" : " open"}><summary>${head}</summary>${story(outcome, module, brief)}</details>`;
}

/** Everything about one outcome; `brief` leaves out the transcript, which its cell shows. */
function story(outcome: Outcome, module: string | undefined, brief: boolean): string {
  const facts: string[] = [];
  const fact = (name: string, text: string | undefined, code = false): void => {
    if (text !== undefined && text !== "") facts.push(`<dt>${name}</dt><dd>${code ? `<code>${html(text)}</code>` : html(text)}</dd>`);
  };
  if (outcome.expected !== null) fact("On the list", `${outcome.expected.reason}; until ${outcome.expected.until}`);
  for (const [index, failure] of outcome.failures.entries()) {
    fact(index === 0 ? "Must hold" : "And also", failure.what);
    fact("Expected", failure.expected, true);
    fact("Found", failure.found, true);
  }
  fact("Why", outcome.why);
  if (outcome.refused.length > 0) fact("Refused", `${outcome.refused.join(", ")}: not declared, called all the same, and refused`);
  for (const note of outcome.notes) fact("Note", note);
  if (!isGood(outcome.status)) fact("Replay", replayLine(outcome, module), true);
  fact("Read", outcome.doc, true);
  const at = outcome.failures[0]?.stack ?? "";
  return `<dl>${facts.join("")}</dl>${brief || outcome.transcript.length === 0 ? "" : `<details class="raw" open><summary>Transcript, ${outcome.transcript.length} lines</summary><pre>${html(outcome.transcript.join("\n"))}</pre></details>`}${at === "" ? "" : `<details class="raw"><summary>Where in the suite</summary><pre>${html(at)}</pre></details>`}`;
}

function problems(report: Report): string {
  const bad = report.subjects.flatMap((subject) => subject.outcomes.filter((outcome) => !isGood(outcome.status)).map((outcome) => ({ subject, outcome })));
  if (bad.length === 0) return "";
  return `<section id="problems"><h2>What does not hold</h2><input type="search" placeholder="Filter by check, subject or text" aria-label="Filter" data-filter="#problems .problem">
${bad.map(({ subject, outcome }) => `<div class="problem"><p class="who">${html(subject.name)}${outcome.stack === null ? "" : ` + ${html(outcome.stack)}`}</p>${checkRow(outcome, report.module ?? undefined, true)}</div>`).join("\n")}</section>`;
}

function capabilities(columns: readonly Column[]): string {
  const known = columns.filter((column) => column.declared !== null);
  const first = known[0]?.declared;
  if (first === undefined || first === null) return "";
  const keys = Object.keys(first) as (keyof Capabilities)[];
  const body = keys
    .map(
      (key) =>
        `<tr><th scope="row"><code>${html(key)}</code></th>${known
          .map((column) => {
            const text = capabilityText((column.declared as Capabilities)[key]);
            return `<td class="${["native", "emulated", "no", "yes"].includes(text) ? text : "value"}">${html(text)}</td>`;
          })
          .join("")}</tr>`,
    )
    .join("");
  return `<section id="capabilities"><details><summary><h2>Capabilities declared</h2></summary><div class="wide"><table class="plain"><thead><tr><th scope="col">Capability</th>${known.map((column) => `<th scope="col">${html(column.title)}</th>`).join("")}</tr></thead><tbody>${body}</tbody></table></div></details></section>`;
}

function cost(columns: readonly Column[]): string {
  const sum = (column: Column, of: (outcome: Outcome) => number | null): string => {
    const known = column.outcomes.map(of).filter((value) => value !== null);
    return known.length === 0 ? "–" : known.reduce((left, right) => left + right, 0).toLocaleString("en-US");
  };
  const slowest = (column: Column): string =>
    [...column.outcomes]
      .sort((left, right) => right.ms - left.ms)
      .slice(0, 3)
      .map((outcome) => `<code>${html(outcome.check)}</code> ${outcome.ms} ms`)
      .join("<br>");
  const body = columns
    .map(
      (column) =>
        `<tr><th scope="row">${html(column.title)}</th><td>${sum(column, (outcome) => outcome.ms)}</td><td>${sum(column, (outcome) => outcome.calls)}</td><td>${sum(column, (outcome) => outcome.requests)}</td><td>${sum(column, (outcome) => outcome.bytesUp)}</td><td>${sum(column, (outcome) => outcome.bytesDown)}</td><td class="text">${slowest(column)}</td></tr>`,
    )
    .join("");
  return `<section id="cost"><details><summary><h2>Cost</h2></summary><div class="wide"><table class="plain"><thead><tr><th scope="col">Subject</th><th scope="col">ms</th><th scope="col">Calls</th><th scope="col">Requests</th><th scope="col">Bytes up</th><th scope="col">Bytes down</th><th scope="col">Slowest checks</th></tr></thead><tbody>${body}</tbody></table></div></details></section>`;
}

function subjects(report: Report): string {
  const one = report.subjects
    .map((subject) => {
      const lines: string[] = [];
      for (const stack of subject.stacks)
        if (stack.store !== null) lines.push(`<li>${stack.name === null ? "as it is" : html(stack.name)}: <code>${html(stack.store)}</code></li>`);
      for (const [offer, checks] of Object.entries(subject.notOffered))
        lines.push(`<li>does not offer “${html(offer)}”, so these cannot be run: ${checks.map((check) => `<code>${html(check)}</code>`).join(", ")}</li>`);
      if (subject.notRun.length > 0)
        lines.push(
          `<li>planned and not run: ${subject.notRun.map(({ check, stack }) => `<code>${html(check)}</code>${stack === null ? "" : ` + ${html(stack)}`}`).join(", ")}</li>`,
        );
      return `<h3>${html(subject.name)} <small>tier ${subject.tier}, seed ${subject.seed}${subject.only.length === 0 ? "" : `, only ${html(subject.only.join(", "))}`}</small></h3><ul>${lines.join("")}</ul>`;
    })
    .join("");
  return `<section id="subjects"><details><summary><h2>Subjects</h2></summary>${one}</details></section>`;
}

function idOf(row: Row, index: number): string {
  return `cell-${index}-${row.group.replace(/[^A-Za-z0-9]/g, "-")}`;
}

/** Names of files come from the service and from random programs: nothing of them may become markup. */
function html(text: string): string {
  return text.replace(/[&<>"'\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, (character) => {
    switch (character) {
      case "&":
        return "&amp;";
      case "<":
        return "&lt;";
      case ">":
        return "&gt;";
      case '"':
        return "&quot;";
      case "'":
        return "&#39;";
      default:
        return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
    }
  });
}
