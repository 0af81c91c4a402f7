import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { join } from "node:path";

/** Listens where the plugin of the Go implementation looks for its daemon, and answers at once. */
export interface GrpcStandIn extends AsyncDisposable {
  readonly socket: string;
}

/** A gRPC server for `pkg.cnirpc.CNI`: `Add` gives `result`, all else an empty message. The socket lies in `folder`. */
export async function grpcStandIn(folder: string, result: object): Promise<GrpcStandIn> {
  const socket = join(folder, "grpc.sock");
  const added = framed(lengthDelimited(1, Buffer.from(JSON.stringify(result))));
  const empty = framed(Buffer.alloc(0));
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {}).once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    stream.once("end", () => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(String(headers[":path"]).endsWith("/Add") ? added : empty);
    });
  });
  server.listen(socket);
  await once(server, "listening");
  return {
    socket,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A protobuf field of bytes. */
function lengthDelimited(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** gRPC's five bytes before a message that is not compressed. */
function framed(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
