/** What authors of providers and layers import as `stratus/author`, beside `stratus`. May change in a minor release. */
export type { Backend } from "./backend.ts";
export { byteStream, bytesFrom, bytesInMemory } from "./byte-stream.ts";
export type { ByteObserver, ByteSource, ByteStream } from "./byte-stream.ts";
export type { RawBody } from "./raw-source.ts";
export { calls } from "./calls.ts";
export { control, setting } from "./control.ts";
export type { Setting, SettingsOf } from "./control.ts";
export { entry } from "./entry.ts";
export type { EntryFields } from "./entry.ts";
export { abortError } from "./errors.ts";
export { hasher } from "./hash.ts";
export type { Hasher } from "./hash.ts";
export { errorFromResponse, parseRangeHeader, rangeHeader } from "./http.ts";
export { inDoubt, inPart } from "./in-part.ts";
export { combine, createStore, identityOf, kindOf, layer } from "./layer.ts";
export type { LayerParts } from "./layer.ts";
export { copyChunks, mapSource } from "./map-source.ts";
export { mayRepeat } from "./may-repeat.ts";
export { nameCodec } from "./names.ts";
export type { NameCodec, NameRules } from "./names.ts";
export type {
  AccountCall,
  Call,
  Calls,
  CopyCall,
  DeleteCall,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  ReadCall,
  ReadReply,
  Replies,
  SpaceCall,
  StatCall,
  WriteCall,
} from "./operations.ts";
export { byCodePoint } from "./order.ts";
export { isInside, join, nameOf, parentOf, parsePath, rebase, root } from "./path.ts";
export type { Lifecycle, Provider, ProviderRead } from "./provider.ts";
export type { Source } from "./source.ts";
export { spool } from "./spool.ts";
export { beforehand, undone } from "./undone.ts";
export { observe, uniform } from "./uniform.ts";
export type { CallObserver, Hook, Next } from "./uniform.ts";
