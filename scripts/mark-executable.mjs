// Makes the built command executable: tsc writes plain files, and `npx centinela` runs dist/main.js itself.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../dist/main.js', import.meta.url);
const text = readFileSync(file, 'utf8');
if (!text.startsWith('#!')) writeFileSync(file, `#!/usr/bin/env node\n${text}`);
chmodSync(file, 0o755);
