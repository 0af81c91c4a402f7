import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { formatAddress } from "../../src/ip/address.ts";
import { formatPrefix } from "../../src/ip/prefix.ts";
import type { PlannedEnd, PodPlan } from "../../src/podnet/plan.ts";

const execute = promisify(execFile);

/** A plan for the pod whose namespace is at `netns`. */
export interface IpJob {
  readonly plan: PodPlan;
  readonly netns: string;
}

/** What an administrator would write into files for `ip -batch`: the pair, the pod's end, the host's end. */
export function ipCommands({ plan, netns }: IpJob): { pair: string[]; pod: string[]; host: string[] } {
  const { host, pod, mtu } = plan;
  const size = mtu === 0 ? "" : `mtu ${mtu} `;
  return {
    pair: [
      `link add dev ${host.name} address ${host.mac} group ${host.group} ${size}type veth peer name ${pod.name} address ${pod.mac} ${size}netns ${netns}`,
      ...upCommands(host.name),
    ],
    pod: [...upCommands(pod.name), ...contentCommands(pod)],
    host: [
      `link property add dev ${host.name} ${host.altNames.map((name) => `altname ${name}`).join(" ")}`,
      ...contentCommands(host),
      `link set dev ${host.name} alias ${host.alias}`,
    ],
  };
}

function upCommands(name: string): string[] {
  return [`link set dev ${name} addrgenmode none`, `link set dev ${name} up`];
}

function contentCommands({ name, addresses, neighbours, routes }: PlannedEnd): string[] {
  return [
    ...addresses.map(
      ({ address, length, scope }) =>
        `address add ${formatAddress(address)}/${length} dev ${name} scope ${scope}${address.family === "ipv6" ? " nodad" : ""}`,
    ),
    ...neighbours.map(({ address, mac }) => `neighbour add ${formatAddress(address)} lladdr ${mac} nud permanent dev ${name}`),
    ...routes.map(({ destination, gateway, table, protocol, source, family, scope }) =>
      [
        `route add ${destination ? formatPrefix(destination) : "default"}`,
        ...(gateway ? [`via ${formatAddress(gateway)}`] : []),
        `dev ${name} table ${table} protocol ${protocol}`,
        ...(family === "ipv4" ? [`scope ${scope === "universe" ? "global" : scope}`] : []),
        ...(source ? [`src ${formatAddress(source)}`] : []),
      ].join(" "),
    ),
  ];
}

/** Sets the pods up one after the other, three runs of `ip -batch` each, out of a shell in the host's namespace. Gives ms a pod. */
export async function setUpByIp(jobs: readonly IpJob[], { host, folder }: { host: string; folder: string }): Promise<number> {
  const lines: string[] = [];
  for (const [i, job] of jobs.entries()) {
    for (const [part, commands] of Object.entries(ipCommands(job))) {
      const file = join(folder, `ip-${i}-${part}`);
      await writeFile(file, `${commands.join("\n")}\n`);
      lines.push(`${part === "pod" ? `nsenter --net=${job.netns} ` : ""}ip -batch ${file} || exit 1`);
    }
  }
  const script = join(folder, "ip-batches");
  await writeFile(script, `${lines.join("\n")}\n`);
  const started = performance.now();
  await execute("nsenter", [`--net=${host}`, "sh", script]);
  return (performance.now() - started) / jobs.length;
}
