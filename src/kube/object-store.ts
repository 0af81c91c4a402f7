import type { KubeObject } from "./object.ts";

/** A difference between what was known and what is. */
export type Change<T> =
  | { readonly type: "added"; readonly object: T }
  | { readonly type: "modified"; readonly object: T; readonly old: T }
  /** `object` is the last state; that of the moment of deletion if the server told it. */
  | { readonly type: "deleted"; readonly object: T; readonly old: T };

/** The keys under which an object is found in an index; often one, or none. */
export type IndexFunction<T> = (object: T) => readonly string[];

interface Index<T> {
  readonly keysOf: IndexFunction<T>;
  readonly entries: Map<string, Set<string>>;
}

/** Objects of one resource by namespace and name, with indexes. An object under the name of another one replaces it: deleted, then added. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  get size(): number {
    return this.#objects.size;
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#objects.get(storeKey(name, namespace));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** Throws `TypeError` when the name is taken. Objects that are already there are indexed. */
  addIndex(name: string, keysOf: IndexFunction<T>): void {
    if (this.#indexes.has(name)) throw new TypeError(`There is already an index ${name}`);
    const index: Index<T> = { keysOf, entries: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) insert(index, key, object);
  }

  /** Throws `TypeError` when there is no such index. */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`There is no index ${name}`);
    const found: T[] = [];
    for (const key of index.entries.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object) found.push(object);
    }
    return found;
  }

  /** Takes over one object. `notify` is called after the store has it; not at all when this version is already known. */
  put(object: T, notify: (change: Change<T>) => void): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (old && old.metadata.uid !== object.metadata.uid) {
      this.#drop(key, old);
      notify({ type: "deleted", object: old, old });
    } else if (old) {
      if (isSameVersion(old, object)) return;
      this.#drop(key, old);
      this.#set(key, object);
      notify({ type: "modified", object, old });
      return;
    }
    this.#set(key, object);
    notify({ type: "added", object });
  }

  /** Forgets one object; `object` is its last state. */
  remove(object: T, notify: (change: Change<T>) => void): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (!old) return;
    this.#drop(key, old);
    notify({ type: "deleted", object, old });
  }

  /** Makes the store equal to `objects`: deletions first, then the rest in order. */
  replace(objects: ReadonlyMap<string, T>, notify: (change: Change<T>) => void): void {
    for (const [key, old] of [...this.#objects]) {
      if (objects.has(key)) continue;
      this.#drop(key, old);
      notify({ type: "deleted", object: old, old });
    }
    for (const object of objects.values()) this.put(object, notify);
  }

  #set(key: string, object: T): void {
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) insert(index, key, object);
  }

  #drop(key: string, object: T): void {
    this.#objects.delete(key);
    for (const { keysOf, entries } of this.#indexes.values()) {
      for (const value of keysOf(object)) {
        const keys = entries.get(value);
        keys?.delete(key);
        if (keys?.size === 0) entries.delete(value);
      }
    }
  }
}

/** The key of an object in maps: `namespace/name`, or `name` alone. */
export function keyOf(object: KubeObject): string {
  return storeKey(object.metadata.name, object.metadata.namespace);
}

/** Whether both are the same version of the same object. */
export function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}

function storeKey(name: string, namespace: string | undefined): string {
  return namespace ? `${namespace}/${name}` : name;
}

function insert<T>({ keysOf, entries }: Index<T>, key: string, object: T): void {
  for (const value of keysOf(object)) {
    const keys = entries.get(value);
    if (keys) keys.add(key);
    else entries.set(value, new Set([key]));
  }
}
