import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { root } from '../support/built.ts';
import { describeWith } from '../support/debian.ts';
import { catalogue, familyOf } from './catalogue.ts';
import { parse } from './promql.ts';

const folder = join(root, 'grafana/alerts');

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Tests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

function yaml<T>(file: string): T {
  return parseYaml(readFileSync(join(root, 'grafana', file), 'utf8')) as T;
}

const testFiles = ['rules_test.yaml', 'slow_rules_test.yaml'];
const rules = yaml<{ groups: { rules: Rule[] }[] }>('alerts/rules.yaml').groups.flatMap(({ rules }) => rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const recorded = new Set(rules.map(({ record }) => record));

describe('alerts and recording rules', () => {
  it('name metrics and labels of the gateway, or what another rule records', () => {
    const found = rules.flatMap(({ expr }) => {
      const { errors, selectors } = parse(expr);
      const faults = selectors.flatMap(({ metric, labels }) => {
        if (metric === 'up' || recorded.has(metric)) return [];
        const family = familyOf(metric);
        if (family === null) return [metric];
        return labels
          .filter((label) => !(label in catalogue[family]!.labels))
          .map((label) => `${metric}{${label}}`);
      });
      return [...errors, ...faults];
    });
    expect(found).toEqual([]);
  });

  it('say how urgent they are, what happens and where to read on', () => {
    const books = alerts.map(({ alert }) => `${alert!}.md`);
    for (const { alert, labels, annotations } of alerts) {
      expect(['page', 'ticket']).toContain(labels?.['severity']);
      expect(Object.keys(annotations!)).toEqual(['summary', 'description', 'runbook_url']);
      expect(annotations!['runbook_url']).toBe(`{{ $externalLabels.runbooks }}/${alert!}.md`);
    }
    expect(readdirSync(join(root, 'grafana/runbooks')).toSorted()).toEqual(books.toSorted());
  });

  it('have a runbook each that says what callers see, where to look and what to do', () => {
    for (const { alert } of alerts) {
      const text = readFileSync(join(root, `grafana/runbooks/${alert!}.md`), 'utf8');
      expect(text.startsWith(`# ${alert!}\n`)).toBe(true);
      for (const part of ['**Callers see:**', '**Look at**', '**Do**']) expect(text).toContain(part);
    }
  });

  it('have a case each in which they fire and one in which they do not', () => {
    const cases = testFiles.flatMap((file) =>
      yaml<Tests>(`alerts/${file}`).tests.flatMap((test) => test.alert_rule_test),
    );
    const withCases = (fires: boolean): string[] => [
      ...new Set(cases.filter((one) => one.exp_alerts.length > 0 === fires).map((one) => one.alertname)),
    ];
    const names = alerts.map(({ alert }) => alert!).toSorted();
    expect(withCases(true).toSorted()).toEqual(names);
    expect(withCases(false).toSorted()).toEqual(names);
  });

  it('and no runbook or panel is named that does not exist', () => {
    const titles = new Set(
      readdirSync(join(root, 'grafana/dashboards')).flatMap((file) => {
        const { title, panels } = yaml<{ title: string; panels: { title: string }[] }>(`dashboards/${file}`);
        return panels.map((panel) => `${title.replace('Sallyport / ', '')}, ${panel.title}`);
      }),
    );
    const dashboards = [...new Set([...titles].map((title) => title.split(', ')[0]!))];
    for (const file of readdirSync(join(root, 'grafana/runbooks'))) {
      const text = readFileSync(join(root, 'grafana/runbooks', file), 'utf8');
      for (const [, dashboard, panel] of text.matchAll(/(?:^- |; |\. )([A-Z][\w ]+), _([^_]+)_/gm)) {
        expect(dashboards).toContain(dashboard);
        const meant = [...titles].some((title) => title.startsWith(`${dashboard!}, ${panel!}`));
        expect([file, dashboard, panel, meant]).toEqual([file, dashboard, panel, true]);
      }
    }
  });
});

describeWith('promtool', 'promtool', () => {
  const promtool = (...args: string[]): string => execFileSync('promtool', args, { encoding: 'utf8' });

  it('finds nothing in the rules', () => {
    expect(promtool('check', 'rules', '--lint=all', '--lint-fatal', join(folder, 'rules.yaml'))).toContain(
      `SUCCESS: ${String(rules.length)} rules found`,
    );
  });

  it('finds nothing in the configuration of Prometheus', () => {
    const file = join(root, 'grafana/prometheus/prometheus.yaml');
    expect(promtool('check', 'config', '--lint=all', '--lint-fatal', file)).toContain('is valid');
  });

  it.each(testFiles)('sees every case of %s fire or not as it should', (file) => {
    expect(promtool('test', 'rules', join(folder, file))).toContain('SUCCESS');
  });

  it('would see a threshold that somebody moved', () => {
    const copy = mkdtempSync(join(tmpdir(), 'sallyport-rules-'));
    const text = readFileSync(join(folder, 'rules.yaml'), 'utf8').replaceAll(' 1 * 0.001', ' 3 * 0.001');
    writeFileSync(join(copy, 'rules.yaml'), text);
    writeFileSync(join(copy, 'test.yaml'), readFileSync(join(folder, 'slow_rules_test.yaml'), 'utf8'));
    const { status, stderr } = spawnSync('promtool', ['test', 'rules', join(copy, 'test.yaml')], {
      encoding: 'utf8',
    });
    rmSync(copy, { recursive: true });
    expect([status, stderr]).toEqual([1, expect.stringContaining('SallyportErrorBudgetBurnsSlowly')]);
  });
});
