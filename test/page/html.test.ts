/** What hostile texts come to in the templates of pages. */
import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, link, rendered } from '../../gateway/page/html.ts';

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '` onfocus=`alert(1)',
  '</textarea><svg/onload=alert(1)>',
  '&lt;b&gt;',
  '<!--',
  '${alert(1)}',
];

describe('a template', () => {
  it.each(hostile)('puts %s in as text, between tags and in an attribute', (text) => {
    const [before, after] = ['<p title="', '">'];
    const made = rendered(html`<p title="${text}">${text}</p>`);
    const inner = made.slice(before.length, -'</p>'.length);
    const [attribute, content] = inner.split(after);
    for (const piece of [attribute, content]) {
      expect(piece).not.toMatch(/[<>"'`]/);
      expect(unescaped(piece!)).toBe(text);
    }
  });

  it('gives back every text, and lets none out of its place', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        const made = rendered(html`${text}`);
        expect(made).not.toMatch(/[<>"'`]/);
        expect(unescaped(made)).toBe(text);
      }),
    );
  });

  it('keeps what a template made, also in lists, and leaves nothing out of nothing', () => {
    const made = rendered(
      html`<ul>
        ${['a<', 'b'].map((text) => html`<li>${text}</li>`)}${null}${false}${0}
      </ul>`,
    );
    expect(made.replaceAll(/\s/g, '')).toBe('<ul><li>a&lt;</li><li>b</li>0</ul>');
  });

  it('takes an object that only looks like markup for no markup', () => {
    const forged = JSON.parse('{"markup":"<script>"}') as never;
    expect(() => rendered(html`${forged}`)).toThrow(TypeError);
  });
});

describe('a link', () => {
  it.each(['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' data:text/html,x', 'vbscript:x', 'nothing', ''])(
    'does not lead to %s',
    (address) => {
      expect(link(address)).toBe('#');
    },
  );

  it.each(['https://idp.example/device?user_code=A&x="', 'http://127.0.0.1:8083/device'])(
    'leads to %s',
    (address) => {
      expect(link(address)).toBe(address);
    },
  );
});

function unescaped(text: string): string {
  const chars: Readonly<Record<string, string>> = {
    lt: '<',
    gt: '>',
    quot: '"',
    '#39': "'",
    '#96': '`',
    amp: '&',
  };
  return text.replaceAll(/&([a-z]+|#\d+);/g, (_, name: string) => chars[name]!);
}
