import { checkedTextFlag, durationFlag, integerFlag } from "../observe/flags.ts";
import { parseListenAddress } from "../observe/listen-address.ts";

/** Flags of coil-router. */
export const ROUTER_FLAGS = {
  "metrics-addr": checkedTextFlag(":9388", "address of /metrics; 0 for none", parseListenAddress),
  "health-addr": checkedTextFlag(":9389", "address of /healthz and /readyz; 0 for none", parseListenAddress),
  "protocol-id": integerFlag(31, "protocol number of its routes; must not be coild's", { min: 1, max: 255 }),
  "update-interval": durationFlag("10m", "time between two syncs when nothing changes"),
};
