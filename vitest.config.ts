import { defineConfig } from 'vitest/config';

/** Tests of real processes, containers and browsers; one file at a time, after the others. */
const REAL = ['test/{e2e,docker,process,disk,doctor}/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Of tests that say so themselves.
    maxConcurrency: 2,
    reporters: ['default', './test/plain-line-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.ts'],
          exclude: REAL,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: REAL,
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
