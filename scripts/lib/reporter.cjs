/** mocha's reporter for scripts/test: the failures and a dot for each test, and the counts as JSON in FLOW_TEST_COUNTS. */
const { writeFileSync } = require('node:fs');
const Mocha = require('mocha');

/** How long a suite with failures may take to let go of what its tests have left open: those that pass leave nothing. */
const LEAVE_MS = 30_000;

module.exports = class Counting extends Mocha.reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures } = this.stats;
      writeFileSync(process.env.FLOW_TEST_COUNTS, JSON.stringify({ passed: passes, failed: failures }));
      if (failures > 0) setTimeout(() => process.exit(1), LEAVE_MS).unref();
    });
  }
};
