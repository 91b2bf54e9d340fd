// Words of modelled memory are 64-bit bigints, which are slow to compare and to hash. Each distinct value gets a
// small number once; the machine then stores, compares and undoes numbers, and meets bigints only when a thread
// takes a path that it never took before.

export interface ValueTable {
  /** The number of a word; two words are equal exactly when their numbers are. */
  id(word: bigint): number;
  word(id: number): bigint;
}

export function createValueTable(): ValueTable {
  const ids = new Map<bigint, number>();
  const words: bigint[] = [];
  const table: ValueTable = {
    id(word) {
      const known = ids.get(word);
      if (known !== undefined) return known;
      ids.set(word, words.length);
      words.push(word);
      return words.length - 1;
    },
    word(id) {
      const word = words[id];
      if (word === undefined) throw new RangeError(`no value has the number ${id}`);
      return word;
    },
  };
  table.id(0n); // number 0 is the word 0, so fresh memory needs no filling
  return table;
}
