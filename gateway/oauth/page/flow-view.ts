/** One login as its user sees it: what there is to do, how long there is, and how it ended. */
import type { Flow, FlowDetails, FlowFailure, FlowStep } from '../flow.ts';
import type { Call } from '../http/call.ts';
import { cancelForm, startForm } from './forms.ts';
import { type Html, html, link } from '../../page/html.ts';
import { document, heading, type Page } from './layout.ts';
import { qrCode } from './qr.ts';

/** Without scripts: seldom enough to read, often enough not to wonder. */
const refreshSeconds = 5;

export interface FlowViewParts {
  readonly flow: Flow;
  /** The login was under way already when this browser asked for it. */
  readonly isJoined: boolean;
  readonly nowMs: number;
}

export function flowView(call: Call, { flow, isJoined, nowMs }: FlowViewParts): string {
  const { base } = call.mount;
  if (flow.state === 'pending' && flow.details !== null) {
    return document({
      base,
      title: 'Waiting for your login',
      tone: 'busy',
      refreshSeconds,
      events: `${base}/flows/${flow.id}/events`,
      content: pending(call, flow, flow.details, isJoined, nowMs),
    });
  }
  const { title, text, tone } = endingOf(flow);
  const provider = flow.details?.provider;
  return document({
    base,
    title,
    tone,
    refreshSeconds: flow.state === 'pending' ? refreshSeconds : null,
    events: null,
    content: html`${heading(title, tone)}
      <p class="soft">${text}</p>
      <div class="actions">
        ${flow.state !== 'success' && flow.state !== 'pending' && provider !== undefined && startForm(call, provider, 'Try again')}
        <a class="button quiet" href="${call.home}">All providers</a>
      </div>`,
  });
}

function pending(call: Call, flow: Flow, details: FlowDetails, isJoined: boolean, nowMs: number): Html {
  const { step, provider, expiresAtMs } = details;
  const seconds = Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1000));
  return html`${heading(`Log in with ${provider}`, 'busy')}
    ${isJoined && html`<p class="note">This login was already running: you joined it.</p>`} ${stepView(step)}
    <p class="status" role="status">
      <span class="dot" aria-hidden="true"></span><span>${waitingFor(step)}</span>
    </p>
    <p class="soft small">
      Time left:
      <span class="clock" role="timer" aria-live="off" data-seconds="${seconds}">${clock(seconds)}</span>
    </p>
    <div class="actions">
      ${cancelForm(call, flow.id)}
      <a class="button quiet" href="${call.home}">All providers</a>
    </div>`;
}

function stepView(step: FlowStep): Html {
  switch (step.kind) {
    case 'device': {
      const { userCode, verificationUri, verificationUriComplete } = step;
      const complete = verificationUriComplete ?? verificationUri;
      return html`<p class="soft">
          Open
          <a href="${link(verificationUri)}" target="_blank" rel="noopener noreferrer"
            >${shortAddress(verificationUri)}</a
          >
          on any device and enter this code:
        </p>
        <p class="code" data-code translate="no" aria-label="${spelled(userCode)}">
          ${groups(userCode).map((group) => html`<span class="group">${group}</span>`)}
        </p>
        <p class="copy">
          <button type="button" class="quiet tiny" data-copy="${userCode}" hidden>Copy the code</button
          ><span class="soft small" data-copied aria-live="polite"></span>
        </p>
        ${qrCode(complete, 'QR code of the address')}
        <p class="soft small">
          ${verificationUriComplete === null ? 'The picture opens the same page.' : 'The picture opens the page with the code filled in: check that it is the same.'}
        </p>
        <div class="actions">
          <a class="button wide" href="${link(complete)}" target="_blank" rel="noopener noreferrer"
            >Open the login page</a
          >
        </div>`;
    }
    case 'code':
      return html`<p class="soft">
          You will be sent to ${shortHost(step.authorizationUri)} and come back here.
        </p>
        <div class="actions">
          <a class="button wide" href="${link(step.authorizationUri)}" rel="noreferrer"
            >Continue to the login page</a
          >
        </div>`;
    case 'linked':
      return html`<p class="soft">${step.instruction}</p>`;
  }
}

function waitingFor({ kind }: FlowStep): string {
  switch (kind) {
    case 'device':
      return 'Waiting for you to confirm the code';
    case 'code':
      return 'Waiting for you to come back';
    case 'linked':
      return 'Waiting for the login of the other program';
  }
}

interface Ending {
  readonly title: string;
  readonly text: string;
  readonly tone: Page['tone'];
}

function endingOf({ state, failure, details }: Flow): Ending {
  const where = details === null ? '' : ` with ${details.provider}`;
  switch (state) {
    case 'pending':
      return { title: 'One moment', text: 'The login is being prepared.', tone: 'busy' };
    case 'success':
      return {
        title: 'You are logged in',
        text: `The login${where} is done. You can close this page.`,
        tone: 'good',
      };
    case 'expired':
      return {
        title: 'The login has expired',
        text: 'Nobody confirmed it in time. Nothing was stored.',
        tone: 'bad',
      };
    case 'cancelled':
      return { title: 'The login was cancelled', text: 'Nothing was stored.', tone: 'calm' };
    case 'error':
      if (failure === 'access_denied')
        return {
          title: 'The login was denied',
          text: 'The provider says that you said no. Nothing was stored.',
          tone: 'bad',
        };
      return { title: 'The login failed', text: failureTexts[failure ?? 'internal'], tone: 'bad' };
  }
}

const failureTexts: Readonly<Record<Exclude<FlowFailure, 'access_denied'>, string>> = {
  provider_unreachable: 'The provider could not be reached. Try again in a moment.',
  provider_invalid:
    'The provider answered with something that cannot be used. Tell whoever runs this gateway.',
  provider_refused: 'The provider refused our request. Tell whoever runs this gateway.',
  provider_timeout: 'The provider did not answer in time. Try again in a moment.',
  store_failed: 'The login could not be stored. Tell whoever runs this gateway.',
  callback_invalid:
    'The answer of the provider does not belong to this login. Start it again, in this browser.',
  starts_limited: 'Too many logins were started. Wait a minute.',
  flows_full: 'Too many logins are under way. Try again in a moment.',
  interrupted: 'The login was interrupted. Try again.',
  shared_unavailable: 'Logins are not available. Try again in a moment.',
  internal: 'Something went wrong on our side.',
};

/** What people read off a screen and type elsewhere comes in groups of four, unless the provider made groups. */
export function groups(userCode: string): readonly string[] {
  if (!/^[A-Za-z0-9]{6,}$/.test(userCode)) return [userCode];
  const size = userCode.length % 4 === 0 ? 4 : 3;
  return userCode.match(new RegExp(`.{1,${size}}`, 'g')) ?? [userCode];
}

/** One character at a time, for a screen reader. */
const spelled = (userCode: string): string =>
  Array.from(userCode, (char) => (char === '-' ? 'dash' : char)).join(' ');

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;

function shortAddress(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

function shortHost(address: string): string {
  return URL.canParse(address) ? new URL(address).host : 'the provider';
}
