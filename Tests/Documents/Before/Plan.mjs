import { readFileSync } from 'node:fs';

const text = readFileSync('plan.json', 'utf8'), z = [0.5, -1, 0.25];
const network = (x, timestep) => x.map(v => 0.1 * v), normals = () => z;
DOCUMENT
if (!image.every(Number.isFinite)) throw new Error('not finite');
