import type { RouteSocket } from "../../linux/route/socket.ts";
import { hostSideOf } from "../../podnet/host-drift.ts";
import type { KnownPod } from "../../podnet/observed-pods.ts";
import { type PodAttachment, type PodNetConfig, planPod } from "../../podnet/plan.ts";
import { type PodSideState, podProblems } from "../../podnet/pod-problems.ts";
import { readHostSide } from "./host-reader.ts";
import type { Target } from "./target.ts";

const MAIN_TABLE = 254;

/** Looks at both sides of a pod's network and tells what is wrong, in words. Also the MTU that the pod really has. */
export async function checkPod(
  attachment: PodAttachment,
  known: KnownPod,
  { host, target, config }: { readonly host: RouteSocket; readonly target: Target; readonly config: PodNetConfig },
): Promise<{ readonly problems: string[]; readonly mtu: number | undefined }> {
  const plan = planPod(attachment, config);
  // The index alone tells which pod is meant; the addresses are those that the caller believes in.
  const { ipv4, ipv6 } = attachment;
  const { ipv4: _ipv4, ipv6: _ipv6, ...marks } = known;
  const wantedHost = hostSideOf({ ...marks, ...(ipv4 ? { ipv4 } : {}), ...(ipv6 ? { ipv6 } : {}) }, config);
  const pod = await readPodSide(target.openSocket(), attachment.ifname);
  const problems = podProblems({
    wantedPod: plan.pod,
    wantedHost,
    pod,
    host: await readHostSide(host, known.index, config.podTable),
  });
  return { problems, mtu: pod.link?.mtu };
}

async function readPodSide(socket: RouteSocket, name: string): Promise<PodSideState> {
  const link = await socket.link({ name });
  if (!link) return { link, addresses: [], neighbours: [], routes: [] };
  const { index } = link;
  return {
    link,
    addresses: await socket.addresses({ index }),
    neighbours: await socket.neighbours({ index }),
    routes: [
      ...(await socket.routes({ family: "ipv4", table: MAIN_TABLE, index })),
      ...(await socket.routes({ family: "ipv6", table: MAIN_TABLE, index })),
    ],
  };
}
