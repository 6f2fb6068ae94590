// Runs the unit tests and says the result in one plain line.
import { startVitest } from 'vitest/node'

const vitest = await startVitest('test', [], { run: true, watch: false })
const tests = vitest.state.getFiles().flatMap(function flatten(task) {
  return task.type === 'test' ? [task] : (task.tasks ?? []).flatMap(flatten)
})
const broken = vitest.state.getFiles().filter((file) => file.result?.state === 'fail' && !file.tasks.length).length
const failed = tests.filter((task) => task.result?.state === 'fail').length + broken
const passed = tests.filter((task) => task.result?.state === 'pass').length
await vitest.close()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed || !passed ? 1 : 0)
