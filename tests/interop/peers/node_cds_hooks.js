// Starts the CDS service of the npm package `cds-hooks` on a port of our choice.
//
// The package ships TypeScript, an incomplete `dist` and a fixed port 3000, so its own sources are
// transpiled here with the compiler version it names, unchanged, and its own server class is started.
// Usage: NODE_PATH=<node_modules> node node_cds_hooks.js PORT
'use strict';

const fs = require('fs');
const path = require('path');
const ts = require('typescript');

const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2018, esModuleInterop: true };

require.extensions['.ts'] = (module, file) =>
  module._compile(ts.transpileModule(fs.readFileSync(file, 'utf8'), { compilerOptions: options }).outputText, file);

const sources = path.join(path.dirname(require.resolve('cds-hooks/package.json')), 'src');
const { initialize } = require(path.join(sources, 'server.ts'));
const example = require(path.join(sources, 'hooks', 'hook-ejemplo.ts'));

const port = Number(process.argv[2]);
initialize()
  .registerService(example)
  .listen({ port }, () => console.log(`listening on ${port}`));
