// Smaller plans: one thread less, one key less, one fault less. A plan is kept when it still breaks the same invariant.

import type { Plan, Preset, StartPlan, ThreadPlan, UsePlan } from '../world/plan.ts';

/** Every plan that is one step simpler, the largest steps first. */
export function simpler(plan: Plan): Plan[] {
  const plans: Plan[] = [];
  if (plan.threads.length > 3) plans.push(halved(plan));
  for (let t = plan.threads.length - 1; t >= 0; t--) {
    const smaller = withoutThread(plan, t);
    if (smaller !== undefined) plans.push(smaller);
  }
  if (plan.crash !== undefined) {
    const { crash, ...rest } = plan;
    if (!plan.threads.some((thread) => thread.does === 'reap' && thread.thread === crash.thread))
      plans.push(rest);
  }
  if (plan.hasty !== undefined) {
    const { hasty: _hasty, ...rest } = plan;
    plans.push(rest);
  }
  plan.threads.forEach((thread, t) => {
    for (const simple of simplerThreads(thread)) {
      plans.push({ ...plan, threads: plan.threads.map((one, at) => (at === t ? simple : one)) });
    }
  });
  const used = new Set(plan.threads.flatMap((thread) => ('key' in thread ? [thread.key] : [])));
  const last = plan.keys - 1;
  if (last > 0 && !used.has(last)) {
    plans.push({
      ...plan,
      keys: last,
      presets: (plan.presets ?? []).filter((preset) => preset.key !== last),
    });
  }
  return plans;
}

function simplerThreads(thread: ThreadPlan): ThreadPlan[] {
  if (thread.does === 'clock' && thread.to.length > 1) {
    return thread.to.map((_, skipped) => ({ ...thread, to: thread.to.filter((__, at) => at !== skipped) }));
  }
  if (thread.does === 'complete' && (thread.persist?.length ?? 1) > 1)
    return [{ ...thread, persist: ['ok'] }];
  if (thread.does === 'use') return simplerUses(thread);
  if (thread.does === 'login' && (thread.store?.length ?? 1) > 1) return [{ ...thread, store: ['ok'] }];
  if (thread.does !== 'start') return [];
  const plans: StartPlan[] = [];
  if ((thread.times ?? 1) > 1) plans.push({ ...thread, times: (thread.times ?? 1) - 1 });
  if ((thread.leases ?? 1) > 1) plans.push({ ...thread, leases: (thread.leases ?? 1) - 1 });
  if (thread.losesNotify === true) plans.push({ ...thread, losesNotify: false });
  if (thread.follow === true) plans.push({ ...thread, follow: false });
  if ((thread.spawn?.length ?? 1) > 1) {
    for (const one of thread.spawn ?? []) plans.push({ ...thread, spawn: [one] });
  }
  if ((thread.provider?.length ?? 1) > 1) {
    for (const one of thread.provider ?? []) plans.push({ ...thread, provider: [one] });
  }
  return plans;
}

function simplerUses(thread: UsePlan): ThreadPlan[] {
  const plans: UsePlan[] = [];
  if ((thread.times ?? 1) > 1) plans.push({ ...thread, times: (thread.times ?? 1) - 1 });
  if ((thread.leases ?? 1) > 1) plans.push({ ...thread, leases: (thread.leases ?? 1) - 1 });
  if ((thread.store?.length ?? 1) > 1) {
    for (const one of thread.store ?? []) plans.push({ ...thread, store: [one] });
  }
  if ((thread.answers?.length ?? 1) > 1) {
    for (const one of thread.answers ?? []) plans.push({ ...thread, answers: [one] });
  }
  return plans;
}

/** The plan with about half as many threads. */
function halved(plan: Plan): Plan {
  let half = plan;
  for (let t = plan.threads.length - 1; t >= 0 && half.threads.length > plan.threads.length / 2; t--) {
    half = withoutThread(half, t) ?? half;
  }
  return half;
}

/** The plan without one thread, its indexes moved up; nothing when another thread or the crash depends on it. */
function withoutThread(plan: Plan, gone: number): Plan | undefined {
  const { crash, presets, parents } = plan;
  const moved = (index: number): number => (index > gone ? index - 1 : index);
  if (plan.threads.length === 1 || crash?.thread === gone) return undefined;
  if (presets?.some((preset) => preset.owner === gone) === true) return undefined;
  if (parents !== undefined) return undefined;
  if (plan.threads.some((thread) => thread.does === 'reap' && thread.thread === gone)) return undefined;
  const shift = (thread: ThreadPlan): ThreadPlan =>
    thread.does === 'reap' ? { ...thread, thread: moved(thread.thread) } : thread;
  const shiftOwner = (preset: Preset): Preset =>
    preset.owner < plan.threads.length ? { ...preset, owner: moved(preset.owner) } : preset;
  return {
    ...plan,
    threads: plan.threads.filter((_, t) => t !== gone).map(shift),
    ...(crash === undefined ? {} : { crash: { ...crash, thread: moved(crash.thread) } }),
    ...(presets === undefined ? {} : { presets: presets.map(shiftOwner) }),
  };
}
