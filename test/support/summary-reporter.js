// The last lines of a run: what was skipped, by name, and `N passed, N failed` for whoever counts.
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) => file.testResults.filter((test) => test.status === 'pending'));
    for (const test of skipped) console.log(`skipped: ${test.fullName}`);
    // A file that does not load counts as one failure: none of its tests ran.
    const broken = results.testResults.filter((file) => file.testExecError).length;
    console.log(`${results.numPassedTests} passed, ${results.numFailedTests + broken} failed`);
  }
}
