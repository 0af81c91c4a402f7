import { booleanFlag, checkedTextFlag, durationFlag, type FlagValues, ignoredFlag, integerFlag } from "../../observe/flags.ts";
import { parseListenAddress } from "../../observe/listen-address.ts";

/** Flags of coild: those of the Go implementation, and the times of its own address management. */
export const COILD_FLAGS = {
  "metrics-addr": checkedTextFlag(":9384", "address of /metrics; 0 for none", parseListenAddress),
  "health-addr": checkedTextFlag(":9385", "address of /healthz and /readyz; 0 for none", parseListenAddress),
  "pod-table-id": integerFlag(116, "routing table of the routes to pods", { min: 1 }),
  "pod-rule-prio": integerFlag(2000, "priority of the rule that leads to that table", { min: 1 }),
  "export-table-id": integerFlag(119, "routing table of the exported routes", { min: 1 }),
  "protocol-id": integerFlag(30, "protocol number of the routes", { min: 1, max: 255 }),
  socket: checkedTextFlag("/run/coild.sock", "UNIX socket on which the plugin calls", parseSocketPath),
  "compat-calico": booleanFlag(false, "name the host interfaces as Calico's policy engine expects"),
  "enable-ipam": booleanFlag(true, "give addresses to pods"),
  "enable-egress": booleanFlag(true, "serve pods that use an Egress"),
  "addressblock-gc-interval": durationFlag("5m", "time between two searches for attachments that no pod needs"),
  "block-hold-time": durationFlag("30s", "how long an empty block is kept for the next pods"),
  "block-prefetch": booleanFlag(true, "while pods come, order a block when less than an eighth of one is free"),
  "address-wait": durationFlag("10s", "how long a pod waits for an address"),
  "address-reuse-delay": durationFlag("30s", "how long an address rests, if another can be had, before the next pod gets it"),
  "clear-routes-on-shutdown": booleanFlag(false, "at the end, if the Node is gone, withdraw the exported routes"),
  "egress-port": ignoredFlag("UDP port of the tunnels to egress gateways"),
  "register-from-main": ignoredFlag("pods of Coil 2.0.1, whose routes are in the main table, are not taken over", {
    isBoolean: true,
  }),
  backend: ignoredFlag("there is one"),
  "enable-originating-only": ignoredFlag("for egress", { isBoolean: true }),
};

export type CoildFlags = FlagValues<typeof COILD_FLAGS>;

/** Settings that cannot be served, as a sentence. */
export function flagsProblem(flags: Pick<CoildFlags, "enable-ipam" | "enable-egress">): string | undefined {
  if (!flags["enable-ipam"] && !flags["enable-egress"]) return "configuration error: both IPAM and egress are disabled";
  if (!flags["enable-ipam"]) return "configuration error: egress without IPAM is not supported yet";
  return undefined;
}

/** Why blocks could not belong to a node of that name, as a sentence. */
export function nodeNameProblem(name: string | undefined): string | undefined {
  if (!name) return "COIL_NODE_NAME environment variable should be set";
  if (name.length <= 63) return undefined;
  return `configuration error: the node name ${name} is longer than 63 characters, so that it cannot be the label of a block`;
}

/** Throws `SyntaxError`. Leaves room for the name under which the socket is bound first. */
function parseSocketPath(text: string): string {
  if (/^\/[\x21-\x7e]{1,95}$/.test(text)) return text;
  throw new SyntaxError(`want an absolute path of at most 96 characters, not ${JSON.stringify(text)}`);
}
