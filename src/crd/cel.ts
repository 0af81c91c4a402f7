/** One entry of `x-kubernetes-validations`: a rule the API server evaluates when an object is written. */
export interface ValidationRule {
  /** CEL that is true for a good value. `self` is the value, `oldSelf` the one before. */
  readonly rule: string;
  /** What is said when there is no `messageExpression`, or its text is too long or has line breaks. */
  readonly message: string;
  /** CEL that makes the text for a refused value. */
  readonly messageExpression?: string;
  readonly reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired";
  /** The field the error is shown at, below the one that has the rule. */
  readonly fieldPath?: string;
  /** Evaluate a rule with `oldSelf` also where there is no old value; `oldSelf` is then an optional. */
  readonly optionalOldSelf?: true;
}

/** CEL over several lines, without the indentation of the source it was written in. */
export function cel(text: string): string {
  const lines = text.replace(/^\n/, "").trimEnd().split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join("\n");
}

/** CEL for "the text x is a network of the family", as `isCIDR` understands networks: no zones, no IPv4-mapped IPv6. */
export function isNetwork(x: string, family: "ipv4" | "ipv6"): string {
  return `isCIDR(${x}) && cidr(${x}).ip().family() == ${family === "ipv4" ? 4 : 6}`;
}

/** CEL for a list of `count` numbers. CEL has neither ranges nor indices of iteration. */
export function numbers(count: number, value: (n: number) => number): string {
  return `[${Array.from({ length: count }, (_, n) => value(n)).join(", ")}]`;
}
