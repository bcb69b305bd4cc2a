// What a program found, told to `cargo xtask conformance`: one line of JSON for each check.
const assert = require('node:assert/strict');

const SCENE = JSON.parse(process.env.SCENE);

function tell(check, outcome, detail = '') {
  process.stdout.write(JSON.stringify({ check, outcome, detail: String(detail) }) + '\n');
}

// Runs the checks one after the other; each passes unless it throws.
async function run(checks) {
  for (const [name, check] of checks) {
    try {
      await check();
      tell(name, 'passed');
    } catch (error) {
      tell(name, 'failed', error.type ? `${error.type}: ${error.message}` : error.message);
    }
  }
}

const same = (found, wanted) => assert.deepEqual(found, wanted);
const refused = (promise, type) => assert.rejects(promise, (error) => error.type === type || assert.equal(error.type, type));

module.exports = { SCENE, run, same, refused };
