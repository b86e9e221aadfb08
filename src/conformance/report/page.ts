/** The look of report.html and its one script, both inside the page. */

export const style: string = `
:root { color-scheme: light dark; --ink: light-dark(#1c2430, #e6e9ee); --soft: light-dark(#5b6675, #9aa5b4); --paper: light-dark(#fbfbf9, #14181e); --card: light-dark(#fff, #1b2129); --line: light-dark(#e3e5e0, #2c343f);
  --pass: light-dark(#1c7a4a, #58c78c); --pass-bg: light-dark(#e2f3e8, #173526); --refused: light-dark(#5f6b7a, #98a3b3); --refused-bg: light-dark(#edeff1, #252c36);
  --xfail: light-dark(#8a6100, #e0b455); --xfail-bg: light-dark(#fbf0d2, #3a2f14); --fail: light-dark(#b3261e, #ff8a80); --fail-bg: light-dark(#fbe2df, #46191a); --infra: light-dark(#6b3fa0, #c4a3f0); --infra-bg: light-dark(#efe6fa, #2f2142); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1280px; padding: 2rem 1.5rem 5rem; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.7rem; letter-spacing: -0.02em; margin: 0; }
h2 { font-size: 1.1rem; margin: 0 0 0.6rem; } h3 { font-size: 1rem; margin: 1rem 0 0.3rem; } summary > h2 { display: inline; }
small, .facts, .legend, .figures { color: var(--soft); font-weight: 400; }
small { font-size: 0.85em; }
.facts { margin: 0.2rem 0 1.2rem; }
section { margin-top: 2.2rem; }
code, pre { font: 12.5px/1.5 ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace; }
.tiles { display: flex; flex-wrap: wrap; gap: 0.6rem; list-style: none; margin: 0; padding: 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-left: 4px solid currentColor; border-radius: 8px; padding: 0.45rem 0.9rem; }
.tile b { font-size: 1.25rem; font-variant-numeric: tabular-nums; margin-right: 0.2rem; }
.tile.zero { opacity: 0.45; }
.pass { color: var(--pass); } .refused { color: var(--refused); } .xfail { color: var(--xfail); } .fail, .xpass { color: var(--fail); } .infra-error { color: var(--infra); } .none { color: var(--soft); }
.wide { width: fit-content; max-width: 100%; overflow: auto; max-height: 85vh; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; } th, td { padding: 0.3rem 0.55rem; border-bottom: 1px solid var(--line); }
tbody tr:last-child > *, tfoot > tr > * { border-bottom: 0; }
thead th { position: sticky; top: 0; background: var(--card); z-index: 1; vertical-align: bottom; } th[scope=row] { position: sticky; left: 0; background: var(--card); white-space: nowrap; } thead th:first-child { left: 0; z-index: 2; }
.matrix { width: auto; min-width: 50%; } .matrix td { min-width: 7.5rem; }
.matrix td, .matrix thead th:not(:first-child) { text-align: center; } .matrix thead small { display: block; } .matrix tfoot td { text-align: center; font-weight: 600; } .matrix tfoot th, .matrix tfoot td { border-top: 2px solid var(--line); }
.cell { display: block; width: 100%; min-width: 4.2rem; border: 0; border-radius: 6px; padding: 0.25rem 0.5rem; font: inherit; text-align: center; background: none; }
button.cell { cursor: pointer; } button.cell:hover, button.cell:focus-visible { outline: 2px solid currentColor; }
.cell small { color: inherit; opacity: 0.8; }
.cell.pass { background: var(--pass-bg); } .cell.refused { background: var(--refused-bg); } .cell.xfail { background: var(--xfail-bg); } .cell.fail, .cell.xpass { background: var(--fail-bg); font-weight: 600; } .cell.infra-error { background: var(--infra-bg); }
.sign { display: inline-block; min-width: 1em; text-align: center; font-weight: 700; }
.drawer { position: fixed; inset: 0 0 0 auto; margin: 0; height: 100dvh; max-height: none; width: min(820px, 100vw); overflow: auto; padding: 0 1.4rem 2rem; border: 0; border-left: 1px solid var(--line); background: var(--paper); color: var(--ink); box-shadow: -12px 0 40px rgb(0 0 0 / 0.18); }
.drawer::backdrop { background: rgb(0 0 0 / 0.25); }
.drawer .top { position: sticky; top: 0; display: flex; justify-content: space-between; align-items: center; background: var(--paper); padding: 1rem 0 0.6rem; border-bottom: 1px solid var(--line); margin-bottom: 0.6rem; z-index: 1; }
.drawer .top h2 { margin: 0; } .drawer .top button { border: 0; background: none; color: var(--soft); font-size: 1.6rem; line-height: 1; cursor: pointer; padding: 0.2rem 0.5rem; }
details > summary { cursor: pointer; }
.check { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0.35rem 0; color: var(--ink); }
.check > summary { padding: 0.4rem 0.7rem; list-style: none; } .check > summary::-webkit-details-marker { display: none; }
.check.fail, .check.xpass { border-left: 4px solid var(--fail); } .check.xfail { border-left: 4px solid var(--xfail); } .check.infra-error { border-left: 4px solid var(--infra); }
.check .title { display: block; padding-left: 1.35em; } .figures { float: right; font-size: 0.82em; font-variant-numeric: tabular-nums; }
.check dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 0.9rem; margin: 0.2rem 0.7rem 0.7rem; padding-top: 0.5rem; border-top: 1px solid var(--line); }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; } dd code { white-space: pre-wrap; }
.raw { margin: 0 0.7rem 0.7rem; } .raw summary { color: var(--soft); }
pre { margin: 0.4rem 0 0; padding: 0.7rem 0.8rem; background: light-dark(#f3f4f1, #10141a); border: 1px solid var(--line); border-radius: 6px; overflow: auto; max-height: 24rem; }
.problem { margin: 0.6rem 0; } .who { margin: 0; color: var(--soft); }
input[type=search] { font: inherit; width: min(28rem, 100%); padding: 0.35rem 0.7rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; }
.plain td { white-space: nowrap; } .plain td.native, .plain td.yes { color: var(--pass); } .plain td.emulated { color: var(--xfail); } .plain td.no { color: var(--soft); } .plain td.text { white-space: normal; }
@media print { .wide { max-height: none; overflow: visible; } }
`;

/** Hides what does not hold the words in the search field. */
export const script: string = `
for (const field of document.querySelectorAll("[data-filter]")) {
  const items = [...document.querySelectorAll(field.dataset.filter)];
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\\s+/);
    for (const item of items) item.hidden = !words.every((word) => item.textContent.toLowerCase().includes(word));
  });
}
`;
