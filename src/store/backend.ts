/** The Backend: what a wrapper finds below itself and what it writes. */
import type { Capabilities } from "./capabilities.ts";
import type { Entry } from "./entry.ts";
import type {
  AccountCall,
  CopyCall,
  DeleteCall,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  ReadCall,
  ReadReply,
  SpaceCall,
  StatCall,
  WriteCall,
} from "./operations.ts";
import type { Account, Space } from "./options.ts";

/**
 * Everything below the front speaks this. Guaranteed on entry: paths are checked, and never the root where the contract refuses it; options are
 * among the capabilities; numbers are finite, whole and not negative (bar a suffix offset); copy and move are neither onto themselves nor into their own subtree.
 * Asked in return: the guarantees written on Store, and StoreErrors only. A layer that does not implement one of the ten does not compile.
 * Backends are never spread: their methods are not own properties, so a copy fails on its first call instead of forwarding what nobody thought of.
 */
export interface Backend {
  readonly capabilities: Capabilities;
  stat(call: StatCall): Promise<Entry>;
  read(call: ReadCall): Promise<ReadReply>;
  write(call: WriteCall): Promise<Entry>;
  list(call: ListCall): Promise<Page>;
  delete(call: DeleteCall): Promise<void>;
  mkdir(call: MkdirCall): Promise<Entry>;
  copy(call: CopyCall): Promise<Entry>;
  move(call: MoveCall): Promise<Entry>;
  space(call: SpaceCall): Promise<Space>;
  account(call: AccountCall): Promise<Account>;
}
