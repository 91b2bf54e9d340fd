/** The style of the console; colours, and what is the same on every page, are those of `page/style.ts`. */
import { baseStyle, fontStack, monoStack } from '../../page/style.ts';

export const styleText = `${baseStyle}body {
  margin: 0;
  min-height: 100vh;
  background: radial-gradient(80rem 24rem at 50% -10rem, var(--glow), transparent) var(--ground);
  color: var(--ink);
  font: .9375rem/1.5 ${fontStack};
}
a { color: var(--accent); text-underline-offset: .18em; }
code, pre, .mono { font-family: ${monoStack}; font-size: .875em; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; }
h2 { margin: 0 0 .75rem; font-size: 1.0625rem; }
p { margin: 0; }
.soft { color: var(--soft); }
.small { font-size: .8125rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; }
.top { max-width: 76rem; margin: 0 auto; padding: 1.25rem 1.25rem 0; }
.brand { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
.brand p { display: flex; align-items: center; gap: .45rem; font-weight: 600; }
.brand svg { width: 1.25rem; height: 1.25rem; fill: currentcolor; }
.brand button { margin-left: auto; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; margin: 1rem 0 0; padding: 0; }
nav a {
  display: block;
  padding: .4rem .8rem;
  border-radius: .6rem;
  color: var(--soft);
  text-decoration: none;
  font-weight: 500;
}
nav a:hover { color: var(--ink); background: var(--card); }
nav a[aria-current] { color: var(--accent-ink); background: var(--accent); }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; display: grid; gap: 1.25rem; }
main > *, .part > * { min-width: 0; }
.part { display: grid; gap: 1.25rem; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1rem; }
.card {
  padding: 1.1rem 1.25rem 1.25rem;
  background: var(--card);
  border: 1px solid var(--edge);
  border-radius: 1rem;
}
.card > * + * { margin-top: .9rem; }
.card > h2 + * { margin-top: 0; }
.card > * + h2 { margin-top: 1.4rem; }
.figures + p { margin-top: .6rem; }
.figures { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); margin: 0; }
.figures > div { padding: .9rem 1rem; background: var(--card); border: 1px solid var(--edge); border-radius: 1rem; }
.figures dt { color: var(--soft); font-size: .8125rem; }
.figures dd { margin: 0; font-size: 1.4rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.figures dd small { font-size: .8125rem; font-weight: 400; color: var(--soft); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin-bottom: 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; border-radius: .5rem; }
table { width: 100%; border-collapse: collapse; }
caption { text-align: left; font-weight: 600; padding: 0 0 .6rem; font-size: 1.0625rem; }
th, td { padding: .4rem 1.4rem .4rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--edge); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .8125rem; white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 8rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr > :last-child { padding-right: 0; }
.inner { font-weight: 400; padding-left: 1.25rem; }
.badge {
  display: inline-block;
  padding: .1rem .6rem;
  border-radius: 99rem;
  font-size: .8125rem;
  font-weight: 600;
  color: var(--tone);
  background: color-mix(in srgb, var(--tone) 12%, transparent);
}
.good { --tone: var(--good); }
.bad { --tone: var(--bad); }
.calm { --tone: var(--soft); }
.said { color: var(--bad); }
.empty { color: var(--soft); }
ul.plain, ol.plain { list-style: none; margin-bottom: 0; padding: 0; display: grid; gap: .4rem; }
.checks li { display: grid; grid-template-columns: 4rem minmax(6rem, 9rem) 1fr; gap: .75rem; align-items: baseline; }
.checks span { overflow-wrap: anywhere; }
.chart { display: block; width: 100%; height: 6rem; }
.chart .all { fill: color-mix(in srgb, var(--accent) 22%, transparent); stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.chart .failed { fill: color-mix(in srgb, var(--bad) 40%, transparent); stroke: var(--bad); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.chart line { stroke: var(--edge); stroke-width: 1; vector-effect: non-scaling-stroke; }
form.fields { display: grid; gap: .75rem 1rem; grid-template-columns: 8rem 1fr; align-items: end; }
form.search { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin-bottom: 1rem; }
label { display: grid; gap: .25rem; font-size: .8125rem; color: var(--soft); }
.wide { grid-column: 1 / -1; }
summary { color: var(--soft); font-size: .8125rem; cursor: pointer; }
details label { margin-top: .5rem; }
input, select, textarea {
  width: 100%;
  padding: .5rem .7rem;
  border: 1px solid color-mix(in srgb, var(--soft) 60%, transparent);
  border-radius: .6rem;
  background: var(--field);
  color: var(--ink);
  font: inherit;
}
input.mono, textarea.mono { font-family: ${monoStack}; font-size: .875rem; }
button {
  padding: .5rem 1.1rem;
  border: 1px solid transparent;
  border-radius: .6rem;
  background: var(--accent);
  color: var(--accent-ink);
  font: inherit;
  font-weight: 600;
  cursor: pointer;
}
button:hover { filter: brightness(1.08); }
button.quiet { background: transparent; border-color: var(--edge); color: var(--soft); font-weight: 500; padding: .3rem .8rem; }
pre {
  margin: 0;
  padding: 1rem;
  border: 1px solid var(--edge);
  border-radius: .75rem;
  background: var(--field);
  overflow-x: auto;
  tab-size: 2;
}
pre.said { white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .facts { grid-template-columns: 1fr; gap: 0 0; }
  .facts dd { margin-bottom: .5rem; }
  form.fields { grid-template-columns: 1fr; }
  .checks li { grid-template-columns: 4rem 1fr; }
  .checks li > :last-child { grid-column: 1 / -1; }
}
@media (forced-colors: active) {
  .badge, nav a[aria-current] { border: 1px solid currentcolor; }
}
`;
