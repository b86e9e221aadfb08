/** For `stratus conformance test/providers/dropbox/suite.ts`, which says what fails while it runs. STRATUS_DROPBOX=folder: below a folder, by a refresh token. */
import { dropboxSubject } from "./subject.ts";

export default process.env["STRATUS_DROPBOX"] === "folder"
  ? await dropboxSubject({ name: "dropbox, a folder of the account" }, { root: "/Apps/Über uns", createRoot: true }, true)
  : await dropboxSubject();
