/** What the demo prints: where everything runs, and lines for a shell that show what the gateway does. */
import type { Client } from './people.ts';

export interface Addresses {
  readonly gateway: string;
  readonly admin: string;
  readonly issuer: string;
  readonly upstream: string;
  readonly logins: string;
}

/** Each line of the tour stands below a comment that begins with the status it is answered with. */
export function tour(at: Addresses, tokens: Readonly<Record<Client, string>>): string {
  const as = (client: Client): string => `-H 'Authorization: Bearer ${tokens[client]}'`;
  const stops = [
    ['200  bob may read orders', `curl -i ${at.gateway}/orders ${as('bob')}`],
    ['401  without a token', `curl -i ${at.gateway}/orders`],
    [
      '403  bob lacks orders:write',
      `curl -i -X PUT ${at.gateway}/orders/bob/cart -d '{"apples":3}' ${as('bob')}`,
    ],
    [
      '200  alice changes her own cart',
      `curl -i -X PUT ${at.gateway}/orders/alice/cart -d '{"apples":3}' ${as('alice')}`,
    ],
    [
      "403  but not bob's: the path must name the token's subject",
      `curl -i -X PUT ${at.gateway}/orders/bob/cart -d '{"apples":3}' ${as('alice')}`,
    ],
    ['200  carol is orders:admin, which grants the rest', `curl -i ${at.gateway}/orders ${as('carol')}`],
    ['200  public', `curl -i ${at.gateway}/health`],
    [
      '200  a fresh token from the issuer',
      `curl -i ${at.issuer}/token -u bob:bob-secret -d grant_type=client_credentials -d scope=orders:read`,
    ],
    [
      `403  no login is stored: open ${at.gateway}/login in a browser, log in, and try again`,
      `curl -i ${at.gateway}/inbox`,
    ],
    ['200  is it ready, and why', `curl -i '${at.admin}/readyz?verbose'`],
    ['200  metrics', `curl -i ${at.admin}/metrics`],
  ];
  return `
Sallyport serves.

  gateway   ${at.gateway}   examples/demo/sallyport.yaml
  issuer    ${at.issuer}   a real OpenID provider (oidc-provider)
  upstream  ${at.upstream}   answers with the request it got
  logins    ${at.logins}   where people log in (oidc-provider, too)
  admin     ${at.admin}   /readyz /livez /metrics
  console   ${at.admin}/-/console   open it in a browser

Open ${at.gateway}/login in a browser to log in, and paste these into another terminal:

${stops.map(([title, line]) => `  # ${title}\n  ${line}\n`).join('\n')}
Ctrl-C ends it all.
`;
}
