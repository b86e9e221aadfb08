import { wholeFile } from "./whole-file.ts";

export default wholeFile("brings back what was deleted");
