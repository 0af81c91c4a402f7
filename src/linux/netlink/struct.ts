import { HOST_LITTLE_ENDIAN } from "./byte-order.ts";
import type { ByteView } from "./byte-view.ts";
import { MessageSyntaxError } from "./message-syntax-error.ts";
import type { MessageWriter } from "./writer.ts";

/** The C types of the members that netlink's structures have. */
export type FieldType = "u8" | "u16" | "u32" | "s32";

const FIELD_BYTES: Readonly<Record<FieldType, number>> = { u8: 1, u16: 2, u32: 4, s32: 4 };

/** Values of the members; in a request a member that is left out is 0. */
export type FieldValues<Fields> = { readonly [Name in keyof Fields]?: number };

/** The layout of a C structure without holes: members under their C names, in their order. */
export interface Struct<Fields extends Readonly<Record<string, FieldType>>> {
  /** `ifinfomsg` of `struct ifinfomsg`. */
  readonly name: string;
  readonly fields: Fields;
  readonly size: number;
  offsetOf(field: keyof Fields & string): number;
  encode(writer: MessageWriter, values: FieldValues<Fields>): void;
  /** Reads the members at `start`. Throws {@link MessageSyntaxError} when `end` comes too early. */
  decode(view: ByteView, start: number, end: number): { readonly [Name in keyof Fields]: number };
}

/** Describes a C structure. Members must be aligned by themselves, padding named as in the header. */
export function defineStruct<const Fields extends Readonly<Record<string, FieldType>>>(
  name: string,
  fields: Fields,
): Struct<Fields> {
  const layout: { name: string; type: FieldType; offset: number }[] = [];
  let size = 0;
  for (const [field, type] of Object.entries(fields)) {
    layout.push({ name: field, type, offset: size });
    size += FIELD_BYTES[type];
  }
  return {
    name,
    fields,
    size,
    offsetOf: (field) => layout.find((member) => member.name === field)!.offset,
    encode(writer, values: Readonly<Record<string, number | undefined>>) {
      for (const member of layout) write(writer, member.type, values[member.name] ?? 0);
    },
    decode(view, start, end) {
      if (end - start < size) throw new MessageSyntaxError(`struct ${name} is cut off`, start);
      const values: Record<string, number> = {};
      for (const member of layout) values[member.name] = read(view.data, member.type, start + member.offset);
      return values as { readonly [Name in keyof Fields]: number };
    },
  };
}

function write(writer: MessageWriter, type: FieldType, value: number): void {
  if (type === "u8") writer.u8(value);
  else if (type === "u16") writer.u16(value);
  else writer.u32(value >>> 0);
}

function read(data: DataView, type: FieldType, offset: number): number {
  switch (type) {
    case "u8":
      return data.getUint8(offset);
    case "u16":
      return data.getUint16(offset, HOST_LITTLE_ENDIAN);
    case "u32":
      return data.getUint32(offset, HOST_LITTLE_ENDIAN);
    case "s32":
      return data.getInt32(offset, HOST_LITTLE_ENDIAN);
  }
}
