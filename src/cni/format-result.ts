import type { CniInterface, CniIp, CniResult, CniRoute } from "./result.ts";
import { type CniVersion, versionAtLeast } from "./version.ts";

/**
 * The result as a document of `version`, for stdout: before 1.1.0 interfaces have name, mac and sandbox only and routes dst and gw;
 * before 1.0.0 every address says its IP version.
 */
export function formatResult(result: CniResult, version: CniVersion): Record<string, unknown> {
  const newest = versionAtLeast(version, "1.1.0");
  const one = versionAtLeast(version, "1.0.0");
  return {
    cniVersion: version,
    ...(result.interfaces ? { interfaces: newest ? result.interfaces : result.interfaces.map(oldInterface) } : {}),
    ...(result.ips ? { ips: one ? result.ips : result.ips.map(oldIp) } : {}),
    ...(result.routes ? { routes: newest ? result.routes : result.routes.map(oldRoute) } : {}),
    dns: result.dns ?? {},
  };
}

function oldInterface({ name, mac, sandbox }: CniInterface): Record<string, unknown> {
  return { name, ...(mac === undefined ? {} : { mac }), ...(sandbox === undefined ? {} : { sandbox }) };
}

function oldIp(ip: CniIp): Record<string, unknown> {
  return { version: ip.address.includes(":") ? "6" : "4", ...ip };
}

function oldRoute({ dst, gw }: CniRoute): Record<string, unknown> {
  return { dst, ...(gw === undefined ? {} : { gw }) };
}
