// Starts scripts/<name>.ts after a look at the runtime. Plain JavaScript that an old Node can read, because an old Node is what it is there to name.
//   node scripts/run.js check
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `Stratus needs Node 22.19 or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      'The repository brings its own Node 24 as the dev dependency "node". Either you called a script without npm (use `npm run ...`),\n' +
      'or `npm ci` left it out: npm 12 runs install scripts only where package.json allows them ("allowScripts": { "node": true }).\n' +
      "Run `npm ci` again without --ignore-scripts.",
  );
  process.exit(1);
}
const [, , name, ...rest] = process.argv;
if (!/^[a-z/-]+$/.test(name || "")) {
  console.error("usage: node scripts/run.js <name of a script>");
  process.exit(2);
}
process.argv = [process.argv[0], new URL(`../${name}.ts`, import.meta.url).pathname, ...rest];
await import(`../${name}.ts`);
