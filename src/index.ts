/** stratus: one Store interface over storage services. */
export * from "./store/user.ts";
