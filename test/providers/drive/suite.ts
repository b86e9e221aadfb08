/** For single checks by hand: `node src/cli/stratus.ts conformance ./test/providers/drive/suite.ts --tier full --check wire.cost`. */
import { startDrive } from "../../servers/drive/index.ts";
import { cost, driveSubject } from "./subject.ts";

const server = await startDrive();
// The run ends with its last check, not with the service.
server.unref();

export default driveSubject(server, { cost });
