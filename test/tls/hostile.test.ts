/**
 * Groups H, form, and U8, back-pressure, once more over TLS: the parser is the same; how bytes come and go, and how connections
 * end, is not.
 */
import { speakTls } from '../hardening/arena.ts';

speakTls();
await import('../hardening/http-in.test.ts');
await import('../hardening/http-streams.test.ts');
