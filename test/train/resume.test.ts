import { backendsHere } from '../contract/backends-here.js';
import { resumeContract } from '../contract/resume.js';

for (const backend of await backendsHere()) resumeContract(backend);
