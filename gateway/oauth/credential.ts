/**
 * Credentials, and what keeps them. The broker writes what providers grant and reads what requests need; how it lies on
 * disk is the store's affair (`store/`).
 */

import type { Fence } from './protocol/fence.ts';
import type { Stored } from './protocol/vault.ts';

/** Who is logged in where: both canonical, so that equal means the same. */
export interface CredentialId {
  /** A provider of the configuration, by its name. */
  readonly provider: string;
  readonly account: string;
}

/** Tokens that a provider granted. */
export interface GrantedTokens {
  readonly kind: 'tokens';
  readonly accessToken: string;
  /** Lower case, as it was announced: `bearer`. */
  readonly tokenType: string;
  /** Null: the access token cannot be renewed. */
  readonly refreshToken: string | null;
  /** The scopes that were granted, space-separated; null when the provider did not say. */
  readonly scope: string | null;
  /** The subject of the ID token; null without one. */
  readonly subject: string | null;
  readonly obtainedAtMs: number;
  /** Null when the provider did not say. Units: milliseconds since the epoch, as all times here. */
  readonly expiresAtMs: number | null;
  /** When the provider refused to renew, and the error code it gave (RFC 6749 section 5.2). Only a new login helps. */
  readonly refusal: { readonly code: string; readonly atMs: number } | null;
}

/** A credential that lives in a file of this host, kept by another program: no secret is copied. */
export interface LinkedCredential {
  readonly kind: 'linked';
  readonly linkedAtMs: number;
}

/** What is kept. Plain data of strings, numbers and null: `JSON.stringify` and back is the identity. */
export interface Credential {
  readonly id: CredentialId;
  readonly grant: GrantedTokens | LinkedCredential;
}

export interface StoredCredential {
  readonly credential: Credential;
  /** The fence it was written under. */
  readonly fence: Fence;
}

/** What is stored, as the protocols of a credential see it. */
export const storedGrant = ({ credential, fence }: StoredCredential): Stored<Credential['grant']> => ({
  grant: credential.grant,
  fence,
});

/** What the store lists without its secrets. */
export interface CredentialListing {
  readonly id: CredentialId;
  readonly kind: Credential['grant']['kind'];
  readonly expiresAtMs: number | null;
  readonly refused: boolean;
}

export type StoreFaultCode =
  /** The record was written under a larger fence: this writer is late. Nothing was changed. */
  | 'superseded'
  /** An update of a record that is not there any more. Nothing was changed. */
  | 'absent'
  /** The record is torn, foreign, swapped with another, or under a key we do not have. Others are not affected. */
  | 'unreadable'
  /** The system refused: no space, no permission. Whether a write took place is unknown. */
  | 'unavailable';

/** The store could not do as asked. `message` is for operators: it names no secret. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly code: StoreFaultCode;

  constructor(code: StoreFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Keeps credentials. Threads: each thread, and each process of the host, opens one of its own on the same records; the
 * comparison of fences and the replacement are one step against all of them. Errors: `StoreFault`, always.
 */
export interface CredentialStore {
  /** Null when there is none. Errors: unreadable, unavailable. */
  read(id: CredentialId): Promise<StoredCredential | null>;

  /**
   * Writes under a fence; durable when it resolves. Refuses a fence smaller than any that wrote or deleted the record;
   * an equal one is the same writer's again. `replace` writes whatever was there, an unreadable record too; `update` only
   * when a record is there. Returns what it took the place of; null when that was nothing, or unreadable.
   *
   * Errors: superseded, absent (`update`), unreadable (`update`), unavailable.
   */
  write(credential: Credential, fence: Fence, mode: 'replace' | 'update'): Promise<StoredCredential | null>;

  /**
   * Deletes the record, an unreadable one too, and remembers its fence, so that a late writer stays refused. With
   * `onlyFence` nothing is done unless the record was written under exactly that fence. Returns whether it deleted.
   */
  delete(id: CredentialId, onlyFence?: Fence): Promise<boolean>;

  /** All readable records. Unreadable ones are left out; `read` says what is wrong with them. */
  list(): Promise<readonly CredentialListing[]>;

  /** Lets go of files and watchers. */
  close(): Promise<void>;
}
