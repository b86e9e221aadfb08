/** What `npx stratus conformance ./suite.ts` runs: the provider against a service of its own for each check. */
import type { Subject } from "stratus/conformance";
import { acme } from "./provider.ts";
import { startAcme } from "./service.ts";

const services = new Map<string, ReturnType<typeof startAcme>>();

const subject: Subject = {
  name: "acme",
  // Its traffic goes through place.fetch, so requests are counted, and broken on purpose.
  wire: true,
  async open(place) {
    // One service per place: all connections to a place must find the same files. A real service gets a folder named place.id instead.
    const service = services.get(place.id) ?? startAcme("secret");
    services.set(place.id, service);
    return acme({ url: (await service).url, token: "secret", fetch: place.fetch });
  },
  unavailable: () => acme({ url: "http://127.0.0.1:1", token: "secret" }),
};
export default subject;
