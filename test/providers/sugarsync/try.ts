import { sugarsyncSubject } from "./subject.ts";
export default await sugarsyncSubject();
