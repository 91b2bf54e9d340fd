/**
 * A map for entries that come and go by the thousand, such as what is under way.
 *
 * V8 makes a new table for a `Map` whose places are used up, and the former table points to it. Once one of them has moved to the
 * old space, a scavenge takes it for alive, dead or not, and with it every later table and all that stood there: 2 KiB for
 * each token verified, copied while the event loop stands still. A new `Map` now and then cuts that chain.
 */

/** Entries set before the map is copied; with many entries under way, twice as many as those. */
const settingsMin = 1024;

export class BriefMap<K, V> {
  #map = new Map<K, V>();
  #settings = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  set(key: K, value: V): void {
    this.#settings += 1;
    if (this.#settings > settingsMin + 2 * this.#map.size) this.#renew();
    this.#map.set(key, value);
  }

  delete(key: K): boolean {
    return this.#map.delete(key);
  }

  /** In the order in which they came. Meanwhile entries may be deleted, but none be set. */
  values(): IterableIterator<V> {
    return this.#map.values();
  }

  clear(): void {
    this.#map = new Map();
    this.#settings = 0;
  }

  #renew(): void {
    this.#map = new Map(this.#map);
    this.#settings = 0;
  }
}
