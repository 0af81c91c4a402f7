import type { Codec } from "./codec.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import type { FieldType, FieldValues, Struct } from "./struct.ts";
import { MessageWriter } from "./writer.ts";

/** A structure and the attributes behind it: what most messages, and some attributes, consist of. */
export interface Body<Fields, Values> {
  readonly header: FieldValues<Fields>;
  readonly attributes: Values;
}

/** As {@link Body}, with all members of the structure, as it comes from the kernel. */
export interface DecodedBody<Fields, Values> extends Body<Fields, Values> {
  readonly header: { readonly [Name in keyof Fields]: number };
}

/** The codec of a structure with attributes behind it. */
export interface BodyCodec<Fields, Values> extends Codec<Body<Fields, Values>> {
  decode(...where: Parameters<Codec<unknown>["decode"]>): DecodedBody<Fields, Values>;
}

/** Puts attributes behind a structure. */
export function bodyOf<Fields extends Readonly<Record<string, FieldType>>, Values>(
  struct: Struct<Fields>,
  attributes: Codec<Values>,
): BodyCodec<Fields, Values> {
  const attributesAt = (struct.size + 3) & ~3;
  return {
    encode(writer, body) {
      struct.encode(writer, body.header);
      writer.align();
      attributes.encode(writer, body.attributes);
    },
    decode(view, start, end) {
      if (end - start < attributesAt) throw new MessageSyntaxError(`struct ${struct.name} is cut off`, start);
      return { header: struct.decode(view, start, end), attributes: attributes.decode(view, start + attributesAt, end) };
    },
  };
}

/** Memory for {@link encode}, which leaves nothing in it. */
const scratch = new MessageWriter(1024);

/** The bytes of a value: the payload of a request. */
export function encode<T>(codec: Pick<Codec<T>, "encode">, value: T): Uint8Array<ArrayBuffer> {
  scratch.reset();
  codec.encode(scratch, value);
  return scratch.written.slice();
}
