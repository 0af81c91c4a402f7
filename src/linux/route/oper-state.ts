import {
  IF_OPER_DORMANT,
  IF_OPER_DOWN,
  IF_OPER_LOWERLAYERDOWN,
  IF_OPER_NOTPRESENT,
  IF_OPER_TESTING,
  IF_OPER_UNKNOWN,
  IF_OPER_UP,
} from "./constants.ts";

/** What `ip` prints behind `state`, in lower case (RFC 2863 section 3.1.12). */
export type OperState = "unknown" | "notpresent" | "down" | "lowerlayerdown" | "testing" | "dormant" | "up";

/** The kernel's numbers of the states. */
export const OPER_STATES: Readonly<Record<OperState, number>> = {
  unknown: IF_OPER_UNKNOWN,
  notpresent: IF_OPER_NOTPRESENT,
  down: IF_OPER_DOWN,
  lowerlayerdown: IF_OPER_LOWERLAYERDOWN,
  testing: IF_OPER_TESTING,
  dormant: IF_OPER_DORMANT,
  up: IF_OPER_UP,
};
