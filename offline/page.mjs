/** One page of Markdown out of what check-gpu found: every figure with the device that gave it. */

const ms = (seconds) => (seconds === undefined || seconds === null ? '' : (1000 * seconds).toFixed(2));
const count = (value) => Math.round(value).toLocaleString('en-US');
const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

export function page({ made, perflaw, node, options, parts }) {
  const lines = [`# GPU check`, '', `perflaw ${perflaw}, Node ${node}, ${made}.`, ''];
  const say = (...text) => lines.push(...text, '');
  const { doctor, conformance, kernels, auto, refusal, bench, peers } = parts;
  if (doctor) {
    for (const { what, state, detail } of doctor.findings ?? []) lines.push(`- ${what}: ${state}, ${detail}`);
    if (doctor.nvidiaSmi) lines.push(`- nvidia-smi: ${doctor.nvidiaSmi}`);
    say('');
  }
  if (auto) say(`- \`--backend auto\` trained on ${auto.backend ?? 'nothing'}${auto.device ? ` (${auto.device})` : ''}, exit code ${auto.code}.`);
  if (refusal) say(`- An adapter that refuses: ${refusal.message ? `"${refusal.message}" Remedy: ${refusal.remedy}` : `no message (${refusal.stderr})`}`);
  if (conformance) say(conformance.skipped ? `- Published code: skipped, ${conformance.skipped}` : `- Published code: ${tally(conformance.cases ?? [])}${conformance.stderr ? `: ${conformance.stderr}` : ''}; worst entry off by ${Math.max(0, ...(conformance.cases ?? []).map((c) => c.worst)).toExponential(1)}.`);
  if (kernels) {
    say(`- Kernels against float64 (${options.runs} examples each): ${tally(kernels.tests.map(({ state }) => ({ status: state })))}.`);
    for (const { name, message } of kernels.tests.filter(({ state }) => state === 'failed')) say(`  - failed: ${name}: ${message}`);
  }
  if (bench) {
    const peer = (step, form, key) => peers?.steps?.find((p) => p.model === step.model && p.dim === step.dim && p.rows === step.rows && p.form === form)?.[key];
    const best = (step, key) => {
      const times = (peers?.steps ?? []).filter((p) => p.model === step.model && p.dim === step.dim && p.rows === step.rows && p[key]).map((p) => p[key]);
      return times.length > 0 ? Math.min(...times) : undefined;
    };
    say(`## Training steps on ${bench.device}`, '', `${options.layers} layer(s), ${options.length} tokens a row, ${options.items} items; milliseconds a step. PyTorch: ${peers?.torch ? `${peers.torch} on ${peers.device}` : (peers?.skipped ?? 'not run')}; its best form, and its best as a CUDA graph.`);
    say(
      table(
        ['model', 'dim', 'rows', 'ms', 'tokens/s', 'GPU busy, ms', 'bound, ms', 'dispatches', 'reads', 'PyTorch sequential', 'best', 'best, graph'],
        bench.steps.map((s) => [s.model, s.dim, s.rows, ms(s.seconds), count(s.tokensPerSecond), ms(s.gpu?.busySeconds), ms(s.gpu?.bound.seconds), s.gpu?.dispatches ?? '', s.gpu?.reads ?? '', ms(peer(s, 'sequential', 'seconds')), ms(best(s, 'seconds')), ms(best(s, 'graphSeconds'))]),
      ),
    );
    for (const { model, stderr } of bench.errors) say(`- ${model} failed: ${stderr}`);
    if (bench.steps[0]?.gpu) say(`Bounds: ${bench.steps[0].gpu.bound.device}, by its data sheet.`);
    if (peers?.ceilings) say(`Measured by PyTorch: ${(peers.ceilings.bandwidth / 1e12).toFixed(2)} TB/s copying, ${(peers.ceilings.flops / 1e12).toFixed(1)} TFLOP/s in single precision, ${(1e6 * peers.ceilings.launchSeconds).toFixed(1)} µs a launch in a graph.`);
    for (const step of bench.steps.filter((s) => s.gpu)) {
      say(`### ${step.model}, dim ${step.dim}, ${step.rows} rows`);
      say(table(['program', 'dispatches', 'ms', 'bound, ms', 'MiB', 'GFLOP'], step.gpu.programs.slice(0, 12).map((p) => [p.program, p.dispatches, ms(p.seconds), ms(p.bound), (p.bytes / 2 ** 20).toFixed(1), (p.flops / 1e9).toFixed(2)])));
    }
  }
  return lines.join('\n').replace(/\n{3,}/g, '\n\n');
}

function tally(cases) {
  const counts = new Map();
  for (const { status } of cases) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, n]) => `${n} ${status}`).join(', ') || 'none';
}
