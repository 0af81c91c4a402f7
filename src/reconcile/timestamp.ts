/** RFC 3339 text of `ms` since the epoch, in whole seconds as the API server writes its own. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
