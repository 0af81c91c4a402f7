/** Which link: by its index, or by its name, which may be an alternative one in `altName`. */
export type LinkSelector = { readonly index: number } | { readonly name: string } | { readonly altName: string };

/** The members of a message that select a link. */
export function selectorOf(link: LinkSelector): {
  readonly header: { readonly ifi_index: number };
  readonly attributes: { readonly name?: string; readonly altName?: string };
} {
  if ("index" in link) return { header: { ifi_index: positive(link.index) }, attributes: {} };
  return { header: { ifi_index: 0 }, attributes: "name" in link ? { name: link.name } : { altName: link.altName } };
}

/** A selector in a sentence: `link 7`, `link "veth0"`. */
export function describeLink(link: LinkSelector): string {
  if ("index" in link) return `link ${link.index}`;
  return `link ${JSON.stringify("name" in link ? link.name : link.altName)}`;
}

/** To the kernel, 0 is "no index", and a deletion with other attributes would go elsewhere. */
function positive(index: number): number {
  if (!Number.isInteger(index) || index <= 0) throw new RangeError(`Cannot select link ${index}: an index is at least 1`);
  return index;
}
