import { copyBetween, readText, stack } from "stratus";
import { local } from "stratus/local";
import { s3 } from "stratus/s3";
import { limit, prefix, retry } from "stratus/wrappers";

const photos = stack(s3({ bucket: "photos", region: "eu-central-1" }), prefix("/2026"), limit({ concurrency: 8 }), retry());
const disk = local({ directory: "/home/me/Pictures" });

await copyBetween(disk, "/", photos, "/", { verify: true }); // streams, hashes, reads back what the service cannot hash
const note = await readText(photos, "/readme.txt", { range: { offset: 0, length: 100 } });
for await (const entry of photos.list("/", { recursive: true })) console.log(entry.path, entry.size, entry.etag);
console.log(note, String(photos));
await photos.close();
