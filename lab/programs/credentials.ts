import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../cluster/files.ts";
import { CERTIFICATES_DIRECTORY, CREDENTIALS_DIRECTORY } from "../cluster/layout.ts";

/** Users of the control plane, beside the ServiceAccounts of this project's programs. */
const USERS = {
  admin: { name: "admin", groups: ["system:masters"] },
  // Its controllers would otherwise each need a ServiceAccount of their own, whose roles are Kubernetes's matter.
  "kube-controller-manager": { name: "system:kube-controller-manager", groups: ["system:masters"] },
  "kube-scheduler": { name: "system:kube-scheduler", groups: [] },
  "kube-proxy": { name: "system:kube-proxy", groups: [] },
} as const;

export type ControlPlaneUser = keyof typeof USERS;

export const TOKEN_FILE = join(CREDENTIALS_DIRECTORY, "tokens.csv");
export const SERVICE_ACCOUNT_KEY = join(CREDENTIALS_DIRECTORY, "service-account.key");
/** Made by the API server when it starts for the first time: its certificate, and the authority that signed it. */
export const CERTIFICATE_AUTHORITY = join(CERTIFICATES_DIRECTORY, "apiserver.crt");

export function userKubeconfig(user: ControlPlaneUser): string {
  return join(CREDENTIALS_DIRECTORY, `${user}.kubeconfig`);
}

/** Makes the keys, tokens and kubeconfigs of a new lab. Does nothing when they are there. */
export function ensureCredentials(apiServer: string): void {
  if (existsSync(TOKEN_FILE)) return;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeWhole(SERVICE_ACCOUNT_KEY, privateKey.export({ type: "sec1", format: "pem" }) as string);
  const lines = Object.entries(USERS).map(([user, { name, groups }]) => {
    const token = randomBytes(24).toString("base64url");
    writeWhole(userKubeconfig(user as ControlPlaneUser), kubeconfigText({ server: apiServer, user: name, token }));
    return `${token},${name},${user},"${groups.join(",")}"\n`;
  });
  // Last: its presence says that all are there.
  writeWhole(TOKEN_FILE, lines.join(""));
}

/** The token of the lab's administrator. */
export function adminToken(): string {
  const line = readFileSync(TOKEN_FILE, "utf8")
    .split("\n")
    .find((text) => text.includes(",admin,"));
  return line?.split(",")[0] ?? "";
}

/** A kubeconfig, as the JSON that YAML is a superset of. The token is given itself or by the name of a file. */
export function kubeconfigText(options: { server: string; user: string; token?: string; tokenFile?: string }): string {
  const { server, user, token, tokenFile } = options;
  const value = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "coil-lab",
    contexts: [{ name: "coil-lab", context: { cluster: "coil-lab", user } }],
    clusters: [{ name: "coil-lab", cluster: { server, "certificate-authority": CERTIFICATE_AUTHORITY } }],
    users: [{ name: user, user: { ...(token !== undefined && { token }), ...(tokenFile !== undefined && { tokenFile }) } }],
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
