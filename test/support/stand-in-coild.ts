import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** Something that listens where the plugin looks for coild. */
export interface StandIn extends AsyncDisposable {
  readonly socket: string;
  /** The folder of the socket, gone at the end. */
  readonly folder: string;
  /** Calls so far, oldest first (HTTP only). */
  readonly calls: readonly StandInCall[];
}

/** The body of a call as it came over the wire. */
export interface StandInBody {
  readonly cniVersion: string;
  readonly containerId?: string;
  readonly ifname?: string;
  readonly netns?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface StandInCall {
  readonly path: string;
  readonly body: StandInBody;
}

/** What to answer: a document with status 200, or another status with it. */
export type StandInAnswer = object | { readonly status: number; readonly document: unknown };

/** Answers HTTP calls as coild would, from a function. */
export async function standInCoild(
  answer: (
    call: StandInCall,
    request: IncomingMessage,
    response: ServerResponse,
  ) => StandInAnswer | undefined | Promise<StandInAnswer | undefined>,
): Promise<StandIn> {
  const calls: StandInCall[] = [];
  const server = createHttpServer((request, response) => {
    void (async () => {
      const call = { path: request.url ?? "", body: JSON.parse(await text(request)) as StandInBody };
      calls.push(call);
      const reply = await answer(call, request, response);
      if (!reply) return;
      const { status, document } = "status" in reply ? reply : { status: 200, document: reply };
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
    })();
  });
  return listen(server, calls);
}

/** Treats every connection as the function does. */
export function standInSocket(onConnection: (socket: Socket) => void): Promise<StandIn> {
  return listen(createServer(onConnection), []);
}

async function listen(server: Server, calls: readonly StandInCall[]): Promise<StandIn> {
  const directory = await createTemporaryDirectory("coil-stand-in-");
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  });
  const socket = join(directory.path, "coild.sock");
  server.listen(socket);
  await once(server, "listening");
  return {
    socket,
    folder: directory.path,
    calls,
    async [Symbol.asyncDispose]() {
      for (const open of sockets) open.destroy();
      server.close();
      await once(server, "close");
      await directory[Symbol.asyncDispose]();
    },
  };
}
