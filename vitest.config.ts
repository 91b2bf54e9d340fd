import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The native HTTP driver and worker threads want a process of their own.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
