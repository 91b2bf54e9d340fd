/**
 * What is promised of calls over http:// holds for the client that serves https:// too: the same tests, told to use that one.
 * What encryption adds is not looked at here.
 */
// oxlint-disable import/no-unassigned-import -- the files are imported for the tests in them.
import { UndiciConnection } from '../../gateway/upstream/undici-connection.ts';
import { useClient } from './harness.ts';
import './abort-soak.test.ts';
import './forward.test.ts';
import './hostile.test.ts';
import './retry.test.ts';
import './stream.test.ts';
import './upstream.test.ts';

useClient((url, limits, changed) => new UndiciConnection(url, limits, changed));
