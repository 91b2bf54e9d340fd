/** Caddy with `forward_auth`. */
import { upstreamField } from '../decision/tag.ts';
import { authorityOf, block, certificateFields, type Front, isTls, splitAuthority, titled } from './front.ts';

export function caddySnippet(front: Front): string {
  const { gateway, listen, mountPath, upstreams, fields, tellsCertificate } = front;
  const [host, port] = splitAuthority(listen);
  const copied = [...fields, upstreamField].map(titled);
  const identity = fields.filter((name) => name !== 'authorization').map(titled);
  const certificate = tellsCertificate
    ? [
        '# The certificate that the caller has shown, where this site has TLS with client_auth (RFC 9440).',
        'request_header Client-Cert ":{http.request.tls.client.certificate_der_base64}:"',
      ]
    : [];
  const services = upstreams.map((upstream) => {
    const { tag, urls } = upstream;
    const scheme = isTls(upstream) ? 'https://' : '';
    const targets = urls.map((url) => scheme + authorityOf(url)).join(' ');
    return `@to_${tag} header ${titled(upstreamField)} ${tag}
        handle @to_${tag} {
            request_header -${titled(upstreamField)}
            reverse_proxy ${targets} {
                header_up Host "${urls[0]!.host}"
            }
        }`;
  });
  return `# Sallyport decides, Caddy forwards. A Caddyfile, or a part of one.
#
# The decision names the upstream, so that no second table of paths is kept here.
# Routes that the gateway serves itself (respond, oauth, credential) are passed on to it; there it gets the token as well.

http://:${port} {
    bind ${host}
    route {
        # Fields with underscores are dropped: many servers take x_user for X-User. Then those that are the gateway's to say.
        request_header -*_*
        request_header -${titled(upstreamField)}
${block(
  '        ',
  [...identity, ...certificateFields].map((name) => `request_header -${name}`).concat(certificate),
)}

        # Method and path are asked about in X-Forwarded-Method and -Uri, by GET and without the body.
        vars sallyport_credentials {http.request.header.Authorization}
        forward_auth ${gateway} {
            uri ${mountPath}
            copy_headers ${copied.join(' ')}
        }

        # What the decision does not have was copied as an empty field, or as the name of its placeholder (2.6).
${block(
  '        ',
  copied.flatMap((name, index) => [
    `@none${index} header_regexp ${name} ^(?:\\x7bhttp[.]reverse_proxy[.].*)?$`,
    `request_header @none${index} -${name}`,
  ]),
)}

        ${services.join('\n        ')}
        handle {
            reverse_proxy ${gateway} {
                header_up Authorization {http.vars.sallyport_credentials}
            }
        }
    }
}
`;
}
