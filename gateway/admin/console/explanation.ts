/** A form that asks what would become of a request, and the answer: that of `sallyport explain`, for the configuration in force. */
import { methods } from '../../core/methods.ts';
import { wantsOf } from '../../explain/explanation.ts';
import type { Explained } from '../../explain/explain.ts';
import { inheritedBy, servedBy } from '../../explain/wording.ts';
import { type Html, html } from '../../page/html.ts';
import { statusIn } from '../../route/error-profile.ts';
import type { Route, Vocabulary } from '../../route/policy.ts';
import { showPath } from '../../route/problem.ts';
import { badge, facts } from './figures.ts';
import { consoleBase } from './address.ts';

/** The token stays out of the address, and out of the page that answers. */
export function explainForm(method: string, target: string): Html {
  return html`<section class="card">
    <h2>Explain a request</h2>
    <form class="fields" method="post" action="${consoleBase}/routes">
      <label
        >Method<select name="method">
          ${methods.map((each) => html`<option ${each === method && html`selected`}>${each}</option>`)}
        </select></label
      >
      <label
        >Path<input
          class="mono"
          name="path"
          value="${target}"
          placeholder="/orders/5"
          required
          autocomplete="off"
          spellcheck="false"
      /></label>
      <label class="wide"
        >Bearer token, if there is one<input
          class="mono"
          type="password"
          name="token"
          autocomplete="off"
          spellcheck="false"
      /></label>
      <details class="wide">
        <summary>Client certificate, for tokens that are bound to one</summary>
        <label
          >PEM<textarea
            class="mono"
            name="certificate"
            rows="4"
            autocomplete="off"
            spellcheck="false"
          ></textarea>
        </label>
      </details>
      <div class="wide"><button type="submit">Explain</button></div>
    </form>
  </section>`;
}

export function explanationView({ explanation, verified }: Explained, words: Vocabulary): Html {
  const { method, target, route, steps, refusal, allow, errors } = explanation;
  const firstFailed = steps.findIndex(({ passed }) => !passed);
  const outcome =
    refusal === null
      ? html`${badge('let through', 'good')}
        ${servedBy(route)}${!verified && ', provided that the signature holds'}`
      : html`${badge(`${statusIn(errors, refusal)} ${refusal.code}`, 'bad')} ${refusal.title}`;
  return html`<section class="card" id="explanation">
    <h2><code>${method} ${target}</code></h2>
    <p role="status" data-outcome>${outcome}</p>
    ${allow.length > 0 && html`<p>Allow: ${allow.join(', ')}</p>`}
    ${route !== null && routeFacts(route, words)}
    <h2>Checks, in their order</h2>
    <ol class="plain checks">
      ${steps.map(
        ({ check, passed, detail }, index) =>
          html`<li>
            <span
              >${passed ? badge('pass', 'good') : badge(index === firstFailed ? 'FAIL' : 'fail', 'bad')}</span
            ><span>${check}</span><span class="soft">${detail}</span>
          </li>`,
      )}
    </ol>
  </section>`;
}

function routeFacts(route: Route, words: Vocabulary): Html {
  const { id, pattern, methods: only, origin, access } = route;
  const inherited = Object.entries(inheritedBy(route)).map(([setting, place]) => `${setting} from ${place}`);
  return facts([
    ['Route', id],
    ['Pattern', html`<code>${only === null ? 'every method' : only.join(', ')} ${pattern}</code>`],
    ['Written', html`<code>${showPath(origin.at)}</code>`],
    ['Inherits', inherited.join('; ')],
    ['Asks for', access === null ? 'nothing: it is public' : wantsOf(access, words)],
  ]);
}
