/**
 * Compares what a store declares with what it does: claims that it does not keep, abilities that it does not claim, facts that are otherwise.
 *
 *   for (const { key, declared, found, verdict } of await probeSubject(subject)) console.log(key, declared, found, verdict);
 *
 * A store refuses what it does not declare, so what it could do beyond that is seen only where the subject gives its bare `provider`.
 */
import { createStore } from "../../store/index.ts";
import type { Capabilities, Provider, Store } from "../../store/index.ts";
import { emptyPlace } from "../clean-up.ts";
import { HarnessError } from "../connections.ts";
import { openSite, runName } from "../place.ts";
import { freshSeed } from "../random.ts";
import { show } from "../show.ts";
import type { Subject } from "../subject.ts";
import { capabilityText } from "../report/columns.ts";
import { abilities } from "./abilities.ts";
import { facts } from "./facts.ts";

/** kept: as declared.   broken: declared and not so.   unclaimed: more than is declared.   refused: not declared, and refused.   untold: cannot be seen from here. */
export type Verdict = "kept" | "broken" | "unclaimed" | "refused" | "untold";
export interface Finding {
  readonly key: keyof Capabilities;
  readonly declared: string;
  readonly found: string;
  readonly verdict: Verdict;
}

/** @throws HarnessError where the subject cannot be opened */
export async function probeSubject(subject: Subject, options: { readonly onProgress?: (finding: Finding) => void } = {}): Promise<readonly Finding[]> {
  const site = await openSite({ run: runName(), seed: freshSeed(), label: "probe", wire: subject.wire === true });
  const open = async (): Promise<Store> => {
    try {
      return await subject.open(await site.place(0));
    } catch (error) {
      throw new HarnessError(`the subject could not open a store: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
  const findings: Finding[] = [];
  const say = (finding: Finding): void => {
    findings.push(finding);
    options.onProgress?.(finding);
  };
  let store: Store | undefined;
  let generous: Store | undefined;
  try {
    store = await open();
    const provider = await subject.provider?.(await site.place(1));
    generous = provider === undefined ? undefined : createStore(claimingAll(provider));
    for (const key of Object.keys(store.capabilities) as (keyof Capabilities)[]) {
      const declared = capabilityText(store.capabilities[key]);
      if (isAbility(key)) say({ key, declared, ...(await ability(key, store, generous)) });
      else {
        const measured = await measure(key, store);
        if (measured !== undefined) say({ key, declared, ...measured });
      }
    }
  } finally {
    await generous?.close();
    await store?.close();
    // Only what this run made, in the place that it made.
    const problem = store === undefined ? undefined : await emptyPlace(open, subject, site);
    await site.cut();
    await site.remove();
    if (problem !== undefined) process.emitWarning(problem);
  }
  return findings;
}

type Ability = keyof typeof abilities;
function isAbility(key: keyof Capabilities): key is Ability {
  return Object.hasOwn(abilities, key);
}

async function ability(key: Ability, store: Store, generous: Store | undefined): Promise<Pick<Finding, "found" | "verdict">> {
  if (store.capabilities[key] !== false) {
    const problem = await problemOf(() => abilities[key]({ store, dir: `/probe-${key}` }));
    return problem === undefined ? { found: "works", verdict: "kept" } : { found: problem, verdict: "broken" };
  }
  if (generous === undefined) return { found: "refused; the subject gives no provider to try it with", verdict: "refused" };
  if (generous.capabilities[key] === false) return { found: "not implemented", verdict: "refused" };
  const problem = await problemOf(() => abilities[key]({ store: generous, dir: `/probe-more-${key}` }));
  return problem === undefined ? { found: "works all the same", verdict: "unclaimed" } : { found: `does not work: ${problem}`, verdict: "refused" };
}

async function measure(key: keyof Capabilities, store: Store): Promise<Pick<Finding, "found" | "verdict"> | undefined> {
  const look = facts[key];
  if (look === undefined || store.capabilities.write === false) return undefined;
  let found;
  try {
    found = await look({ store, dir: `/probe-${key}` });
  } catch (error) {
    return { found: `could not be measured: ${show(error)}`, verdict: "untold" };
  }
  return found === undefined ? undefined : { found: found.found, verdict: found.broken ? "broken" : found.more ? "unclaimed" : "kept" };
}

async function problemOf(use: () => Promise<void>): Promise<string | undefined> {
  try {
    await use();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll(/\s*\n\s*/g, "; ") : String(error);
  }
}

/** The same provider, claiming whatever it has a method for. */
function claimingAll(provider: Provider): Provider {
  const claims: Partial<Record<Ability, "native">> = {};
  for (const key of Object.keys(abilities) as Ability[]) {
    if (provider.capabilities[key] === false && verbs(key).every((verb) => provider[verb] !== undefined)) claims[key] = "native";
  }
  const capabilities: Partial<Capabilities> = { ...provider.capabilities, ...claims };
  return new Proxy(provider, {
    get(target, key): unknown {
      if (key === "capabilities") return capabilities;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function verbs(key: Ability): readonly ("mkdir" | "copy" | "move" | "space" | "account")[] {
  return (["mkdir", "copy", "move", "space", "account"] as const).filter((verb) => key.startsWith(verb));
}
