/**
 * The script of the page. The page works without it: it only makes it live. It hears of a change, fetches the page anew and
 * puts its card in place of the old one; counts down; copies the code.
 *
 * Kept as text, for it runs in browsers and is served as it stands.
 */
export const scriptText = `'use strict';
(() => {
  let source = null;
  let timer = 0;

  const twoDigits = (count) => String(count).padStart(2, '0');

  function countDown(card) {
    clearInterval(timer);
    const clock = card.querySelector('[data-seconds]');
    if (clock === null) return;
    const endMs = performance.now() + Number(clock.dataset.seconds) * 1000;
    const show = () => {
      const left = Math.max(0, Math.ceil((endMs - performance.now()) / 1000));
      clock.textContent = Math.floor(left / 60) + ':' + twoDigits(left % 60);
      if (left === 0) clearInterval(timer);
    };
    show();
    timer = setInterval(show, 1000);
  }

  function offerCopy(card) {
    const button = card.querySelector('[data-copy]');
    if (button === null) return;
    button.hidden = false;
    button.addEventListener('click', async () => {
      const said = card.querySelector('[data-copied]');
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        said.textContent = 'Copied';
      } catch {
        const range = document.createRange();
        range.selectNodeContents(card.querySelector('[data-code]'));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        said.textContent = 'Selected: press Ctrl+C to copy';
      }
    });
  }

  async function renew(card) {
    const response = await fetch(location.href, { headers: { accept: 'text/html' } });
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
    const next = fresh.querySelector('main');
    if (next === null || !card.isConnected) return;
    document.title = fresh.title;
    card.replaceWith(next);
    start(next);
    next.querySelector('h1').focus();
  }

  function listen(card) {
    if (source !== null) source.close();
    source = null;
    const address = card.dataset.events;
    if (address === undefined) return;
    source = new EventSource(address);
    source.addEventListener('flow', (event) => {
      if (JSON.parse(event.data).status === 'pending') return;
      source.close();
      renew(card);
    });
    // It comes back by itself but from a refusal: then the page knows more.
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) renew(card);
    });
  }

  function start(card) {
    countDown(card);
    offerCopy(card);
    listen(card);
  }

  start(document.querySelector('main'));
})();
`;
