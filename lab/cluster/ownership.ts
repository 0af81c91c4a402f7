import { existsSync } from "node:fs";
import { namespaceInode } from "../machine/namespace.ts";
import { bootId, type LabState, readLabState } from "./lab-state.ts";
import { CONTROL_PLANE, FABRIC, OUTSIDE } from "./plan.ts";

/** What there is of a lab on this machine, seen from a checkout. */
export type LabPresence =
  | { readonly kind: "none" }
  /** It is complete and belongs to this checkout. */
  | { readonly kind: "ours"; readonly state: LabState }
  /** What is left of one: of before a restart of the machine, of a command that was cut off, of a checkout that is gone. */
  | { readonly kind: "remains"; readonly reason: string }
  | { readonly kind: "foreign"; readonly state: LabState };

export function labPresence(checkout: string): LabPresence {
  const state = readLabState();
  if (!state) return { kind: "none" };
  if (state.bootId !== bootId()) return { kind: "remains", reason: "the machine was restarted since" };
  if (state.checkout !== checkout) {
    return existsSync(state.checkout) ? { kind: "foreign", state } : { kind: "remains", reason: `${state.checkout} is gone` };
  }
  // Without these nothing of a cluster is left that could be mended; a node may be lost.
  const lost = [FABRIC, OUTSIDE, CONTROL_PLANE].find((name) => namespaceInode(name) === undefined);
  if (state.phase === "up")
    return lost === undefined ? { kind: "ours", state } : { kind: "remains", reason: `the namespace ${lost} is gone` };
  return { kind: "remains", reason: state.phase === "starting" ? "the last up did not end" : "the last down did not end" };
}

/** The lab of this checkout. Throws when there is none, or it is another's. */
export function requireLab(checkout: string): LabState {
  const presence = labPresence(checkout);
  switch (presence.kind) {
    case "ours":
      return presence.state;
    case "foreign":
      throw foreignLab(presence.state);
    case "remains":
      throw new Error(`The lab is not complete (${presence.reason}): run coil-lab up`);
    case "none":
      throw new Error("There is no lab on this machine: run coil-lab up");
  }
}

/** The error of a command that would touch another checkout's lab. */
export function foreignLab({ checkout, nodes, startedAt }: LabState): Error {
  return new Error(
    `There is one lab a machine, and ${checkout} has it up (${nodes} nodes, since ${startedAt}). ` +
      "Run coil-lab down there, or coil-lab down --force here",
  );
}
