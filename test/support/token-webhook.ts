import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Who a token stands for, as admission and authorization see it. */
export interface TokenUser {
  readonly user: string;
  readonly groups: readonly string[];
}

/** The API server's token webhook: lets a test hand out tokens for any user and take them back. */
export interface TokenWebhook extends AsyncDisposable {
  readonly url: string;
  issue(user: TokenUser): string;
  revoke(token: string): void;
}

interface TokenReview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: { readonly token: string };
}

/** Listens on loopback. Does not keep the process alive. */
export async function startTokenWebhook(): Promise<TokenWebhook> {
  const users = new Map<string, TokenUser>();
  const review = ({ apiVersion, kind, spec }: TokenReview) => {
    const found = users.get(spec.token);
    if (!found) return { apiVersion, kind, status: { authenticated: false } };
    return {
      apiVersion,
      kind,
      status: { authenticated: true, user: { username: found.user, uid: found.user, groups: found.groups } },
    };
  };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(review(JSON.parse(body) as TokenReview)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    issue(user) {
      const token = randomBytes(16).toString("hex");
      users.set(token, user);
      return token;
    },
    revoke: (token) => void users.delete(token),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
