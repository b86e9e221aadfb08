/** Figures of a store for whoever asks over HTTP: /metrics for Prometheus, /stats and /pending as JSON, / for people. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { Layered, Store } from "stratus";
import { viewText, views } from "stratus/wrappers";
import type { StatsControl } from "stratus/wrappers";

export function metricsServer(store: Store & Layered<"stats", StatsControl>): Server {
  return createServer((request, response) => {
    const send = (type: string, text: string): void => void response.setHeader("content-type", type).end(text);
    switch (request.url) {
      case "/metrics":
        return send("text/plain; version=0.0.4; charset=utf-8", store.layers.stats.prometheus());
      case "/stats":
        return send("application/json", JSON.stringify(store.layers.stats.snapshot()));
      case "/pending":
        return send("application/json", JSON.stringify(views(store).pending()));
      default:
        return send("text/plain; charset=utf-8", `${store.layers.stats.text()}\n${viewText(store, "errors")}\n`);
    }
  });
}
