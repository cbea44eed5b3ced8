/** Property-based tests draw the same examples in every run, so that a red test is red again; set PERFLAW_FUZZ to explore. */
import fc from 'fast-check';

fc.configureGlobal({ seed: process.env['PERFLAW_FUZZ'] ? Date.now() : 20_260_101 });
