/** nginx with `auth_request` (ngx_http_auth_request_module). */
import { upstreamField } from '../decision/tag.ts';
import { authorityOf, block, certificateFields, type Front, isTls, titled } from './front.ts';

const variable = (name: string): string => `$sallyport_field_${name.replaceAll(/[^a-z0-9]/g, '_')}`;

export function nginxSnippet({ gateway, listen, mountPath, upstreams, fields }: Front): string {
  const identity = fields.filter((name) => name !== 'authorization');
  const pools = upstreams.map(
    ({ tag, urls }) =>
      `upstream sallyport_${tag} {\n${block(
        '    ',
        urls.map((url) => `server ${authorityOf(url)};`),
      )}\n    keepalive 64;\n}`,
  );
  const mapped = (values: readonly string[]): string => block('    ', values);
  const names = upstreams.filter(isTls).map(({ tag, urls }) => `"${tag}" "${urls[0]!.hostname}";`);
  const tlsNames =
    names.length === 0
      ? ''
      : `map $sallyport_upstream $sallyport_tls_name {\n    default "";\n${mapped(names)}\n}\n`;
  const tlsLines =
    names.length > 0
      ? [
          '',
          'proxy_ssl_server_name on;',
          'proxy_ssl_name $sallyport_tls_name;',
          'proxy_ssl_verify on;',
          'proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;',
        ]
      : [];
  return `# Sallyport decides, nginx forwards. Belongs into \`http { }\`, for example as a file in conf.d.
#
# The decision names the upstream, so that no second table of paths is kept here: \`location /\` is all there is.
# Paths are asked about and forwarded as they came ($request_uri; proxy_pass without a URI); nginx rewrites neither.
# Routes that the gateway serves itself (respond, oauth, credential) are passed on to it.
# nginx's own limits hold as well, for example client_max_body_size (1 MiB unless you say otherwise).

upstream sallyport {
    server ${gateway};
    keepalive 64;
    keepalive_timeout 10s; # The gateway closes what is silent for longer.
}
${pools.join('\n')}

map $sallyport_upstream $sallyport_target {
    default http://sallyport;
${mapped(upstreams.map((each) => `"${each.tag}" ${isTls(each) ? 'https' : 'http'}://sallyport_${each.tag};`))}
}
map $sallyport_upstream $sallyport_host {
    default $http_host;
${mapped(upstreams.map(({ tag, urls }) => `"${tag}" "${urls[0]!.host}";`))}
}
${tlsNames}# The token goes no further, unless the route forwards it. The gateway itself gets it.
map $sallyport_upstream $sallyport_credentials {
    default $http_authorization;
${mapped(upstreams.map(({ tag }) => `"${tag}" ${variable('authorization')};`))}
}

server {
    listen ${listen};

    # Fields with underscores are dropped: many servers take x_user for X-User.
    underscores_in_headers off;
    ignore_invalid_headers on;

    location / {
        auth_request /.sallyport;
        auth_request_set $sallyport_upstream $upstream_http_${upstreamField.replaceAll('-', '_')};
        auth_request_set ${variable('authorization')} $upstream_http_authorization;
${block(
  '        ',
  identity.map((name) => `auth_request_set ${variable(name)} $upstream_http_${name.replaceAll('-', '_')};`),
)}

        # Set from the decision; an empty value takes out what the caller sent.
${block(
  '        ',
  identity.map((name) => `proxy_set_header ${titled(name)} ${variable(name)};`),
)}
        proxy_set_header ${titled(upstreamField)} "";
        proxy_set_header Authorization $sallyport_credentials;
        proxy_set_header Host $sallyport_host;
        # nginx cannot say in this field what certificate it was shown (RFC 9440): tokens that are bound to one are refused.
${block(
  '        ',
  certificateFields.map((name) => `proxy_set_header ${name} "";`),
)}
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header Connection "";
        proxy_http_version 1.1;
        proxy_pass $sallyport_target;
${block('        ', tlsLines)}

        # auth_request makes a 500 of everything but 2xx, 401 and 403. Ours is a 503, and so is a gateway that is down.
        error_page 500 = @sallyport_down;
    }

    location = /.sallyport {
        internal;
        proxy_pass http://sallyport${mountPath};
        proxy_pass_request_body off;
        proxy_pass_request_headers off;
        proxy_set_header Content-Length "";
        proxy_set_header Connection "";
        proxy_set_header Authorization $http_authorization;
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Original-URI $request_uri;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_http_version 1.1;
        proxy_connect_timeout 2s;
        proxy_read_timeout 5s;
        # Room for the fields of a decision.
        proxy_buffer_size 64k;
        proxy_buffers 4 64k;
        proxy_busy_buffers_size 128k;
    }

    location @sallyport_down {
        internal;
        add_header Retry-After 1 always;
        return 503;
    }
}
`.replaceAll(/\n{3,}/g, '\n\n');
}
