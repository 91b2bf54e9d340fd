// Prints the last line of a CI run from vitest's report and the number of steps that failed; ends with 1 on a failure.
const { readFileSync } = require('node:fs');

const [, , file, failedSteps] = process.argv;

function totals() {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    // A file that cannot be imported fails without any test of its own.
    const broken = report.testResults.filter(
      (suite) =>
        suite.status === 'failed' && suite.assertionResults.every(({ status }) => status !== 'failed'),
    );
    return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

const { passed, failed } = totals();
// A step that failed counts even if every test passed.
const failedInAll = Math.max(failed, Number(failedSteps));
console.log(`${passed} passed, ${failedInAll} failed`);
process.exitCode = failedInAll === 0 && passed > 0 ? 0 : 1;
