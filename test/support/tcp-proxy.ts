import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A wire between a client and a server on loopback that a test can damage. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections made so far. */
  readonly accepted: number;
  /** Breaks all connections as they are. */
  cut(): void;
  /** Breaks the next connections after this many bytes from the server; undefined ends it. */
  cutAfter(bytes: number | undefined): void;
  /** Nothing passes any more, in silence, on old and new connections, until `release`. */
  hold(): void;
  release(): void;
}

/** Listens on a free port of loopback and forwards to another. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let limit: number | undefined;
  let held = false;
  let accepted = 0;
  const listener = createServer((client) => {
    accepted++;
    const server = connect(targetPort, "127.0.0.1");
    const pair = { client, server };
    let left = limit;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on("data", (chunk: Buffer) => server.write(chunk));
    server.on("data", (chunk: Buffer) => {
      if (left === undefined || chunk.length <= left) client.write(chunk);
      else client.write(chunk.subarray(0, left), end);
      if (left !== undefined) left = Math.max(0, left - chunk.length);
    });
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    if (held) pause(pair);
  });
  const pause = ({ client, server }: { client: Socket; server: Socket }) => {
    client.pause();
    server.pause();
  };
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  const cut = () => {
    for (const { client, server } of [...pairs]) {
      client.resetAndDestroy();
      server.destroy();
    }
  };
  return {
    port: (listener.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    cut,
    cutAfter(bytes) {
      limit = bytes;
    },
    hold() {
      held = true;
      for (const pair of pairs) pause(pair);
    },
    release() {
      held = false;
      for (const { client, server } of pairs) {
        client.resume();
        server.resume();
      }
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
