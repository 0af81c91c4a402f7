import { CNI_ERROR, CniError } from "./error.ts";

/** What Kubernetes runtimes say about the pod, by key of CNI_ARGS. Keys of others are kept as well. */
export type CniArgs = Readonly<Record<string, string>>;

/** Keys of CNI_ARGS that this plugin knows. */
export const POD_ARGS = {
  namespace: "K8S_POD_NAMESPACE",
  name: "K8S_POD_NAME",
  uid: "K8S_POD_UID",
  infraContainerId: "K8S_POD_INFRA_CONTAINER_ID",
} as const;

const IGNORE_UNKNOWN = "IgnoreUnknown";

const KNOWN: ReadonlySet<string> = new Set([IGNORE_UNKNOWN, ...Object.values(POD_ARGS)]);

/** Parses `K=V;K=V`. Throws `CniError` 4 for malformed pairs, and for unknown keys unless `IgnoreUnknown=1` is among the pairs. */
export function parseCniArgs(text: string): CniArgs {
  const pairs = text === "" ? [] : text.split(";").map(parsePair);
  const args = new Map(pairs);
  const unknown = [...args.keys()].filter((key) => !KNOWN.has(key));
  if (unknown.length > 0 && !ignoresUnknown(args.get(IGNORE_UNKNOWN))) {
    throw invalid(`unknown ${unknown.length === 1 ? "key" : "keys"} ${unknown.join(", ")}, and no ${IGNORE_UNKNOWN}=1`);
  }
  return Object.fromEntries(args);
}

function parsePair(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at <= 0) throw invalid(`${JSON.stringify(pair)} is not of the form KEY=VALUE`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function ignoresUnknown(value: string | undefined): boolean {
  switch (value?.toLowerCase()) {
    case "1":
    case "true":
      return true;
    case undefined:
    case "0":
    case "false":
      return false;
    default:
      throw invalid(`${IGNORE_UNKNOWN}=${value} is neither true nor false`);
  }
}

function invalid(reason: string): CniError {
  return new CniError(CNI_ERROR.invalidEnvironment, `Invalid CNI_ARGS: ${reason}`);
}
