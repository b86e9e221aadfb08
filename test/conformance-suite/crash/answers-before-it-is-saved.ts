import { wholeFile } from "./whole-file.ts";

export default wholeFile("answers before it is saved");
