/** Something wrong with an object, in the words the API server uses for it. */
export interface Problem {
  /** Path of the field, for example `spec.subnets[1].ipv4`. */
  readonly field: string;
  /** What is wrong, with the value, and what would be right. */
  readonly message: string;
  /**
   * Whether the object cannot be worked with. The others are refused when they are written, but objects that were stored before
   * the rule keep working.
   */
  readonly fatal: boolean;
}
