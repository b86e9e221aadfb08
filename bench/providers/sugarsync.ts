/** SugarSync: ours. No package for it is in any registry, so rclone is the only other one. */
import { sugarsync } from "../../src/providers/sugarsync/index.ts";
import type { ContendersOf } from "./contender.ts";

export const sugarsyncContenders: ContendersOf = ({ fetch, keys }) => ({
  name: "sugarsync",
  open: () =>
    sugarsync({
      accessKeyId: keys["accessKeyId"] as string,
      privateAccessKey: keys["privateAccessKey"] as string,
      refreshToken: keys["refreshToken"] as string,
      fetch,
    }),
  official: null,
  // An access token, and where the user's folders are.
  signIn: /^(?:POST \/authorization|GET \/user)$/,
  flags: [],
});
