import { addressEquals, tryParseAddress } from "../ip/address.ts";
import type { CniIp, CniResult } from "./result.ts";

/**
 * For CHECK: what of our `own` result is no longer in `previous`, the result of the whole chain, in words; empty is fine. Only names,
 * sandboxes and addresses are compared: plugins behind this one may change the MAC and the MTU and add interfaces, addresses and routes.
 */
export function missingFromPrevious(previous: CniResult, own: CniResult): string[] {
  const interfaces = (own.interfaces ?? []).filter(
    (wanted) => !previous.interfaces?.some((found) => found.name === wanted.name && !found.sandbox === !wanted.sandbox),
  );
  const ips = (own.ips ?? []).filter((wanted) => !previous.ips?.some((found) => isSameIp({ wanted, own, found, previous })));
  return [
    ...interfaces.map(({ name, sandbox }) => `prevResult has no interface ${name} ${sandbox ? "in the pod" : "on the host"}`),
    ...ips.map((ip) => `prevResult does not have ${ip.address} on ${interfaceName(own, ip) ?? "any interface"}`),
  ];
}

function isSameIp({
  wanted,
  own,
  found,
  previous,
}: {
  wanted: CniIp;
  own: CniResult;
  found: CniIp;
  previous: CniResult;
}): boolean {
  // A plugin in between may have dropped the index, which is optional.
  const sameInterface = found.interface === undefined || interfaceName(previous, found) === interfaceName(own, wanted);
  const [wantedText = "", wantedLength] = wanted.address.split("/");
  const [foundText = "", foundLength] = found.address.split("/");
  const [wantedAddress, foundAddress] = [tryParseAddress(wantedText), tryParseAddress(foundText)];
  if (!wantedAddress || !foundAddress) return false;
  return sameInterface && wantedLength === foundLength && addressEquals(wantedAddress, foundAddress);
}

function interfaceName(result: CniResult, ip: CniIp): string | undefined {
  return ip.interface === undefined ? undefined : result.interfaces?.[ip.interface]?.name;
}
