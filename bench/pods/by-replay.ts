import { hostEndRequests, pairRequests, podEndRequests } from "../../src/apply/pod/requests.ts";
import { deleteLink, deleteLinkGroup } from "../../src/linux/route/delete-link.ts";
import { setLink } from "../../src/linux/route/set-link.ts";
import { type PodAttachment, type PodNetConfig, planPod } from "../../src/podnet/plan.ts";
import { createScript, podOfScript, type ReplayScript } from "../peers/replay.ts";

/** Interface indexes that our own pods do not reach here. */
const FIRST_INDEX = 1_700_000_000;
/** A link group of nobody else. */
const GROUP = 0x62656e63;

/** How the pods of a script are set up and removed. */
export interface ReplayOptions {
  readonly config: PodNetConfig;
  /** `each` removes one by one, `group` all at once, `none` leaves them. */
  readonly removal: "each" | "group" | "none";
  /** Place of the first one among all pods of this host: no two may have one. Default 0. */
  readonly offset?: number;
}

/**
 * The operations that our own set-up and tear-down ask the kernel for, for one pod after the other: labels `namespace`, `veth`, `pod`,
 * `host` for each pod, then `delete`.
 */
export function podScript(attachments: readonly PodAttachment[], { config, removal, offset = 0 }: ReplayOptions): ReplayScript {
  const script = createScript();
  script.mark("");
  for (const [place, attachment] of attachments.entries()) {
    const plan = planPod(attachment, config);
    const { host, pod } = indexesAt(offset + place);
    script.openPod(place);
    script.mark("namespace");
    script.host(pairRequests(plan, { host, pod }, podOfScript(place)));
    script.mark("veth");
    script.pod(podEndRequests(plan, pod));
    script.mark("pod");
    script.host(hostEndRequests(plan, host));
    script.mark("host");
  }
  const links = attachments.map((_, place) => indexesAt(offset + place).host);
  if (removal === "group") {
    script.host(links.flatMap((index) => setLink({ index, group: GROUP })));
    script.host([deleteLinkGroup({ group: GROUP })]);
    script.mark("delete");
  } else if (removal === "each") {
    for (const index of links) {
      script.host([deleteLink({ index })]);
      script.mark("delete");
    }
  }
  return script;
}

/** Deletes links by their names. */
export function removalScript(names: readonly string[]): ReplayScript {
  const script = createScript();
  script.host(names.map((name) => deleteLink({ name })));
  script.mark("delete");
  return script;
}

/** Both of a pair differ: equal indexes look to the kernel like a link without a peer. */
function indexesAt(place: number): { host: number; pod: number } {
  return { host: FIRST_INDEX + 2 * place, pod: FIRST_INDEX + 2 * place + 1 };
}
