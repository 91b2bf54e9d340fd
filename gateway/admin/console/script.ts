/**
 * The script of the console. The pages work without it: it only fetches them anew and puts the parts that are live in place of
 * the old ones, but for the part that somebody is at work in. Kept as text, for it is served as it stands.
 */
export const scriptText = `'use strict';
(() => {
  const everyMs = 5000;
  const button = document.querySelector('[data-pause]');
  const said = document.querySelector('[data-said]');
  let paused = false;

  function isBusy(part) {
    const selection = getSelection();
    return part.contains(document.activeElement) || (!selection.isCollapsed && part.contains(selection.anchorNode));
  }

  function say(text) {
    if (said.textContent !== text) said.textContent = text;
  }

  async function renew() {
    if (paused || document.hidden) return;
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' } });
      if (!response.ok) throw new Error();
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
      for (const part of document.querySelectorAll('[data-live]')) {
        const next = fresh.getElementById(part.id);
        if (next !== null && !isBusy(part) && next.outerHTML !== part.outerHTML) part.replaceWith(next);
      }
      say('');
    } catch {
      say('The gateway does not answer.');
    }
  }

  if (document.querySelector('[data-live]') === null) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    paused = !paused;
    button.setAttribute('aria-pressed', String(paused));
    renew();
  });
  // One after the other, however long an answer takes.
  const next = () => setTimeout(() => renew().finally(next), everyMs);
  next();
})();
`;
