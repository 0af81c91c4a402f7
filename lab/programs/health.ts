import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { HealthAddress } from "./program.ts";

/** Why a program is not healthy, or undefined when it is. Must run where the address is reachable. */
export async function healthProblem({ url, socket }: HealthAddress, timeoutMs = 2000): Promise<string | undefined> {
  const secure = url.startsWith("https:");
  return new Promise((resolve) => {
    const call = (secure ? secureRequest : plainRequest)(
      url,
      // These certificates are signed by the programs themselves, and nothing secret is sent.
      {
        ...(secure && { rejectUnauthorized: false }),
        ...(socket !== undefined && { socketPath: socket }),
        timeout: timeoutMs,
        agent: false,
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          body = (body + text).slice(0, 1000);
        });
        response.on("end", () => resolve(response.statusCode === 200 ? undefined : `${response.statusCode} ${body.trim()}`));
        response.on("error", (error) => resolve(error.message));
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    call.on("error", (error) => resolve(error.message));
    call.end();
  });
}
