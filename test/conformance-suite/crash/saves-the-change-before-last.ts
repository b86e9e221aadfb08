import { wholeFile } from "./whole-file.ts";

export default wholeFile("saves the change before last");
