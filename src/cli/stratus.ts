#!/usr/bin/env node
/*
 * The `stratus` command. This file looks at its runtime before anything newer is loaded, so it is written for a Node of ten years ago: no imports,
 * no syntax younger than dynamic import.
 */
var needed = [22, 19];
var found = process.versions.node.split(".").map(Number);
var major = found[0] || 0;
var minor = found[1] || 0;

if (major < needed[0]! || (major === needed[0] && minor < needed[1]!)) {
  process.stderr.write(
    "stratus needs Node " +
      needed.join(".") +
      " or newer. This is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      ").\n" +
      "Install a newer one from https://nodejs.org, or run the command with it: /path/to/newer/node " +
      process.argv[1] +
      "\n",
  );
  process.exitCode = 2;
} else {
  import("./main.ts")
    .then(function (module) {
      return module.main(process.argv.slice(2));
    })
    .then(
      function (code) {
        process.exitCode = code;
        return code;
      },
      function (error) {
        process.stderr.write("stratus: " + ((error && error.stack) || error) + "\n");
        process.exitCode = 2;
        return 2;
      },
    );
}
