import { HOST_LITTLE_ENDIAN } from "./byte-order.ts";
import type { ByteView } from "./byte-view.ts";
import type { Codec, ValueOf } from "./codec.ts";
import { NLA_F_NESTED, NLA_TYPE_MASK } from "./constants.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import type { MessageWriter } from "./writer.ts";

/** Bytes of `struct nlattr`. */
const HEADER_BYTES = 4;

/** What attributes a message or a nest has: our names, the kernel's numbers, and how the values are written. */
export type AttributeTable = Readonly<Record<string, { readonly type: number; readonly codec: Codec<unknown> }>>;

/** An attribute that the table does not have; `type` is with its flags. */
export interface UnknownAttribute {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The values of a table's attributes. Of an attribute that comes twice the last one counts, as in the kernel. */
export type Attributes<Table extends AttributeTable> = {
  readonly [Name in keyof Table]?: ValueOf<Table[Name]["codec"]> | undefined;
} & { readonly unknown?: readonly UnknownAttribute[] };

/**
 * The codec of all attributes of `table`, for a message or for a nest. With `unknown: "drop"` it does not keep attributes that
 * are not in the table: what dumps of thousands of objects can do without.
 */
export function attributeSet<const Table extends AttributeTable>(
  table: Table,
  options: { readonly unknown: "keep" | "drop" } = { unknown: "keep" },
): Codec<Attributes<Table>> {
  const keep = options.unknown === "keep";
  const entries = Object.entries(table).map(([name, { type, codec }]) => ({ name, type, codec }));
  const byType = new Map(entries.map((entry) => [entry.type, entry]));
  return {
    nested: true,
    encode(writer, values: Readonly<Record<string, unknown>> & { unknown?: readonly UnknownAttribute[] }) {
      for (const entry of entries) {
        const value = values[entry.name];
        if (value !== undefined) writeAttribute(writer, entry, value);
      }
      for (const { type, payload } of values.unknown ?? []) writeRaw(writer, type, payload);
    },
    decode(view, start, end) {
      const values: Record<string, unknown> = {};
      const unknown: UnknownAttribute[] = [];
      eachAttribute(view, start, end, (type, from, to) => {
        const known = byType.get(type & NLA_TYPE_MASK);
        if (known) values[known.name] = known.codec.decode(view, from, to);
        else if (keep) unknown.push({ type, payload: view.bytes.slice(from, to) });
      });
      if (unknown.length > 0) values["unknown"] = unknown;
      return values as Attributes<Table>;
    },
  };
}

/** A nest that holds the same attribute again and again. Others in it are passed over. */
export function listOf<T>(type: number, codec: Codec<T>): Codec<readonly T[]> {
  return {
    nested: true,
    encode(writer, values) {
      for (const value of values) writeAttribute(writer, { type, codec }, value);
    },
    decode(view, start, end) {
      const values: T[] = [];
      eachAttribute(view, start, end, (found, from, to) => {
        if ((found & NLA_TYPE_MASK) === type) values.push(codec.decode(view, from, to));
      });
      return values;
    },
  };
}

/** Visits each attribute between `start` and `end`: its type with flags, and where its payload begins and ends. */
export function eachAttribute(
  view: ByteView,
  start: number,
  end: number,
  visit: (type: number, from: number, to: number) => void,
): void {
  let at = start;
  while (at < end) {
    if (end - at < HEADER_BYTES) throw new MessageSyntaxError(`an attribute's header is cut off`, at);
    const length = view.data.getUint16(at, HOST_LITTLE_ENDIAN);
    if (length < HEADER_BYTES || at + length > end) throw new MessageSyntaxError(`an attribute has the bad length ${length}`, at);
    visit(view.data.getUint16(at + 2, HOST_LITTLE_ENDIAN), at + HEADER_BYTES, at + length);
    at += (length + 3) & ~3;
  }
}

function writeAttribute<T>(writer: MessageWriter, { type, codec }: { type: number; codec: Codec<T> }, value: T): void {
  const at = begin(writer, codec.nested ? type | NLA_F_NESTED : type);
  codec.encode(writer, value);
  finish(writer, at);
}

function writeRaw(writer: MessageWriter, type: number, payload: Uint8Array): void {
  const at = begin(writer, type);
  writer.raw(payload);
  finish(writer, at);
}

function begin(writer: MessageWriter, type: number): number {
  const at = writer.length;
  writer.u16(0);
  writer.u16(type);
  return at;
}

function finish(writer: MessageWriter, at: number): void {
  const length = writer.length - at;
  if (length > 0xffff) throw new RangeError(`Cannot encode a netlink attribute: ${length} bytes are more than it can hold`);
  writer.patchU16(at, length);
  writer.align();
}
