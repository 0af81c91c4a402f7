import { CNI_ERROR, CniError } from "./error.ts";
import { asList, asObject, asOptionalCount, asOptionalString, asString, isObject, type JsonObject } from "./json.ts";
import { NEWEST_VERSION } from "./version.ts";

/** A network interface. `sandbox` is the path of its namespace; absent for interfaces of the host. */
export interface CniInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

/** An address with its length, `10.0.0.1/32`. `interface` is an index into `interfaces`. */
export interface CniIp {
  readonly address: string;
  readonly gateway?: string;
  readonly interface?: number;
}

/** A route in the container. */
export interface CniRoute {
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

/** Name resolution for the container. */
export interface CniDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/** The result of an ADD in the shape of CNI 1.1.0; `formatResult` makes the others of it. */
export interface CniResult {
  readonly cniVersion: string;
  readonly interfaces?: readonly CniInterface[];
  readonly ips?: readonly CniIp[];
  readonly routes?: readonly CniRoute[];
  readonly dns?: CniDns;
}

/** Reads a result of any supported version: what older ones have more (`version` of an address) is left out. Throws `CniError` 6. */
export function parseResult(value: unknown, what: string): CniResult {
  const raw = asObject(value, what);
  const result = {
    cniVersion: NEWEST_VERSION,
    interfaces: asList(raw["interfaces"], `${what}.interfaces`).map((item, i) =>
      parseInterface(item, `${what}.interfaces[${i}]`),
    ),
    ips: asList(raw["ips"], `${what}.ips`).map((item, i) => parseIp(item, `${what}.ips[${i}]`)),
    routes: asList(raw["routes"], `${what}.routes`).map((item, i) => parseRoute(item, `${what}.routes[${i}]`)),
  };
  const stray = result.ips.find((ip) => ip.interface !== undefined && ip.interface >= result.interfaces.length);
  if (stray) {
    throw new CniError(
      CNI_ERROR.decodingFailure,
      `Cannot read ${what}: ${stray.address} is on interface ${stray.interface}, which is not in the list`,
    );
  }
  return isObject(raw["dns"]) ? { ...result, dns: parseDns(raw["dns"], `${what}.dns`) } : result;
}

function parseInterface(value: unknown, what: string): CniInterface {
  const raw = asObject(value, what);
  return compact({
    name: asString(raw["name"], `${what}.name`),
    mac: asOptionalString(raw["mac"], `${what}.mac`),
    mtu: asOptionalCount(raw["mtu"], `${what}.mtu`),
    sandbox: asOptionalString(raw["sandbox"], `${what}.sandbox`),
    socketPath: asOptionalString(raw["socketPath"], `${what}.socketPath`),
    pciID: asOptionalString(raw["pciID"], `${what}.pciID`),
  });
}

function parseIp(value: unknown, what: string): CniIp {
  const raw = asObject(value, what);
  return compact({
    address: asString(raw["address"], `${what}.address`),
    gateway: asOptionalString(raw["gateway"], `${what}.gateway`),
    interface: asOptionalCount(raw["interface"], `${what}.interface`),
  });
}

function parseRoute(value: unknown, what: string): CniRoute {
  const raw = asObject(value, what);
  const number = (key: string) => asOptionalCount(raw[key], `${what}.${key}`);
  return compact({
    dst: asString(raw["dst"], `${what}.dst`),
    gw: asOptionalString(raw["gw"], `${what}.gw`),
    mtu: number("mtu"),
    advmss: number("advmss"),
    priority: number("priority"),
    table: number("table"),
    scope: number("scope"),
  });
}

function parseDns(raw: JsonObject, what: string): CniDns {
  const texts = (key: string) =>
    raw[key] === undefined ? undefined : asList(raw[key], `${what}.${key}`).map((item) => asString(item, `${what}.${key}`));
  return compact({
    nameservers: texts("nameservers"),
    domain: asOptionalString(raw["domain"], `${what}.domain`),
    search: texts("search"),
    options: texts("options"),
  });
}

/** The same object without the keys whose value is undefined. */
type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Compact<T>;
}
