/** stratus/author: for authors of providers and layers. */
export * from "./store/author.ts";
