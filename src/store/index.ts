/** Everything of the contract, for the rest of this package. Users import `stratus`, authors `stratus/author`. */
export * from "./user.ts";
export * from "./author.ts";
