/** The forms of the page. Each carries the token of its session, for the page tells nobody where it is sent from. */
import type { Call } from '../http/call.ts';
import { formToken } from '../http/session.ts';
import { type Html, html } from '../../page/html.ts';

const token = (call: Call): Html =>
  html`<input type="hidden" name="token" value="${formToken(call.session)}" />`;

/** `isQuiet`: it is not what the user most likely came for. */
export function startForm(call: Call, provider: string, label: string, isQuiet = false): Html {
  return html`<form method="post" action="${call.mount.base}/start">
    ${token(call)}<input type="hidden" name="provider" value="${provider}" />
    <button type="submit" class="${isQuiet && 'quiet'}">
      ${label}<span class="visually-hidden"> with ${provider}</span>
    </button>
  </form>`;
}

export function cancelForm(call: Call, flowId: string): Html {
  return html`<form method="post" action="${call.mount.base}/flows/${flowId}/cancel">
    ${token(call)}<button type="submit" class="quiet">Cancel</button>
  </form>`;
}
