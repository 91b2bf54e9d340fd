/** A QR code as SVG: one path of dark modules, drawn on white whatever the theme, for cameras want contrast. */
import { encode } from 'uqr';
import { type Html, html } from '../../page/html.ts';

/** Light modules around it (ISO/IEC 18004: four). */
const border = 4;
/** Beyond this many characters the modules get too small for a screen. */
const textLengthMax = 512;

/** Null for a text that is too long to be scanned. */
export function qrCode(text: string, label: string): Html | null {
  if (text.length > textLengthMax) return null;
  const { size, data } = encode(text, { ecc: 'M', border });
  const runs = data.flatMap((row, y) =>
    darkRuns(row).map(([x, width]) => `M${x} ${y}h${width}v1h-${width}z`),
  );
  return html`<svg
    class="qr"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${size} ${size}"
    shape-rendering="crispEdges"
  >
    <rect width="${size}" height="${size}" fill="#fff" />
    <path d="${runs.join('')}" fill="#0b1020" />
  </svg>`;
}

/** Start and length of each run of dark modules. */
function darkRuns(row: readonly boolean[]): readonly (readonly [number, number])[] {
  const runs: (readonly [number, number])[] = [];
  let start = -1;
  for (const [x, isDark] of [...row, false].entries()) {
    if (isDark && start === -1) start = x;
    if (isDark || start === -1) continue;
    runs.push([start, x - start]);
    start = -1;
  }
  return runs;
}
