/** The configuration in force, and what became of the last reload. */
import { type Html, html } from '../../page/html.ts';
import { badge, facts } from './figures.ts';
import { live, timeText } from './layout.ts';
import type { ConsoleSource } from './source.ts';

const outcomes = {
  started: badge('none since the start', 'calm'),
  applied: badge('applied', 'good'),
  unchanged: badge('nothing had changed', 'good'),
  rejected: badge('rejected', 'bad'),
} as const;

export function configurationPage({
  number,
  file,
  text,
  reload,
}: ReturnType<ConsoleSource['configuration']>): Html {
  const { outcome, atMs, errors, inForceSinceMs } = reload;
  return live(
    'configuration',
    html`<section class="card">
        <h2>In force</h2>
        ${facts([
          ['File', html`<code>${file}</code>`],
          ['Number', `${number} of this process`],
          ['Since', timeText(inForceSinceMs)],
          ['Last reload', html`${outcomes[outcome]} ${outcome !== 'started' && timeText(atMs)}`],
        ])}
        ${
          errors.length > 0 &&
          html`<h2>Why it was rejected</h2>
            <pre class="said" tabindex="0">${errors.join('\n')}</pre>
            <p class="soft small">The configuration below stayed in force.</p>`
        }
      </section>
      <section class="card">
        <h2>Effective configuration</h2>
        <p class="soft small">
          With its defaults. Constant fields and parameters are not shown, and what came out of the
          environment is shown as the reference to it; secrets are named by their files and variables.
        </p>
        <pre tabindex="0" role="region" aria-label="Effective configuration">${text}</pre>
      </section>`,
  );
}
