import { encodeUtf8 } from "./utf8.ts";

/** A POST of a JSON document as HTTP/1.1, for a connection that carries nothing else. */
export function encodePost(path: string, document: unknown): Uint8Array<ArrayBuffer> {
  const body = encodeUtf8(JSON.stringify(document));
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: coild",
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Connection: close",
    "\r\n",
  ].join("\r\n");
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(encodeUtf8(head));
  bytes.set(body, head.length);
  return bytes;
}
