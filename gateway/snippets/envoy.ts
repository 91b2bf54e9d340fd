/** Envoy with the HTTP service of `envoy.filters.http.ext_authz`: a bootstrap that runs, or a part of one. */
import { upstreamField } from '../decision/tag.ts';
import {
  authorityOf,
  block,
  certificateFields,
  type Front,
  type FrontUpstream,
  isTls,
  splitAuthority,
} from './front.ts';

const type = (name: string): string => `"@type": type.googleapis.com/envoy.${name}`;

function socket(authority: string): string {
  const [host, port] = splitAuthority(authority);
  return `{ socket_address: { address: "${host}", port_value: ${port} } }`;
}

function cluster(name: string, authorities: readonly string[], tlsName: string | null = null): string {
  const endpoints = authorities.map((authority) => `- endpoint: { address: ${socket(authority)} }`);
  const tls =
    tlsName === null
      ? ''
      : `
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        ${type('extensions.transport_sockets.tls.v3.UpstreamTlsContext')}
        sni: "${tlsName}"
        common_tls_context:
          validation_context: { trusted_ca: { filename: /etc/ssl/certs/ca-certificates.crt } }`;
  return `  - name: ${name}
    type: STRICT_DNS
    connect_timeout: 2s${tls}
    load_assignment:
      cluster_name: ${name}
      endpoints:
      - lb_endpoints:
${block('        ', endpoints)}`;
}

const routeTo = ({
  tag,
  urls,
}: FrontUpstream): string => `- match: { prefix: /, headers: [{ name: ${upstreamField}, string_match: { exact: "${tag}" } }] }
  route: { cluster: sallyport_${tag}, host_rewrite_literal: "${urls[0]!.host}" }
  request_headers_to_remove: [${upstreamField}]`;

export function envoySnippet({ gateway, listen, mountPath, upstreams, fields }: Front): string {
  const identity = fields.filter((name) => name !== 'authorization');
  const clusters = upstreams.map((upstream) =>
    cluster(
      `sallyport_${upstream.tag}`,
      upstream.urls.map(authorityOf),
      isTls(upstream) ? upstream.urls[0]!.hostname : null,
    ),
  );
  return `# Sallyport decides, Envoy forwards. A bootstrap that runs as it is.
#
# The decision names the upstream (clear_route_cache lets the routes see it), so that no second table of paths is kept
# here. Routes that the gateway serves itself (respond, oauth, credential) are passed on to it.
# Paths are asked about and forwarded as they came: what has two readings is refused by the decision.
static_resources:
  listeners:
  - name: sallyport_front
    address: ${socket(listen)}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          ${type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager')}
          stat_prefix: sallyport_front
          normalize_path: false
          merge_slashes: false
          path_with_escaped_slashes_action: KEEP_UNCHANGED
          use_remote_address: true
          # Fields with underscores are dropped: many servers take x_user for X-User.
          common_http_protocol_options: { headers_with_underscores_action: DROP_HEADER }
          # Fields that are the gateway's to say are taken out before anything else.
          early_header_mutation_extensions:
          - name: envoy.http.early_header_mutation.header_mutation
            typed_config:
              ${type('extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation')}
              mutations:
${block(
  '              ',
  [...identity, upstreamField, ...certificateFields].map((name) => `- remove: ${name.toLowerCase()}`),
)}
          http_filters:
          - name: envoy.filters.http.ext_authz
            typed_config:
              ${type('extensions.filters.http.ext_authz.v3.ExtAuthz')}
              transport_api_version: V3
              failure_mode_allow: false
              status_on_error: { code: ServiceUnavailable }
              clear_route_cache: true
              http_service:
                server_uri: { uri: "http://${gateway}", cluster: sallyport, timeout: 5s }
                path_prefix: ${mountPath}
                authorization_response:
                  allowed_upstream_headers:
                    patterns:
${block(
  '                    ',
  [...fields, upstreamField].map((name) => `- exact: ${name}`),
)}
                  allowed_client_headers:
                    patterns: [{ exact: www-authenticate }, { exact: content-type }, { exact: retry-after }, { exact: allow }]
          - name: envoy.filters.http.router
            typed_config:
              ${type('extensions.filters.http.router.v3.Router')}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
${block(
  '              ',
  [...upstreams.map(routeTo), '- match: { prefix: / }\n  route: { cluster: sallyport }'].flatMap((text) =>
    text.split('\n'),
  ),
)}
  clusters:
${[cluster('sallyport', [gateway]), ...clusters].join('\n')}
`;
}
