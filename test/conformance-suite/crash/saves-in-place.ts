import { wholeFile } from "./whole-file.ts";

export default wholeFile("saves in place");
