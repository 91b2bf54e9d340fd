/** Assertions: a failed one is a *defect* of ours, never an answer to a caller. It ends the thread that found it. */

export class Defect extends Error {
  override readonly name = 'Defect';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Defect(message);
}

/** Marks the branch that no member of a union can reach; a new member then fails to compile. */
export function unreachable(value: never): never {
  throw new Defect(`unreachable: ${String(value)}`);
}
