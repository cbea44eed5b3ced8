/** The program of a probe: `node probe-process.js SHAPE`. Says what it measured to its parent, and ends with it. */
import { openBackend } from '../../../kernels/backend.js';
import { type ProbeShape, probeTraining } from '../../../train/bench/probe.js';
import type { ProbeMessage } from './probe.js';

const shape = JSON.parse(process.argv[2]!) as ProbeShape;
process.on('disconnect', () => process.exit());
await openBackend(shape.config.backend, () => {});
const say = (message: ProbeMessage) => new Promise((sent) => process.send!(message, undefined, {}, sent));
await say({ type: 'ready' });
await say({ type: 'probed', probed: await probeTraining(shape) });
process.exit();
