import { checkedTextFlag, durationFlag, ignoredFlag, integerFlag, textFlag } from "../../observe/flags.ts";
import { parseListenAddress } from "../../observe/listen-address.ts";

/** Flags of coil-ipam-controller. Those of the Go implementation's webhooks are accepted: there are no webhooks to serve. */
export const IPAM_CONTROLLER_FLAGS = {
  "metrics-addr": checkedTextFlag(":9386", "address of /metrics; 0 for none", parseListenAddress),
  "health-addr": checkedTextFlag(":9387", "address of /healthz and /readyz; 0 for none", parseListenAddress),
  "gc-interval": durationFlag("1h", "time between two full comparisons with the API server"),
  "vanished-node-grace": durationFlag("3s", "how long a Node must be gone before its blocks are freed"),
  "leader-election-namespace": textFlag("kube-system", "namespace of the Lease coil-ipam-leader"),
  workers: integerFlag(32, "block requests that are answered at the same time", { min: 1, max: 256 }),
  "webhook-addr": ignoredFlag("there are no webhooks"),
  "cert-dir": ignoredFlag("there are no webhooks"),
  "enable-cert-rotation": ignoredFlag("there are no webhooks", { isBoolean: true }),
  "enable-restart-on-cert-refresh": ignoredFlag("there are no webhooks", { isBoolean: true }),
};
