import { isStaleVersion } from "./api-error.ts";
import { ACCEPT_JSON, ACCEPT_METADATA_LIST, type Call } from "./caller.ts";
import type { KubeObject } from "./object.ts";
import type { ListOptions, ObjectList, Selection } from "./options.ts";
import { queryText, selectorQuery } from "./query.ts";
import { collectionPath, type Resource } from "./resource.ts";

const PAGE_SIZE = 500;

interface ListBody<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: T[] | null;
}

/** The pages of one list, all of one moment. Throws `ApiError` 410 when the server forgets that moment midway. */
export async function* listPages<T extends KubeObject>(
  call: Call,
  resource: Resource<T>,
  selection: Selection,
  options: ListOptions,
): AsyncGenerator<ObjectList<T>, void, undefined> {
  const path = collectionPath(resource, selection.namespace);
  const accept = options.metadataOnly ? ACCEPT_METADATA_LIST : ACCEPT_JSON;
  const limit = options.pageSize ?? PAGE_SIZE;
  let next: string | undefined;
  do {
    const query = queryText({ ...selectorQuery(selection), ...(limit > 0 && { limit }), continue: next });
    const { items, metadata } = await call<ListBody<T>>("GET", path + query, options, { accept });
    next = metadata.continue;
    yield { items: items ?? [], resourceVersion: metadata.resourceVersion };
  } while (next);
}

/** The whole list of one moment: in pages, or in one piece when the server forgets the moment of the first page too soon. */
export async function listAll<T extends KubeObject>(
  call: Call,
  resource: Resource<T>,
  selection: Selection,
  options: ListOptions,
): Promise<ObjectList<T>> {
  for (let pageSize = options.pageSize ?? PAGE_SIZE; ; pageSize = 0) {
    const items: T[] = [];
    let resourceVersion = "";
    try {
      for await (const page of listPages(call, resource, selection, { ...options, pageSize })) {
        for (const item of page.items) items.push(item);
        resourceVersion = page.resourceVersion;
      }
      return { items, resourceVersion };
    } catch (error) {
      if (pageSize === 0 || !isStaleVersion(error)) throw error;
    }
  }
}
