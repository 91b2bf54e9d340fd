/** Characters that are hashed: of a token 60 bits of its signature, which nobody but the signer can choose. */
const hashedLength = 10;

/** Hashes the end of a text to 30 bits: an integer that the engine keeps without an object. Takes a tenth of hashing a whole token. */
export function tailHash(text: string): number {
  let hash = 0;
  for (let i = Math.max(0, text.length - hashedLength); i < text.length; i += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  }
  // Spreads the last characters over all bits (Knuth, TAOCP volume 3, section 6.4), since the lowest two go.
  return Math.imul(hash, 0x9e3779b1) >>> 2;
}
