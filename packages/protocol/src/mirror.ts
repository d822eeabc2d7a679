/**
 * Turns generated messages into the plain objects of our own packages and back, by descriptor:
 * the field names are the same, and
 *
 *     uint64 (bigint)            <->  number, checked to be a safe integer
 *     enum ROLE_PRE_CANDIDATE    <->  "pre-candidate"
 *     optional, absent           <->  null
 *     oneof { roleChanged: x }   <->  { kind: "role-changed", ...x }   (the tag's name is a choice)
 *     map<uint64, V>             <->  Record<number, V>
 *
 * What each message needs is worked out once per descriptor, at its first use.
 */
import type { DescEnum, DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { CodecError } from "./codec-error.ts";

type Fields = Record<string, unknown>;
type Convert = (value: unknown) => unknown;

interface MemberPlan {
  readonly name: string;
  readonly toPlain: Convert;
  readonly toWire: Convert;
}

interface Both {
  readonly toPlain: Convert;
  readonly toWire: Convert;
}

export interface Mirror {
  /** A generated message to a plain object. Throws CodecError. */
  toPlain(desc: DescMessage, message: unknown): unknown;
  /** A plain object to a generated message. Throws CodecError. */
  toWire(desc: DescMessage, plain: unknown): unknown;
}

/**
 * @param tag the property that names the case of a oneof: "kind" or "type".
 * @param nullable full names of the message fields whose absence means null; absence of any other
 *   is an error.
 */
export function createMirror(tag: string, nullable: ReadonlySet<string>): Mirror {
  const plans = new Map<DescMessage, readonly MemberPlan[]>();

  function planOf(desc: DescMessage): readonly MemberPlan[] {
    let plan = plans.get(desc);
    if (plan === undefined) {
      plan = desc.members.map((member) =>
        member.kind === "oneof" ? planOneof(member) : planField(desc, member),
      );
      plans.set(desc, plan);
    }
    return plan;
  }

  function messageToPlain(desc: DescMessage, message: Fields): Fields {
    const plain: Fields = {};
    for (const { name, toPlain } of planOf(desc)) plain[name] = toPlain(message[name]);
    return plain;
  }

  function messageToWire(desc: DescMessage, plain: unknown): Fields {
    if (typeof plain !== "object" || plain === null) {
      throw new CodecError("encode", desc.typeName, "an object", plain);
    }
    const fields = plain as Fields;
    // The shape that protobuf-es's create() gives a proto3 message, without its detours.
    const message: Fields = { $typeName: desc.typeName };
    for (const { name, toWire } of planOf(desc)) {
      const value = toWire(fields[name]);
      if (value !== undefined) message[name] = value;
    }
    return message;
  }

  const message = (desc: DescMessage): Both => ({
    toPlain: (value) => messageToPlain(desc, value as Fields),
    toWire: (value) => messageToWire(desc, value),
  });

  function planField(desc: DescMessage, field: DescField): MemberPlan {
    const path = `${desc.typeName}.${field.name}`;
    const name = field.localName;
    switch (field.fieldKind) {
      case "scalar":
        return field.proto.proto3Optional
          ? { name, ...orNull(scalar(path, field.scalar)) }
          : { name, ...scalar(path, field.scalar) };
      case "enum":
        return { name, ...enumeration(path, field.enum) };
      case "message":
        return nullable.has(path)
          ? { name, ...orNull(message(field.message)) }
          : { name, ...required(path, message(field.message)) };
      case "list":
        return { name, ...list(path, element(path, field)) };
      case "map":
        return { name, ...map(path, element(path, field)) };
    }
  }

  function element(path: string, field: DescField & { fieldKind: "list" | "map" }): Both {
    if (field.scalar !== undefined) return scalar(path, field.scalar);
    return field.enum === undefined ? message(field.message) : enumeration(path, field.enum);
  }

  function planOneof(oneof: DescOneof): MemberPlan {
    const path = `${oneof.parent.typeName}.${oneof.name}`;
    const byCase = new Map<unknown, { readonly tagValue: string; readonly desc: DescMessage }>();
    const byTag = new Map<unknown, { readonly wireCase: string; readonly desc: DescMessage }>();
    for (const field of oneof.fields) {
      if (field.fieldKind !== "message") throw new TypeError(`${path}: expected only messages`);
      const tagValue = kebab(field.name);
      byCase.set(field.localName, { tagValue, desc: field.message });
      byTag.set(tagValue, { wireCase: field.localName, desc: field.message });
    }
    const choices = [...byTag.keys()].join(", ");
    return {
      name: oneof.localName,
      toPlain(value) {
        const chosen = value as { readonly case?: string; readonly value?: Fields } | undefined;
        const found = byCase.get(chosen?.case);
        if (found === undefined || chosen?.value === undefined) {
          throw new CodecError("decode", path, `one of ${choices}`, "nothing");
        }
        return { [tag]: found.tagValue, ...messageToPlain(found.desc, chosen.value) };
      },
      toWire(value) {
        const tagValue = (value as Fields | null | undefined)?.[tag];
        const found = byTag.get(tagValue);
        if (found === undefined) {
          throw new CodecError("encode", path, `${tag} to be one of ${choices}`, tagValue);
        }
        return { case: found.wireCase, value: messageToWire(found.desc, value) };
      },
    };
  }

  return {
    toPlain: (desc, value) => messageToPlain(desc, value as Fields),
    toWire: (desc, value) => messageToWire(desc, value),
  };
}

/** The names of an enum's values, without their prefix and in kebab-case; the zero value has none. */
export function enumeration(path: string, desc: DescEnum): Both {
  const nameByNumber = new Map<unknown, string>();
  const numberByName = new Map<unknown, number>();
  for (const value of desc.values) {
    if (value.number === 0) continue;
    const name = kebab(value.localName);
    nameByNumber.set(value.number, name);
    numberByName.set(name, value.number);
  }
  const names = [...numberByName.keys()].join(", ");
  const numbers = [...nameByNumber].map(([number, name]) => `${String(number)} (${name})`);
  return {
    toPlain(value) {
      const name = nameByNumber.get(value);
      if (name === undefined) {
        throw new CodecError("decode", path, `one of ${numbers.join(", ")}`, value);
      }
      return name;
    },
    toWire(value) {
      const number = numberByName.get(value);
      if (number === undefined) throw new CodecError("encode", path, `one of ${names}`, value);
      return number;
    },
  };
}

function scalar(path: string, type: ScalarType): Both {
  switch (type) {
    case ScalarType.UINT64:
      return {
        toPlain(value) {
          const number = Number(value);
          if (Number.isSafeInteger(number)) return number;
          throw new CodecError("decode", path, "at most 2^53 - 1", value);
        },
        toWire(value) {
          if (Number.isSafeInteger(value) && (value as number) >= 0) return BigInt(value as number);
          throw new CodecError("encode", path, "a whole number from 0 to 2^53 - 1", value);
        },
      };
    case ScalarType.UINT32:
      return checked(path, "a whole number from 0 to 2^32 - 1", isUint32);
    case ScalarType.DOUBLE:
      return checked(path, "a number", (value) => typeof value === "number");
    case ScalarType.BOOL:
      return checked(path, "a boolean", (value) => typeof value === "boolean");
    case ScalarType.STRING:
      return checked(path, "a string", (value) => typeof value === "string");
    case ScalarType.BYTES:
      return checked(path, "bytes", (value) => value instanceof Uint8Array);
    default:
      throw new TypeError(`${path}: scalar type ${ScalarType[type]} is not mirrored`);
  }
}

const isUint32 = (value: unknown): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;

/** Already what it should be on the way in (protobuf-es saw to it); checked on the way out. */
function checked(path: string, expected: string, holds: (value: unknown) => boolean): Both {
  return {
    toPlain: (value) => value,
    toWire(value) {
      if (holds(value)) return value;
      throw new CodecError("encode", path, expected, value);
    },
  };
}

function orNull({ toPlain, toWire }: Both): Both {
  return {
    toPlain: (value) => (value === undefined ? null : toPlain(value)),
    toWire: (value) => (value === null ? undefined : toWire(value)),
  };
}

function required(path: string, { toPlain, toWire }: Both): Both {
  return {
    toPlain(value) {
      if (value === undefined) throw new CodecError("decode", path, "a value", "nothing");
      return toPlain(value);
    },
    toWire,
  };
}

function list(path: string, { toPlain, toWire }: Both): Both {
  return {
    toPlain: (value) => (value as unknown[]).map(toPlain),
    toWire(value) {
      if (!Array.isArray(value)) throw new CodecError("encode", path, "an array", value);
      return value.map(toWire);
    },
  };
}

function map(path: string, { toPlain, toWire }: Both): Both {
  const convert = (verb: "encode" | "decode", entries: object, each: Convert): Fields => {
    const converted: Fields = {};
    for (const [key, value] of Object.entries(entries)) {
      if (!Number.isSafeInteger(Number(key))) {
        throw new CodecError(verb, path, "keys of at most 2^53 - 1", key);
      }
      converted[key] = each(value);
    }
    return converted;
  };
  return {
    toPlain: (value) => convert("decode", value as object, toPlain),
    toWire(value) {
      if (typeof value === "object" && value !== null) return convert("encode", value, toWire);
      throw new CodecError("encode", path, "an object", value);
    },
  };
}

/** `role_changed`, `PRE_CANDIDATE` to `role-changed`, `pre-candidate`. */
function kebab(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
