/**
 * Entry of a bare uWebSockets.js server: `bare.js STATUS BODY_BYTES`. The limit that a gateway on it can come near to, and
 * the upstream of the cases that forward. It sends the fields that the gateway sends, and looks at nothing.
 */
import { STATUS_CODES } from 'node:http';
import { loadDriver } from '../../gateway/native/uws.ts';

const [, , status, bodyBytes] = process.argv;
const statusLine = `${status} ${STATUS_CODES[Number(status)]}`;
const body = 'b'.repeat(Number(bodyBytes));
const requestId = '0123456789abcdef0123456789abcdef';

const driver = loadDriver();
driver._cfg('silent');
driver
  .App()
  .any('/*', (response, request) => {
    response.writeStatus(statusLine).writeHeader('x-request-id', requestId);
    const announced = Number(request.getHeader('content-length') || 0);
    // As the gateway has it: no length where there can be no body (RFC 9110 section 8.6).
    if (status === '204') return void response.endWithoutBody();
    if (announced === 0) return void response.end(body);
    response.onAborted(() => {});
    response.onData((_chunk, last) => {
      if (last) response.end(body);
    });
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('cannot listen');
    console.log(JSON.stringify({ msg: 'serving', port: driver.us_socket_local_port(socket) }));
  });
