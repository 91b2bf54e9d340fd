/** What the style sheets of all pages begin with: colours in light and dark, and what is hidden, focused and still. */
export const baseStyle = `:root {
  color-scheme: light dark;
  --ground: #eef1f7;
  --glow: #dfe6fb;
  --card: #ffffff;
  --edge: #dbe1ec;
  --ink: #0f172a;
  --soft: #526078;
  --field: #f4f6fb;
  --accent: #3451d1;
  --accent-ink: #ffffff;
  --busy: #3451d1;
  --good: #0f7a4b;
  --bad: #b42332;
  --shadow: 0 1px 2px rgb(15 23 42 / 6%), 0 18px 48px -12px rgb(15 23 42 / 18%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0b1020;
    --glow: #18214a;
    --card: #141b2f;
    --edge: #27314d;
    --ink: #e8ecf6;
    --soft: #a3aec6;
    --field: #0e1527;
    --accent: #8ea4ff;
    --accent-ink: #0b1020;
    --busy: #8ea4ff;
    --good: #57d39b;
    --bad: #ff8f98;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 24px 60px -12px rgb(0 0 0 / 60%);
  }
}
*, *::before, *::after { box-sizing: border-box; }
.visually-hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .5rem; }
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
`;

export const fontStack =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
export const monoStack = 'ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';
