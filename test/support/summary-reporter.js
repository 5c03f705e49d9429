// The last lines of a run: what was skipped, by name, and `N passed, N failed` for whoever counts.
import { mkdirSync, writeFileSync } from 'node:fs';

export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const tests = results.testResults.flatMap((file) => file.testResults);
    for (const test of tests.filter((one) => one.status === 'pending')) console.log(`skipped: ${test.fullName}`);
    // A file that does not load counts as one failure: none of its tests ran.
    const broken = results.testResults.filter((file) => file.testExecError).length;
    const summary = `${results.numPassedTests} passed, ${results.numFailedTests + broken} failed`;
    console.log(summary);
    if (!process.env.CI) return;
    // In CI other lines follow; the script prints this one last.
    mkdirSync('coverage', { recursive: true });
    writeFileSync('coverage/.test-summary', `${summary}\n`);
  }
}
