import { copyBetween, readText, stack } from "stratus";
import { local } from "stratus/local";
import { s3 } from "stratus/s3";
import { archive, caching, metadataCache, stats } from "stratus/wrappers";

const photos = stack(
  s3({ bucket: "photos", region: "eu-central-1" }),
  archive({ directory: "/var/lib/photos/archive" }), // small files travel as a few tar archives
  caching({ directory: "/var/lib/photos/cache" }), // safe on this disk at once, sent later
  metadataCache(), // asked once, answered often
  stats(),
);
await copyBetween(local({ directory: "/home/me/Pictures" }), "/", photos, "/2026"); // at disk speed
console.log(photos.layers.caching.dirty().length, "files are not sent yet");
await photos.layers.caching.flush(); // until the service has them all
console.log(await readText(photos, "/2026/readme.txt"), photos.layers.stats.text());
await photos.close();
