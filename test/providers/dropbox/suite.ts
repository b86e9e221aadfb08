/** For `stratus conformance test/providers/dropbox/suite.ts`, which says what fails while it runs. */
import { dropboxSubject } from "./subject.ts";

export default await dropboxSubject();
