/** The style of the login page; colours, and what is the same on every page, are those of `page/style.ts`. */
import { baseStyle, fontStack, monoStack } from '../../page/style.ts';

export const styleText = `${baseStyle}body {
  margin: 0;
  min-height: 100vh;
  min-height: 100dvh;
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: center;
  gap: 1.25rem;
  padding: 2rem 1rem;
  background: radial-gradient(60rem 30rem at 50% -8rem, var(--glow), transparent) var(--ground);
  color: var(--ink);
  font: 1rem/1.55 ${fontStack};
}
.card {
  width: 100%;
  max-width: 29rem;
  padding: 2.25rem 2rem 2rem;
  background: var(--card);
  border: 1px solid var(--edge);
  border-radius: 1.25rem;
  box-shadow: var(--shadow);
  text-align: center;
}
.calm { --tone: var(--accent); }
.busy { --tone: var(--busy); }
.good { --tone: var(--good); }
.bad { --tone: var(--bad); }
.mark {
  width: 3.25rem;
  height: 3.25rem;
  margin: 0 auto 1rem;
  display: grid;
  place-items: center;
  border-radius: 50%;
  color: var(--tone);
  background: color-mix(in srgb, var(--tone) 13%, transparent);
}
.mark svg {
  width: 1.6rem;
  height: 1.6rem;
  fill: none;
  stroke: currentcolor;
  stroke-width: 2;
  stroke-linecap: round;
  stroke-linejoin: round;
}
.busy .mark svg { animation: turn 1.4s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
h1 { margin: 0 0 .4rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; outline: none; text-wrap: balance; }
p { margin: .4rem 0; }
a { color: var(--accent); text-underline-offset: .18em; }
.soft { color: var(--soft); text-wrap: balance; }
.soft strong { color: var(--ink); }
.small { font-size: .875rem; }
.note {
  display: inline-block;
  margin: .6rem 0 .5rem;
  padding: .35rem .8rem;
  border-radius: 99rem;
  font-size: .875rem;
  color: var(--tone);
  background: color-mix(in srgb, var(--tone) 11%, transparent);
}
.code {
  margin: 1.4rem 0 .4rem;
  padding: 1.1rem .75rem;
  border: 1px solid var(--edge);
  border-radius: .9rem;
  background: var(--field);
  font: 700 clamp(1.6rem, 9vw, 2.35rem)/1.15 ${monoStack};
  letter-spacing: .08em;
  overflow-wrap: anywhere;
  user-select: all;
}
.group + .group { margin-left: .45em; }
.copy { display: flex; gap: .6rem; align-items: center; justify-content: center; min-height: 2.2rem; }
.qr { display: block; width: 10.5rem; height: 10.5rem; margin: 1.1rem auto .5rem; border: 1px solid var(--edge); border-radius: .75rem; }
.status {
  display: flex;
  gap: .55rem;
  align-items: center;
  justify-content: center;
  margin-top: 1.25rem;
  color: var(--soft);
  text-wrap: balance;
}
.dot { flex: none; width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone); animation: beat 1.8s ease-in-out infinite; }
@keyframes beat { 50% { opacity: .3; transform: scale(.8); } }
.clock { font-variant-numeric: tabular-nums; }
.button, button {
  display: inline-block;
  text-align: center;
  padding: .7rem 1.4rem;
  border: 1px solid transparent;
  border-radius: .75rem;
  background: var(--accent);
  color: var(--accent-ink);
  font: inherit;
  font-weight: 600;
  text-decoration: none;
  cursor: pointer;
}
.button:hover, button:hover { filter: brightness(1.08); }
.wide { width: 100%; }
.quiet { background: transparent; color: var(--soft); border-color: var(--edge); font-weight: 500; }
.tiny { padding: .3rem .8rem; font-size: .875rem; }
h1:focus-visible { outline: none; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; justify-content: center; margin-top: 1.5rem; }
.actions > * { flex: 1 1 8rem; margin: 0; }
.actions button { width: 100%; }
.providers { list-style: none; margin: 1.5rem 0 0; padding: 0; display: grid; gap: .7rem; text-align: left; }
.provider {
  display: flex;
  gap: 1rem;
  align-items: center;
  justify-content: space-between;
  padding: .85rem 1rem;
  border: 1px solid var(--edge);
  border-radius: .9rem;
  background: var(--field);
}
.provider form { margin: 0; flex: none; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.state { display: block; font-size: .875rem; color: var(--soft); }
.state.ok { color: var(--good); }
.state.off { color: var(--bad); }
.foot { display: flex; align-items: center; gap: .4rem; margin: 0; color: var(--soft); font-size: .8125rem; }
.foot svg { width: 1rem; height: 1rem; fill: currentcolor; opacity: .7; }
@media (forced-colors: active) {
  .mark, .note, .dot { border: 1px solid currentcolor; }
}
@media (max-width: 26rem) {
  .card { padding: 1.75rem 1.1rem 1.4rem; }
}
`;
