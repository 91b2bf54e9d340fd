// The look and the little script of the HTML report.

export const pageStyle = `
:root { color-scheme: light dark; --ink: #1b2230; --dim: #6b7486; --line: #d5dae3; --paper: #fbfcfe; --card: #fff;
  --read: #4a78c8; --write: #d07a1f; --wake: #2a9d63; --bad: #c93a3a; --idle: #e6e9ef; --live: #d7e6fb; --busy: #fbe6cf; --over: #e2e0ec; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8f0; --dim: #8e98ab; --line: #333b4a; --paper: #12161e; --card: #1a202b;
  --read: #7ba4ee; --write: #eba14e; --wake: #5fcf95; --bad: #ff7a74; --idle: #262d39; --live: #1f3a5f; --busy: #54391b; --over: #38344c; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header, main { max-width: 1400px; margin: 0 auto; padding: 20px 28px 0 }
h1 { font-size: 22px; margin: 0 0 4px } h1 span { font-size: 15px; padding: 2px 10px; border-radius: 12px; margin-left: 8px; vertical-align: 2px; color: var(--paper) }
.bad { background: var(--bad) } .good { background: var(--wake) }
p { margin: 6px 0 } .facts, .legend { color: var(--dim); font-size: 13px }
code { background: var(--card); border: 1px solid var(--line); border-radius: 5px; padding: 3px 8px; font-size: 13px; user-select: all }
.chart { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin-top: 12px }
svg { display: block; font: 11px ui-monospace, monospace; fill: var(--ink) }
.lane { stroke: var(--line) } .name { font-weight: 600; font-size: 12px } .number { text-anchor: middle; fill: var(--dim) }
.mark { stroke-width: 2; cursor: pointer } .mark circle { fill: var(--card); stroke: var(--read) } .mark rect { fill: var(--write); stroke: var(--write) }
.mark.sleep circle { stroke-dasharray: 3 3; stroke: var(--dim) } .mark.death path { stroke: var(--bad); stroke-width: 3; fill: none }
.note { text-anchor: middle; stroke: none; font-size: 10px; fill: var(--dim) }
.wait { stroke: var(--dim); stroke-width: 2; stroke-dasharray: 5 4 } .waits { fill: var(--dim); font-size: 10px }
.wake { stroke: var(--wake); stroke-width: 2; fill: none } .head { fill: var(--wake) }
.preempt { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 4 3 } .jump { stroke: var(--dim); stroke-width: 3; stroke-dasharray: 1 4 }
rect.broken { fill: var(--bad); opacity: .14 } .cursor { stroke: var(--ink); opacity: .35 }
.word rect { fill: var(--idle) } .word.reserved rect, .word.committing rect { fill: var(--busy) } .word.pending rect, .word.success rect { fill: var(--live) }
.word.failed rect, .word.cancelled rect, .word.expired rect { fill: var(--over) }
.slider { display: flex; gap: 12px; align-items: center; margin: 14px 0 } .slider input { flex: 1; accent-color: var(--read) }
#detail { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 16px; min-height: 92px; font-family: ui-monospace, monospace; font-size: 13px; white-space: pre-wrap }
.legend i { display: inline-block; width: 14px; height: 14px; margin: 0 4px 0 14px; vertical-align: -2px; border-radius: 50%; border: 2px solid var(--read) }
.legend .write { border-radius: 3px; border-color: var(--write); background: var(--write) } .legend .wait, .legend .preempt { height: 0; border: 0; border-top: 2px dashed var(--dim); border-radius: 0; vertical-align: 4px }
.legend .preempt { border-color: var(--bad) } .legend .wake { height: 0; border: 0; border-top: 2px solid var(--wake); border-radius: 0; vertical-align: 4px } .legend .broken { border: 0; border-radius: 3px; background: var(--bad); opacity: .3 }
details { margin: 16px 0 40px } summary { cursor: pointer; color: var(--dim) } pre { overflow-x: auto; font-size: 12px; line-height: 1.45 }
`;

export const pageScript = `
const { details, slots } = JSON.parse(document.getElementById('data').textContent);
const slider = document.getElementById('step'), out = document.getElementById('at'), box = document.getElementById('detail');
const svg = document.querySelector('svg'), cursor = document.getElementById('cursor'), chart = document.querySelector('.chart');
function show() {
  const at = Number(slider.value), step = details[at - 1];
  if (!step) return;
  const x = Number(svg.dataset.gutter) + (at - 0.5) * Number(svg.dataset.column);
  cursor.setAttribute('x1', x); cursor.setAttribute('x2', x);
  if (x < chart.scrollLeft + 160 || x > chart.scrollLeft + chart.clientWidth - 60) chart.scrollLeft = x - chart.clientWidth / 2;
  out.textContent = at + ' of ' + details.length;
  box.textContent = [step.who + '   ' + step.text, '', ...slots.map((name, i) => name + '  ' + step.slots[i]), ...step.waiting].join('\\n');
}
slider.addEventListener('input', show);
for (const mark of document.querySelectorAll('.mark')) mark.addEventListener('click', () => { slider.value = mark.dataset.step; show(); });
document.addEventListener('keydown', (event) => {
  if (event.target === slider) return;
  if (event.key === 'ArrowRight') { slider.value++; show(); }
  if (event.key === 'ArrowLeft') { slider.value--; show(); }
});
show();
`;
